// SPDX-License-Identifier: Apache-2.0
// broker.mjs - a Mosquitto with one of several ways to judge logins and deliveries. All else is as in
// mosquitto.conf.example, but for persistence, which would write files while the clock runs.
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, turnAt } from '../../tests/broker/lib/port.mjs';
import { answers, cpuNs, isRunning, residentBytes, run, start } from './process.mjs';
import { AUDIENCE, BACKEND, EVALUATION, ISSUER } from './students.mjs';
import { dynsecPath, MOSQUITTO } from './system.mjs';

export const TOPIC = `evaluations/${EVALUATION}`;

const FILES = 19000;
const BACKEND_ACL = `user ${BACKEND.name}\ntopic readwrite users/#\ntopic readwrite evaluations/#
topic readwrite $CONTROL/invigilator/#\n`;
// "topic" lines without a user hold for those who come without a name alone.
const STUDENT_ACL = 'pattern read evaluations/#\npattern read users/%u/#\n\n';

/* -- Ways to judge: each returns lines for mosquitto.conf -- */

function fileWith(context, name, text) {
    const path = join(context.dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
}

const ALL_COME_IN = ['allow_anonymous true'];

/** Everybody comes in and gets everything. */
export function withNothing() {
    return ALL_COME_IN;
}

/** Everybody comes in; an ACL file says what they get. */
export function withAcl(context) {
    return [...ALL_COME_IN, `acl_file ${fileWith(context, 'acl-students', STUDENT_ACL + BACKEND_ACL)}`];
}

export async function withPasswords(context, users) {
    return ['allow_anonymous false', `password_file ${await context.students.passwordFile(users)}`];
}

export async function withDynsec(context, users, kind) {
    return ['allow_anonymous false', `plugin ${dynsecPath()}`,
        `plugin_opt_config_file ${await context.students.dynsecFile(kind, users)}`];
}

const KEY_OPTIONS = {
    HS256: (keys) => `jwt_secret_file ${keys.secretFile}`,
    RS256: (keys) => `jwt_public_key_file ${keys.rsPem}`,
    ES256: (keys) => `jwt_public_key_file ${keys.esPem}`,
};

export async function withPlugin(context, algorithm, { stateFile } = {}) {
    return [
        'allow_anonymous false',
        `password_file ${await context.students.passwordFile(0)}`,
        `acl_file ${fileWith(context, 'acl-backend', BACKEND_ACL)}`,
        `plugin ${join(context.build, 'mosquitto_invigilator.so')}`,
        `plugin_opt_${KEY_OPTIONS[algorithm](context.keys)}`,
        `plugin_opt_jwt_issuer ${ISSUER}`,
        `plugin_opt_jwt_audience ${AUDIENCE}`,
        ...(stateFile ? [`plugin_opt_state_file ${stateFile}`, 'plugin_opt_state_sync normal'] : []),
    ];
}

/* -- The process -- */

function configText({ tcpPort, wsPort }, lines, { allowsDuplicates = true }) {
    return [
        'user root',
        'per_listener_settings false',
        ...lines,
        `listener ${tcpPort} 127.0.0.1`,
        `listener ${wsPort} 127.0.0.1`,
        'socket_domain ipv4',
        'protocol websockets',
        'websockets_headers_size 16384',
        'persistence false',
        'set_tcp_nodelay true',
        `allow_duplicate_messages ${allowsDuplicates}`,
        'log_dest stdout',
        'log_timestamp false',
        ...['error', 'warning', 'notice', 'information'].map((type) => `log_type ${type}`),
        '',
    ].join('\n');
}

class Broker {
    constructor(dir, tcpPort, wsPort) {
        Object.assign(this, { tcpPort, wsPort, config: join(dir, 'mosquitto.conf'), logFile: join(dir, 'log') });
        this.wsUrl = `ws://127.0.0.1:${wsPort}`;
        this.tcpUrl = `mqtt://127.0.0.1:${tcpPort}`;
    }

    port(transport) {
        return transport === 'ws' ? this.wsPort : this.tcpPort;
    }

    async start() {
        const log = openSync(this.logFile, 'w');
        this.child = start(MOSQUITTO, ['-c', this.config], { stdio: ['ignore', log, log], files: FILES });
        closeSync(log);
        while (!await answers(this.wsPort) || !await answers(this.tcpPort)) {
            if (!isRunning(this.child)) {
                throw new Error(`the broker did not start:\n${readFileSync(this.logFile, 'utf8').slice(-4000)}`);
            }
            await pause(20);
        }
        await turnAt(this.tcpPort);
        return this;
    }

    cpuNs() {
        return cpuNs(this.child.pid);
    }

    residentBytes() {
        const bytes = residentBytes(this.child.pid);
        if (bytes === undefined) {
            throw new Error(`the broker has ended:\n${readFileSync(this.logFile, 'utf8').slice(-4000)}`);
        }
        return bytes;
    }

    /** Publishes as the backend does: retained, QoS 1. */
    publish(topic, payload) {
        run('mosquitto_pub', ['-h', '127.0.0.1', '-p', this.tcpPort, '-u', BACKEND.name, '-P', BACKEND.password,
            '-q', 1, '-r', '-t', topic, '-m', payload]);
    }

    async stop() {
        this.child.kill('SIGTERM');
        const code = await this.child.ended;
        if (code !== 0) {
            throw new Error(`the broker ended with ${code}:\n${readFileSync(this.logFile, 'utf8').slice(-4000)}`);
        }
    }
}

/** Starts a broker with these lines of a way to judge. */
export async function startBroker(context, lines, settings = {}) {
    const tcpPort = await freePort();
    const broker = new Broker(context.dir, tcpPort, await freePort(tcpPort));
    writeFileSync(broker.config, configText(broker, lines, settings), { mode: 0o600 });
    return broker.start();
}

/** A message about the evaluation, as a backend would send it. */
export function updateText(members) {
    return JSON.stringify({ type: 'EVALUATION_UPDATE', evaluationId: EVALUATION, ...members });
}
