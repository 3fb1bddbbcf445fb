// SPDX-License-Identifier: Apache-2.0
// token.test.mjs - which passwords let a client in: real tokens by jose, and hostile ones made byte by byte.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { connect, forge, now, rawConnect, startBroker } from './lib.mjs';

let broker;

before(async () => {
    broker = await startBroker({
        options: { jwt_issuer: 'https://eval.example', jwt_audience: 'mqtt', jwt_max_size: '16384' },
    });
});
after(() => broker.stop());

const base = () => ({
    sub: 'anna', sid: 's1', iat: now(), exp: now() + 600, iss: 'https://eval.example', aud: 'mqtt',
});

/** A CONNECT of MQTT 5 with a password and no username, which no client library makes. */
function passwordOnlyConnect(token) {
    const text = (value) => {
        const bytes = Buffer.from(value);
        return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
    };
    const body = Buffer.concat([
        text('MQTT'), Buffer.from([5, 0x42, 0, 30, 0]), text('anna:raw'), text(token),
    ]);
    return Buffer.concat([Buffer.from([0x10, (body.length & 127) | 128, body.length >> 7]), body]);
}

async function refused(token, reason, options = {}) {
    const from = broker.log().length;
    await assert.rejects(
        connect({ url: broker.tcpUrl, token, username: 'anna', clientId: 'anna:x', ...options, version: 5 }),
        (error) => error.code === 135,
        `${reason} was let in`);
    if (reason) {
        await broker.waitForLog(new RegExp(`^invigilator: refused reason=${reason}\\b`), { from });
    }
}

async function accepted(token, options = {}) {
    const client = await connect({ url: broker.tcpUrl, token, ...options });
    await client.end();
}

test('each key type, transport and protocol version is let in', async () => {
    for (const key of ['rs', 'es', 'hs']) {
        for (const url of [broker.tcpUrl, broker.wsUrl]) {
            for (const version of [4, 5]) {
                await accepted(await broker.sign(base(), { key }), { url, version });
            }
        }
    }
});

test('MQTT 3.1.1 gets 5, MQTT 5 gets 135', async () => {
    const token = await broker.sign({ ...base(), exp: now() - 100 });
    for (const url of [broker.tcpUrl, broker.wsUrl]) {
        for (const [version, code] of [[4, 5], [5, 135]]) {
            await assert.rejects(connect({ url, version, token }), (error) => error.code === code);
        }
    }
});

test('claims that are not acceptable', async () => {
    const rows = [
        [{ exp: now() - 31 }, 'expired'],
        [{ exp: undefined }, 'claim_missing'],
        [{ exp: '1900000000' }, 'claim_invalid'],
        [{ exp: 1900000000.5 }, 'claim_invalid'],
        [{ exp: -1 }, 'claim_invalid'],
        [{ exp: 253402300800 }, 'claim_invalid'],
        [{ exp: null }, 'claim_invalid'],
        [{ iat: undefined }, 'claim_missing'],
        [{ iat: now() + 100 }, 'issued_in_future'],
        [{ nbf: now() + 100 }, 'not_yet_valid'],
        [{ auth_time: now() + 100 }, 'login_in_future'],
        [{ auth_time: 'x' }, 'claim_invalid'],
        [{ sub: undefined }, 'claim_missing'],
        [{ sid: undefined }, 'claim_missing'],
        [{ sub: 7 }, 'claim_invalid'],
        [{ iss: 'https://other.example' }, 'issuer_mismatch'],
        [{ iss: undefined }, 'issuer_mismatch'],
        [{ aud: 'other' }, 'audience_mismatch'],
        [{ aud: [] }, 'audience_mismatch'],
        [{ aud: 7 }, 'claim_invalid'],
        [{ role: 'root' }, 'role_unknown'],
        [{ role: [] }, 'role_unknown'],
        [{ role: null }, 'claim_invalid'],
        [{ evaluations: 'e1' }, 'claim_invalid'],
        [{ evaluations: ['e/1'] }, 'claim_invalid'],
        [{ evaluations: Array.from({ length: 65 }, (_, i) => `e${i}`) }, 'claim_invalid'],
    ];
    for (const [claims, reason] of rows) {
        await refused(await broker.sign({ ...base(), ...claims }), reason);
    }
    for (const id of ['', 'a/b', 'a+', '#', '$a', 'a\u0000b', 'a\u0007', 'a\u0085', 'a\uffff', 'x'.repeat(129)]) {
        // What cannot be a name of a user cannot be one of a session or an evaluation either.
        await refused(await broker.sign({ ...base(), sub: id }), '(claim_invalid|payload_invalid)');
        await refused(await broker.sign({ ...base(), sid: id }), '(claim_invalid|payload_invalid)');
        await refused(await broker.sign({ ...base(), evaluations: [id] }), '(claim_invalid|payload_invalid)');
    }
});

