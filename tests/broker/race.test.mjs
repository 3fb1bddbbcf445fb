// SPDX-License-Identifier: Apache-2.0
// race.test.mjs - things that happen at once: logins, disconnects and notices that cross each other. Where
// the order matters, the broker is stopped until all of it lies ready.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import {
    backend, command, expectInvalidated, expectTurnedAway, login, newId, professor, setPhase, startBroker,
    startExam,
} from './lib.mjs';
import { kickedLine } from './lib/logline.mjs';
import {
    clientIdsOf, connectPacketOf, enterRawAt, expectAlive, expectNotice, openRawAt,
} from './lib/rawlogin.mjs';
import { inOneTurn } from './lib/turn.mjs';

const LIMIT = 4;
let broker;
let publisher;

before(async () => {
    broker = await startBroker({
        options: { jwt_leeway: '0', expiry_notice: '0', max_connections_per_session: `${LIMIT}` },
    });
    publisher = await backend(broker);
});
after(async () => {
    await publisher.end();
    await broker.stop();
});

const connectPacket = (...args) => connectPacketOf(broker, ...args);
const openRaw = (...args) => openRawAt(broker, ...args);
const enterRaw = (...args) => enterRawAt(broker, ...args);
const connectionsOf = (user) => clientIdsOf(publisher, user);
const eventsOf = (from, regex) => broker.log().slice(from).filter((line) => regex.test(line));
const kickedSince = (from) => eventsOf(from, kickedLine()).map((line) => line.match(kickedLine())[1]);

// -- One client id ----------------------------------------------------------------------------------

for (const transport of ['tcp', 'ws']) {
    for (const version of [4, 5]) {
        test(`the same client id, taken over again and again within a session: ${transport}, v${version}`, async () => {
            const user = newId('student');
            const options = { url: broker[`${transport}Url`], version, clientId: `${user}:page` };
            let page = await login(broker, { sub: user, sid: 's1' }, options);
            for (let i = 0; i < 2 * LIMIT; i++) {
                const next = await login(broker, { sub: user, sid: 's1' }, options);
                assert.equal(await page.closed, version === 5 ? 0x8e : undefined);
                assert.equal(page.messages.length, 0);
                assert.deepEqual(await connectionsOf(user), [options.clientId]);
                page = next;
            }
            // The last one has all of its rights, and so has a second tab.
            const tab = await login(broker, { sub: user, sid: 's1' }, { ...options, clientId: `${user}:tab` });
            assert.deepEqual(await page.subscribe([`users/${user}`]), [1]);
            await publisher.publish(`users/${user}`, '{"n":1}');
            assert.equal((await page.nextMessage(`users/${user}`)).json.n, 1);
            assert.deepEqual(await connectionsOf(user), [`${user}:page`, `${user}:tab`]);
            await Promise.all([page.end(), tab.end()]);
        });
    }
}

// -- Notices that are not sent yet ------------------------------------------------------------------

for (const transport of ['tcp', 'ws']) {
    for (const version of [4, 5]) {
        test(`a login while the notice of the supersession before it waits: ${transport}, v${version}`, async () => {
            const user = newId('student');
            const sids = ['s1', 's2', 's3', 's4'];
            const raws = [];
            const packets = [];
            for (const sid of sids) {
                raws.push(await openRaw(transport, version));
                packets.push(await connectPacket(user, sid, { version, clientId: `${user}:${sid}` }));
            }
            const from = broker.log().length;
            await inOneTurn(broker, async () => {
                for (const [i, raw] of raws.entries()) {
                    await raw.send(packets[i]);
                }
            });
            await Promise.all(raws.map((raw) => raw.next('connack')));
            // Among WebSockets, libwebsockets chooses whose turn it is: the log tells.
            const accepted = eventsOf(from, /^invigilator: accepted /).map((line) => line.match(/:(s\d)/)[1]);
            assert.deepEqual([...accepted].sort(), sids);
            const newest = sids.indexOf(accepted.at(-1));
            for (const [i, raw] of raws.entries()) {
                if (i !== newest) {
                    await expectNotice(raw, user, sids[i]);
                }
            }
            await expectAlive(raws[newest]);
            assert.deepEqual(await connectionsOf(user), [`${user}:${sids[newest]}`]);
            assert.equal(eventsOf(from, new RegExp(`^invigilator: superseded user=${user} connections=1$`)).length, 3);
            raws[newest].send({ cmd: 'disconnect' });
        });
    }
}

