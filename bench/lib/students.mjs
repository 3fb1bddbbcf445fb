// SPDX-License-Identifier: Apache-2.0
// students.mjs - who logs in: the files of credentials that the load generator reads, and what the
// servers must know of them.
import { pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sign } from '../../tests/broker/lib/keys.mjs';
import { run } from './process.mjs';

export const EVALUATION = 'e1';
export const ISSUER = 'https://login.example.org';
export const AUDIENCE = 'exams';
export const BACKEND = { name: 'backend', password: 'secret' };

/** PW_DEFAULT_ITERATIONS of Mosquitto 2.0: what mosquitto_passwd and mosquitto_ctrl make. */
export const DYNSEC_ITERATIONS = 101;

const LIFETIME_S = 8 * 3600;
const SIGNERS = { HS256: 'hs', RS256: 'rs', ES256: 'es' };

function claimsOf({ user, session }, now) {
    return {
        iss: ISSUER, aud: AUDIENCE, sub: user, sid: session, auth_time: now - 60, iat: now, exp: now + LIFETIME_S,
        role: 'student', evaluations: [EVALUATION, 'e2'],
    };
}

function dynsecClient(username, password) {
    const salt = randomBytes(12);
    return {
        username,
        password: pbkdf2Sync(password, salt, DYNSEC_ITERATIONS, 64, 'sha512').toString('base64'),
        salt: salt.toString('base64'),
        iterations: DYNSEC_ITERATIONS,
        roles: [{ rolename: username === BACKEND.name ? 'backend' : 'student' }],
    };
}

function dynsecRole(rolename, acls) {
    return { rolename, acls: acls.map(([acltype, topic]) => ({ acltype, topic, allow: true })) };
}

// It knows no %u in topics; so a student may subscribe more than with the others.
const DYNSEC_ROLES = [
    dynsecRole('student', [
        ['subscribePattern', 'users/#'], ['subscribePattern', 'evaluations/#'],
        ['publishClientReceive', 'users/#'], ['publishClientReceive', 'evaluations/#'],
    ]),
    dynsecRole('backend', [['publishClientSend', 'users/#'], ['publishClientSend', 'evaluations/#']]),
];
const DYNSEC_DEFAULTS = { publishClientSend: false, publishClientReceive: false, subscribe: false, unsubscribe: true };

export class Students {
    #all = [];
    #tokens = { HS256: [], RS256: [], ES256: [] };
    #files = new Map();

    constructor(dir, keys) {
        Object.assign(this, { dir, keys, now: Math.floor(Date.now() / 1000) });
    }

    /** The first `count` students; they are the same at each call. */
    list(count) {
        while (this.#all.length < count) {
            const user = randomUUID();
            this.#all.push({
                user, session: randomUUID(), clientId: `${user}:${randomBytes(6).toString('hex')}`,
                password: randomBytes(12).toString('base64url'),
            });
        }
        return this.#all.slice(0, count);
    }

    /** A token of one student, with other claims where given. */
    token(student, algorithm = 'RS256', claims = {}) {
        const signer = { ...this.keys[SIGNERS[algorithm]], kid: undefined };
        return sign({ ...claimsOf(student, this.now), ...claims }, signer);
    }

    async #secrets(kind, count) {
        const students = this.list(count);
        if (kind === 'password') {
            return students.map(({ password }) => password);
        }
        const tokens = this.#tokens[kind];
        const missing = students.slice(tokens.length);
        tokens.push(...await Promise.all(missing.map((student) => this.token(student, kind))));
        return tokens.slice(0, count);
    }

    async #file(name, write) {
        if (!this.#files.has(name)) {
            const path = join(this.dir, name);
            writeFileSync(path, '', { mode: 0o600 });
            await write(path);
            this.#files.set(name, path);
        }
        return this.#files.get(name);
    }

    /** For the load generator: a line for each student, with a token of this algorithm or, for
     *  'password', a password. */
    logins(kind, count) {
        return this.#file(`logins-${kind}-${count}`, async (path) => {
            const secrets = await this.#secrets(kind, count);
            const lines = this.list(count).map(({ clientId, user }, i) => `${clientId}\t${user}\t${secrets[i]}\n`);
            writeFileSync(path, lines.join(''));
        });
    }

    /** For the load generator: the backend, which publishes; with its password, or with a token where
     *  the server knows nothing else. */
    publisher({ hasToken = false } = {}) {
        const { name } = BACKEND;
        return this.#file(hasToken ? 'publisher-token' : 'publisher', async (path) => {
            const claims = { role: 'service', sid: undefined, evaluations: undefined };
            const secret = hasToken ? await this.token({ user: name }, 'RS256', claims) : BACKEND.password;
            writeFileSync(path, `${name}\t${name}\t${secret}\n`);
        });
    }

    /** Mosquitto's password file with the backend and so many students in it. */
    passwordFile(count) {
        return this.#file(`passwd-${count}`, (path) => {
            const lines = this.list(count).map(({ user, password }) => `${user}:${password}\n`);
            writeFileSync(path, [`${BACKEND.name}:${BACKEND.password}\n`, ...lines].join(''));
            run('mosquitto_passwd', ['-U', path]);
        });
    }

    /** The same for the dynamic security plugin; the secrets are of this kind. */
    dynsecFile(kind, count) {
        return this.#file(`dynsec-${kind}-${count}.json`, async (path) => {
            const secrets = await this.#secrets(kind, count);
            const clients = this.list(count).map(({ user }, i) => dynsecClient(user, secrets[i]));
            clients.push(dynsecClient(BACKEND.name, BACKEND.password));
            writeFileSync(path, JSON.stringify({ defaultACLAccess: DYNSEC_DEFAULTS, roles: DYNSEC_ROLES, clients }));
        });
    }
}
