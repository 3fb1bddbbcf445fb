// SPDX-License-Identifier: Apache-2.0
// cluster.mjs - brokers that share one server of state, each over a line of its own, and whose messages
// cross by Mosquitto's bridges: all but the first have one to the first.
import assert from 'node:assert/strict';
import { command, connect, patience, startBroker, tryCommand } from '../../broker/lib.mjs';
import { Line, Server } from './server.mjs';

const ACL = ['backend', 'bridge'].map((name) => `
user ${name}
topic readwrite users/#
topic readwrite evaluations/#
topic readwrite $CONTROL/#
topic read $SYS/#
`).join('');

function bridgeLines(name, first) {
    return [
        `connection ${name}`,
        `address 127.0.0.1:${first.tcpPort}`,
        `remote_clientid bridge-${name}`,
        'remote_username bridge',
        'remote_password secret',
        'notifications false',
        'cleansession true',
        'restart_timeout 1',
        'topic evaluations/+ both 1',
        'topic evaluations/+/users/+ both 1',
        'topic evaluations/+/incidents both 1',
        'topic users/# both 1',
    ].join('\n');
}

export const invalidated = (sub, sid, reason) => ({ json }) => json?.type === 'SESSION_INVALIDATED' &&
    json.userId === sub && json.sessionId === sid && json.reason === reason;

export const blockedIn = (e, sub) => ({ json }) => json?.type === 'EVALUATION_UPDATE' && json.evaluationId === e &&
    json.userId === sub && json.access === 'BLOCKED';

export class Cluster {
    brokers = [];
    lines = [];

    /** `count` brokers; `options` are the plugin's. */
    async open(count, options = {}) {
        this.server = await new Server().open();
        for (let i = 0; i < count; i++) {
            const line = await new Line().open(this.server.port);
            this.lines.push(line);
            this.brokers.push(await startBroker({
                users: { backend: 'secret', bridge: 'secret' },
                acl: ACL,
                options: { state_url: line.url, state_timeout: 1000, stats_interval: 1, ...options,
                    ...(i > 0 && { jwt_jwks_file: this.brokers[0].keys.jwksFile }) },
                extraConf: i === 0 ? '' : bridgeLines(`b${i}`, this.brokers[0]),
            }));
        }
        await Promise.all(this.brokers.map((broker) => broker.waitForLog(/share_available/)));
        await Promise.all(this.brokers.slice(1).map((broker, i) => this.brokers[0].waitForLog(
            new RegExp(`New (client|bridge) connected from .* as bridge-b${i + 1} `))));
        return this;
    }

    /** Connects to one of the brokers, over WebSockets, with a token of these claims. */
    async login(broker, claims, options = {}) {
        return connect({ url: broker.wsUrl, token: await this.brokers[0].sign(claims), ...options });
    }

    /** Resolves when a broker, which `client` may give commands, knows something of a user. */
    async #knows(client, userId, isWanted) {
        const end = Date.now() + patience(10000);
        for (;;) {
            const user = await command(client, 'getUser', { userId }).catch(() => undefined);
            if (user && isWanted(user)) {
                return;
            }
            assert.ok(Date.now() < end, `in vain: ${JSON.stringify(user)}`);
        }
    }

    isKnown(client, userId, sessionId) {
        return this.#knows(client, userId, ({ sessions }) => sessions.some((each) => each.sessionId === sessionId));
    }

    isBound(client, userId, sessionId) {
        return this.#knows(client, userId, ({ bindings }) => bindings.some((each) => each.sessionId === sessionId));
    }

    isBlocked(client, userId, evaluationId) {
        return this.#knows(client, userId, ({ blocks }) => blocks.some((each) => each.evaluationId === evaluationId));
    }

    async hasPhase(client, evaluationId, phase) {
        const end = Date.now() + patience(10000);
        for (;;) {
            const { data } = await tryCommand(client, 'getEvaluation', { evaluationId });
            if (data?.phase === phase) {
                return;
            }
            assert.ok(Date.now() < end, `in vain: ${JSON.stringify(data)}`);
        }
    }

    async close() {
        const ends = await Promise.allSettled(this.brokers.map((broker) => broker.stop()));
        this.lines.forEach((line) => line.close());
        await this.server.kill();
        const failed = ends.find(({ status }) => status === 'rejected');
        if (failed) {
            throw failed.reason;
        }
    }
}