for (const version of [4, 5]) {
    test(`a third login under the first one's client id while that one's notice waits, v${version}`, async () => {
        const user = newId('student');
        const id = `${user}:page`;
        const first = await enterRaw('tcp', await connectPacket(user, 's1', { version, clientId: id }));
        const [second, third] = [await openRaw('tcp', version), await openRaw('tcp', version)];
        const packets = [await connectPacket(user, 's2', { version }), await connectPacket(user, 's3', { version, clientId: id })];
        await inOneTurn(broker, async () => {
            await second.send(packets[0]);
            await third.send(packets[1]);
        });
        await Promise.all([second.next('connack'), third.next('connack')]);
        await first.closed; // by MQTT itself
        assert.deepEqual(first.packets.slice(1).map(({ cmd, reasonCode }) => [cmd, reasonCode]),
            version === 5 ? [['disconnect', 0x8e]] : []);
        await expectNotice(second, user, 's2');
        // Two of this user's notices were queued, and a disconnect was due: none of it hit the newcomer.
        await expectAlive(third);
        assert.deepEqual(await connectionsOf(user), [id]);
        await third.send({ cmd: 'disconnect' });
    });
}

// -- Disconnects of those who leave -----------------------------------------------------------------

const WAYS = {
    'a DISCONNECT': (raw) => raw.send({ cmd: 'disconnect' }),
    'a FIN': (raw) => raw.end(),
    'a reset': (raw) => raw.reset(),
    'a protocol error': (raw) => raw.send(Buffer.from([0xf0, 0x00, 0x00])),
};

// The session's last connection stays until it is disconnected: by then all the others were due too.
async function superseded(user, version) {
    const old = [];
    for (const way of [...Object.keys(WAYS).slice(0, LIMIT - 1), undefined]) {
        const packet = await connectPacket(user, 's1', { version, clientId: `${user}:${old.length}` });
        old.push({ way, raw: await enterRaw('tcp', packet), clientId: packet.clientId });
    }
    const second = await enterRaw('tcp', await connectPacket(user, 's2', { version, clientId: `${user}:new` }));
    for (const { raw } of old) {
        await raw.next('publish');
    }
    return { leavers: old.slice(0, -1), stayer: old.at(-1), second };
}

for (const version of [4, 5]) {
    test(`a client that leaves after its notice: nobody gets the disconnect in its place, v${version}`, async () => {
        const user = newId('student');
        const { leavers, stayer, second } = await superseded(user, version);
        const from = broker.log().length;
        const newcomers = [];
        for (const { way, raw, clientId } of leavers) {
            WAYS[way](raw);
            await raw.closed;
            newcomers.push(await enterRaw('tcp', await connectPacket(user, 's2', { version, clientId })));
        }
        await stayer.raw.closed;
        for (const raw of [...newcomers, second]) {
            await expectAlive(raw);
        }
        assert.deepEqual(kickedSince(from), [stayer.clientId]);
        assert.equal((await connectionsOf(user)).length, LIMIT);
        [...newcomers, second].forEach((raw) => raw.send({ cmd: 'disconnect' }));
    });

    test(`a client that leaves in the turn in which its disconnect is due, v${version}`, async () => {
        const user = newId('student');
        const { leavers, stayer, second } = await superseded(user, version);
        const packets = [];
        const newcomers = [];
        for (const { clientId } of leavers) {
            newcomers.push(await openRaw('tcp', version));
            packets.push(await connectPacket(user, 's2', { version, clientId }));
        }
        const from = broker.log().length;
        await inOneTurn(broker, async () => {
            await sleep(1200); // a disconnect is due a second after its notice: that is what makes the race
            for (const [i, { way, raw }] of leavers.entries()) {
                await WAYS[way](raw);
                await newcomers[i].send(packets[i]);
            }
        });
        for (const raw of newcomers) {
            assert.equal((await raw.next('connack')).cmd, 'connack');
        }
        await Promise.all([...leavers, stayer].map(({ raw }) => raw.closed));
        for (const raw of [...newcomers, second]) {
            await expectAlive(raw);
        }
        // Whether a leaver was faster than its disconnect is the broker's choice; no id gets two.
        const kicked = kickedSince(from);
        assert.equal(new Set(kicked).size, kicked.length);
        assert.ok(kicked.includes(stayer.clientId));
        assert.equal((await connectionsOf(user)).length, LIMIT);
        [...newcomers, second].forEach((raw) => raw.send({ cmd: 'disconnect' }));
    });
}

