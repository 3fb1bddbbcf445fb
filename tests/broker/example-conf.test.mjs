// SPDX-License-Identifier: Apache-2.0
// example-conf.test.mjs - mosquitto.conf.example starts a broker as it stands (but for paths and
// ports), opens nothing to the outside, and names the plugin's options as the code and README do.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, startBroker } from './lib.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (name) => readFileSync(join(ROOT, name), 'utf8');
const example = read('mosquitto.conf.example');
const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);

/** The example with its files and ports replaced, all else as it is. */
function adapted({ dir, tcpPort, wsPort, module }) {
    const replacements = [
        ['/etc/mosquitto/passwd', join(dir, 'passwd')],
        ['/etc/mosquitto/acl', join(dir, 'acl')],
        ['/usr/local/lib/mosquitto_invigilator.so', module],
        ['/etc/mosquitto/jwt/public.pem', join(dir, 'es.pem')],
        ['persistence_location /var/lib/mosquitto/', `persistence_location ${dir}/`],
        ['state_file /var/lib/mosquitto/', `state_file ${dir}/`],
        ['listener 1883 ', `listener ${tcpPort} `],
        ['listener 9001 ', `listener ${wsPort} `],
    ];
    let text = example;
    for (const [from, to] of replacements) {
        const settings = text.split('\n').filter((line) => !line.startsWith('#') && line.includes(from));
        assert.equal(settings.length, 1, `${from} once in the example`);
        text = text.replace(settings[0], settings[0].replace(from, to));
    }
    return `user root\n${text}`;
}

/** Local addresses, in hex as /proc has them, on which the process listens. */
function listening(pid) {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
        try {
            return readlinkSync(`/proc/${pid}/fd/${fd}`);
        } catch {
            return ''; // closed in between
        }
    });
    const inodes = new Set(names(links.join('\n'), /^socket:\[(\d+)\]$/gm));
    // Without IPv6 there is no tcp6.
    const tables = ['tcp', 'tcp6'].map((name) => `/proc/${pid}/net/${name}`).filter(existsSync);
    return tables
        .flatMap((table) => readFileSync(table, 'utf8').trim().split('\n').slice(1))
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[3] === '0A' && inodes.has(fields[9]))
        .map((fields) => fields[1].split(':')[0]);
}

test('the example starts a broker on loopback that serves browsers and the backend', async (t) => {
    const broker = await startBroker({
        config: adapted,
        prepare: (dir) => copyFileSync(join(ROOT, 'examples/acl.example'), join(dir, 'acl')),
    });
    t.after(() => broker.stop());
    assert.deepEqual(listening(broker.pid), ['0100007F', '0100007F']);
    assert.deepEqual(broker.log().filter((line) => /\berror\b/i.test(line)), []);

    const anna = await connect({
        url: broker.wsUrl,
        token: await broker.sign({ sub: 'anna', sid: 's1', evaluations: ['demo'] }, { key: 'es' }),
    });
    const backend = await connect({ url: broker.tcpUrl, username: 'backend', password: 'secret' });
    for (const topic of ['users/anna', 'evaluations/demo', 'evaluations/demo/users/anna']) {
        assert.deepEqual(await anna.subscribe(topic), [1]);
        const payload = {
            type: 'EVALUATION_UPDATE', evaluationId: 'demo', userId: 'anna', phase: 'IN_PROGRESS',
        };
        await backend.publish(topic, payload);
        assert.deepEqual((await anna.nextMessage(topic)).json, payload);
    }
    await assert.rejects(connect({ url: broker.tcpUrl, clientId: 'nobody' }), { code: 5 });
    await Promise.all([anna.end(), backend.end()]);
});

// word and default of each row of the option table
const table = [...read('plugin/core/option.c').matchAll(/^ +X\("(\w+)", \w+, \w+, "([^"]*)"/gm)]
    .map(([, word, value]) => ({ word, value }));
const words = table.map(({ word }) => word).sort();

test('the example names every option once, those at default commented out', () => {
    assert.ok(words.includes('jwt_leeway'), 'the option table was found');
    assert.deepEqual(names(example, /^#?plugin_opt_(\w+)/gm).sort(), words);
    assert.deepEqual(names(example, /^plugin_opt_(\w+)/gm), ['jwt_public_key_file', 'state_file']);
    for (const { word, value } of table.filter((row) => row.value !== '')) {
        assert.deepEqual(names(example, new RegExp(`^#plugin_opt_${word} (.*)$`, 'gm')), [value], word);
    }
});

test('the README describes the same options, with the same defaults', () => {
    const section = read('README.md').split(/^## /m).find((text) => text.startsWith('Options'));
    const rows = section.split('\n').filter((line) => /^\| *`/.test(line)).map((line) => line.split('|'));
    const unticked = (text) => text.replaceAll('`', '').trim();
    const defaults = new Map(rows.flatMap(([, left, middle]) =>
        names(left, /`(\w+)`/g).map((word, index, all) =>
            [word, unticked(all.length > 1 ? (middle.split(',')[index] ?? '') : middle)])));
    assert.deepEqual([...defaults.keys()].sort(), words);
    for (const { word, value } of table.filter((row) => row.value !== '')) {
        assert.equal(defaults.get(word), value, word);
    }
});