test('claims that are', async () => {
    const rows = [
        { aud: ['x', 'mqtt'] }, { role: 'STUDENT' }, { role: ['student', 'Professor'] },
        { auth_time: now() - 5000 }, { exp: now() - 10 }, { nbf: now() + 20 }, { iat: now() + 20 },
        { evaluations: [] }, { sub: 'zoë:1 "x"' }, { sub: 'x'.repeat(128) }, { extra: { a: [1.5, null] } },
    ];
    for (const claims of rows) {
        await accepted(await broker.sign({ ...base(), sid: `s${Math.random()}`, ...claims }));
    }
    await accepted(await broker.sign({ ...base(), sub: 'eval', sid: undefined, role: 'service' }));
    await accepted(await broker.sign(base(), { header: { typ: 'at+jwt', jku: 'http://127.0.0.1:1/', x5c: ['x'] } }));
});

test('hostile headers and payloads', async () => {
    const { rs, hs } = broker.keys;
    const header = { alg: 'RS256', kid: 'rs-1' };
    const payload = JSON.stringify(base());
    const plain = (value) => Buffer.from(value).toString('base64url');
    const pem = readFileSync(broker.keys.rsPem);
    const input = `${plain('{"alg":"HS256","kid":"rs-1"}')}.${plain(payload)}`;

    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
        await refused(`${plain(JSON.stringify({ alg }))}.${plain(payload)}.`, 'algorithm_not_allowed');
    }
    for (const alg of ['rs256', 'RS255', 'ES256K', 'EdDSA', '']) {
        await refused(forge({ ...header, alg }, payload, rs), 'algorithm_not_allowed');
    }
    await refused(`${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`,
        '(key_unknown|signature_invalid)');
    await refused(forge({ alg: 'HS256', kid: 'rs-1' }, payload, hs), 'key_unknown');
    await refused(forge({ ...header, kid: 'nobody' }, payload, rs), 'key_unknown');
    await refused(forge({ ...header, kid: 7 }, payload, rs), 'header_invalid');
    await refused(forge({ ...header, alg: 7 }, payload, rs), '(header_invalid|algorithm_not_allowed)');
    await refused(forge({ ...header, crit: ['exp'] }, payload, rs), 'critical_header');
    await refused(forge({ ...header, crit: [] }, payload, rs), 'critical_header');
    await refused(forge('{"alg":"RS256","alg":"RS256","kid":"rs-1"}', payload, rs), 'header_invalid');
    await refused(forge('{"alg":"RS256","\\u0061lg":"RS256","kid":"rs-1"}', payload, rs), 'header_invalid');
    await refused(forge('{"alg":"RS256","kid":"rs-1","x":{"a":1,"a":2}}', payload, rs), 'header_invalid');
    const duplicates = ['"sub":"bob"', '"exp":1', '"x":{"a":1,"\\u0061":2}', '"y":[{"a":1,"a":1}]'];
    for (const member of duplicates) {
        await refused(forge(header, `${payload.slice(0, -1)},${member}${member.startsWith('"x"') || member.startsWith('"y"') ? '' : `,${member}`}}`, rs), 'payload_invalid');
    }
    for (const text of ['', '[]', '"x"', '{', `${payload} x`, payload.replace('"anna"', 'anna'), '{"a":1e999}', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`]) {
        await refused(forge(header, text, rs), 'payload_invalid');
    }
    for (const exp of ['1e300', '1e9', '1900000000.0', '99999999999999999999', '"1900000000"', 'true']) {
        await refused(forge(header, payload.replace(/"exp":\d+/, `"exp":${exp}`), rs), '(claim_invalid|payload_invalid)');
    }
    await refused(forge(header, payload.replace('anna', 'an\\u0000na'), rs), '(claim_invalid|payload_invalid)');
    await refused(forge(header, payload.replace('"anna"', '"a\\ud800"'), rs), '(claim_invalid|payload_invalid)');
    const bytes = Buffer.from(payload.replace('anna', 'a??a'));
    bytes[bytes.indexOf('??')] = 0xc3;
    const broken = `${plain(JSON.stringify(header))}.${bytes.toString('base64url')}`;
    await refused(`${broken}.${forge(header, payload, rs).split('.')[2]}`, 'signature_invalid');
});

test('base64url in the one true form only', async () => {
    const token = await broker.sign(base());
    const [head, body, signature] = token.split('.');
    const last = signature.at(-1);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const sibling = alphabet[alphabet.indexOf(last) ^ 1]; // same bytes where trailing bits are dropped

    await accepted(token);
    await refused(`${head}.${body}.${signature.slice(0, -1)}${sibling}`, '(token_malformed|signature_invalid)');
    await refused(`${head}=.${body}.${signature}`, 'token_malformed');
    await refused(`${head}.${body}=.${signature}`, 'token_malformed');
    await refused(`${head}.${body}.${signature}=`, 'token_malformed');
    await refused(`${head}.${body}.${signature.slice(0, -2)}`, '(token_malformed|signature_invalid)');
    await refused(`${head}..${signature}`, '(token_malformed|signature_invalid)');
    await refused(`${head}.${body}.`, '(token_malformed|signature_invalid)');
    const other = (await broker.sign({ ...base(), sub: 'bob' })).split('.');
    await refused(`${head}.${other[1]}.${signature}`, 'signature_invalid');
});

test('tokens that are too large', async () => {
    await refused(await broker.sign({ ...base(), x: 'y'.repeat(16384) }), 'token_too_large');
    await refused(await broker.sign({ ...base(), x: 'y'.repeat(45000) }), 'token_too_large');
    await accepted(await broker.sign({ ...base(), x: 'y'.repeat(11000) }));
});

test('a password that is no token is left to the password file', async () => {
    const backend = { url: broker.tcpUrl, username: 'backend', clientId: 'backend' };
    await (await connect({ ...backend, password: 'secret' })).end();
    for (const password of ['wrong', 'a.b', 'a.b.c', 'eyJ4IjoxfQ.e30.AA', '..', 'eyJ.eyJ.x y']) {
        await assert.rejects(connect({ ...backend, password }), (error) => error.code === 5);
    }
    await assert.rejects(connect({ url: broker.tcpUrl, clientId: 'x' }), (error) => error.code === 5);
});

test('such a password may also have two dots', async () => {
    const odd = await startBroker({ users: { backend: 'eyJ4IjoxfQ.e30.AA', other: 'a.b.c' } });
    await (await connect({ url: odd.tcpUrl, username: 'backend', password: 'eyJ4IjoxfQ.e30.AA', clientId: 'b' })).end();
    await (await connect({ url: odd.tcpUrl, username: 'other', password: 'a.b.c', clientId: 'o' })).end();
    await odd.stop();
});

test('anonymous access lets nobody in with a bad token', async () => {
    const open = await startBroker({ allowAnonymous: true });
    const token = await open.sign({ sub: 'anna', sid: 's1', exp: now() - 100 });
    await (await connect({ url: open.tcpUrl, clientId: 'x' })).end();
    for (const password of [token, token.replace(/\./g, '=.')]) {
        await assert.rejects(
            connect({ url: open.tcpUrl, version: 5, token: password, username: 'anna', clientId: 'anna:y' }),
            (error) => error.code === 135);
    }
    await open.stop();
});

test('the log names no token and no session', async () => {
    const token = await broker.sign({ ...base(), sid: 'secret-sid', exp: now() - 1000 });
    await refused(token, 'expired');
    const text = broker.log().join('\n');
    assert.ok(!text.includes(token.split('.')[2]));
    assert.ok(!text.includes('secret-sid'));
});

test('username and client id must be the user\'s', async () => {
    const token = await broker.sign(base());
    await refused(token, 'username_mismatch', { username: 'bob' });
    await refused(token, 'client_id_invalid', { clientId: 'bob:1' });
    await refused(token, 'client_id_invalid', { clientId: 'annabel' });
    await accepted(token, { username: 'anna', clientId: 'anna' });
    await accepted(token, { version: 5, clientId: '' });
    await accepted(token, { version: 4, clientId: '' });
    // MQTT 5 allows a password without a username; MQTT.js does not send one.
    const raw = await rawConnect({ url: broker.tcpUrl, version: 5 });
    raw.send(passwordOnlyConnect(token));
    assert.equal((await raw.next('connack')).reasonCode, 0);
    await broker.waitForLog(/ as anna:raw \(.* u'anna'\)\.$/); // the broker knows it by the token's user
    raw.destroy();
});

test('keepalive and clean session', async () => {
    const token = await broker.sign(base());
    for (const keepalive of [0, 61, 65535]) {
        await refused(token, 'keepalive_too_long', { keepalive });
    }
    await accepted(token, { keepalive: 60 });
    await accepted(token, { version: 5, clean: false, properties: { sessionExpiryInterval: 60 } });
    await assert.rejects(
        connect({ url: broker.tcpUrl, token, clean: false, clientId: 'anna:1' }), (error) => error.code === 5);
    const service = await broker.sign({ ...base(), sub: 'eval', sid: undefined, role: 'service' });
    await accepted(service, { keepalive: 0 });
});

test('a normal login still works after all that', async () => {
    await accepted(await broker.sign(base()));
});