test('a client that the command disconnects while it leaves', async () => {
    const user = newId('student');
    for (const way of Object.keys(WAYS)) {
        const page = await enterRaw('tcp', await connectPacket(user, way.replace(/\W/g, '')));
        const own = await login(broker, { sub: newId('student'), sid: 'x' }, { url: broker.tcpUrl });
        const answer = inOneTurn(broker, async () => {
            const done = command(publisher, 'invalidateUser', { userId: user });
            await new Promise(setImmediate); // it is on its way before the page leaves
            await WAYS[way](page);
            return { done };
        });
        await (await answer).done;
        await page.closed;
        assert.deepEqual(await connectionsOf(user), []);
        await own.ping();
        await own.end();
    }
});

// -- Logins that the plugin lets in and the broker does not -------------------------------------------

for (const transport of ['tcp', 'ws']) {
    test(`a login that the broker refuses after the plugin has let it in: max_keepalive, ${transport}`, async () => {
        const own = await startBroker({
            extraConf: 'max_keepalive 30', options: { max_connections_per_session: `${LIMIT}` },
        });
        const service = await backend(own, { keepalive: 20 });
        const options = { url: own[`${transport}Url`], keepalive: 20 };
        const prof = await professor(own, ['exam'], options);
        const user = newId('student');
        const enter = (sid, more) => login(own, { sub: user, sid, evaluations: ['exam'] }, { ...options, ...more });
        const sessions = async () => (await command(service, 'getUser', { userId: user })).sessions
            .map(({ sessionId, current, connections }) => [sessionId, current, connections.map(({ clientId }) => clientId)]);
        const nextPresence = async () => (await prof.nextMessage(`evaluations/exam/presence/${user}`)).json;
        await prof.subscribe(['evaluations/exam/presence/+']);
        await setPhase(service, 'exam', 'REGISTRATION');

        const page = await enter('s1', { clientId: `${user}:page` });
        assert.equal((await nextPresence()).online, true);
        // More often than a session may have connections: none of them stays counted.
        for (let i = 0; i <= LIMIT; i++) {
            await assert.rejects(enter('s2', { keepalive: 50 }), (error) => error.code === 2);
        }
        await expectInvalidated(page, user, 's1', 'SUPERSEDED');
        assert.equal((await nextPresence()).online, false);
        assert.deepEqual(await sessions(), [['s2', true, []]]);

        const tab = await enter('s2', { clientId: `${user}:tab` });
        assert.deepEqual(await tab.subscribe([`users/${user}`]), [1]);
        const strict = await enter('s2', { clientId: `${user}:v5`, version: 5, keepalive: 50 });
        assert.equal(strict.connack.properties.serverKeepAlive, 30); // MQTT 5 has a better answer
        // MQTT has thrown the tab out by the time the broker refuses: nothing of either is left.
        await assert.rejects(enter('s2', { clientId: `${user}:tab`, keepalive: 50 }), (error) => error.code === 2);
        await tab.closed;
        assert.deepEqual(await sessions(), [['s2', true, [`${user}:v5`]]]);
        await Promise.all([strict, prof, service].map((client) => client.end()));
        await own.stop();
    });

    test(`a login that ends by a protocol error right after it was let in: ${transport}`, async () => {
        const user = newId('student');
        const page = await login(broker, { sub: user, sid: 's1' }, { url: broker[`${transport}Url`] });
        const rows = [
            ['a second CONNECT', async (raw, packet) => raw.send(packet)],
            ['a packet of no type', async (raw) => raw.send(Buffer.from([0x00, 0x00]))],
            ['a CONNACK from a client', async (raw) => raw.send(Buffer.from([0x20, 0x02, 0x00, 0x00]))],
        ];
        for (const version of [4, 5]) {
            for (const [name, offend] of rows) {
                const raw = await openRaw(transport, version);
                const packet = await connectPacket(user, 's1', { version });
                await inOneTurn(broker, async () => {
                    await raw.send(packet);
                    await offend(raw, packet);
                });
                await raw.closed;
                assert.deepEqual(await connectionsOf(user), [page.clientId], name);
            }
        }
        // MQTT 5: a client that takes no packet as long as the CONNACK.
        const deaf = await openRaw(transport, 5);
        await deaf.send(await connectPacket(user, 's1', { version: 5, properties: { maximumPacketSize: 2 } }));
        await deaf.closed;
        assert.deepEqual(await connectionsOf(user), [page.clientId]);
        await page.ping();
        assert.ok(page.isOpen);
        await page.end();
    });
}

// -- Connections that break -----------------------------------------------------------------------------

/** A strict exam whose page loses its connection; and what must be true after that. */
async function expectBindingHolds(it, prof) {
    const { json } = await prof.nextMessage((each) => each.topic.endsWith(`/presence/${it.user}`) && each.json.online === false);
    assert.equal(json.connections, 0);
    assert.deepEqual(await connectionsOf(it.user), []);
    await expectTurnedAway(await it.enter(2), it.e, it.user);
    const back = await it.enter(1);
    assert.equal((await prof.nextMessage((each) => each.topic.endsWith(`/presence/${it.user}`) && each.json.online)).json.connections, 1);
    const { bindings } = await command(publisher, 'getUser', { userId: it.user });
    assert.deepEqual(bindings, [{ evaluationId: it.e, sessionId: it.sid(1) }]);
    await back.end();
}

for (const transport of ['tcp', 'ws']) {
    for (const version of [4, 5]) {
        test(`a connection that is reset counts as gone at once, and stays bound: ${transport}, v${version}`, async () => {
            const e = newId('exam');
            const prof = await professor(broker, [e]);
            await prof.subscribe([`evaluations/${e}/presence/+`]);
            let ws;
            const keep = (url, protocols, options) => (ws = new WebSocket(url, protocols, options.wsOptions));
            const it = await startExam(broker, publisher, e, {
                url: broker[`${transport}Url`], version, ...(transport === 'ws' ? { createWebsocket: keep } : {}),
            });
            (transport === 'ws' ? ws._socket : it.page.client.stream).resetAndDestroy();
            await expectBindingHolds(it, prof);
            await prof.end();
        });
    }

    test(`a connection that falls silent is gone after its keepalive, and stays bound: ${transport}`, async () => {
        const e = newId('exam');
        const prof = await professor(broker, [e]);
        await prof.subscribe([`evaluations/${e}/presence/+`]);
        const it = await startExam(broker, publisher, e);
        await it.page.end();
        await prof.nextMessage((each) => each.topic.endsWith(`/presence/${it.user}`) && !each.json.online);
        const silent = await enterRaw(transport, await connectPacket(it.user, it.sid(1), { keepalive: 1 }));
        await prof.nextMessage((each) => each.topic.endsWith(`/presence/${it.user}`) && each.json.online);
        await silent.closed; // it sends no PINGREQ
        await expectBindingHolds(it, prof);
        await prof.end();
    });
}
