// SPDX-License-Identifier: Apache-2.0
// sessions.mjs - who is signed in, and the tokens that say so to the broker.
import { createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';

const BROWSERS_MAX = 10000;
const SESSIONS_OF_BROWSER_MAX = 20;
const SERVICE_TTL = 3600;
const CURVES = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
const COOKIES = { student: 'exam_student', professor: 'exam_professor' };
const seconds = () => Math.floor(Date.now() / 1000);

/** A PEM private key, RSA or EC, or anything else as a shared secret. */
function readKey(path) {
    const bytes = readFileSync(path);
    if (!bytes.includes('-----BEGIN')) {
        return { key: bytes.subarray(0, bytes.at(-1) === 0x0a ? -1 : undefined), alg: 'HS256' };
    }
    const key = createPrivateKey(bytes);
    return { key, alg: CURVES[key.asymmetricKeyDetails.namedCurve] ?? 'RS256' };
}

function cookiesOf(header = '') {
    const pairs = header.split(';').map((pair) => pair.trim().split('='));
    return Object.fromEntries(pairs.filter(([name]) => name));
}

/** Sessions in memory, and what signs for them. A cookie stands for a browser, and so may hold several
 *  sessions: one tab's second login does not take the other tab's first one away. The session id is in
 *  each token; the cookie is for this server alone. */
export class Sessions {
    #byCookie = new Map();
    #signer;
    #settings;

    constructor({ key, ttl, evaluation, issuer, audience, secure }) {
        this.#signer = readKey(key);
        this.#settings = { ttl, evaluation, issuer, audience, secure };
    }

    #cookie(request, role) {
        return cookiesOf(request.headers.cookie)[COOKIES[role]];
    }

    /** A new session, and a new cookie in place of the one before. Returns the Set-Cookie header. */
    signIn(request, userId, role) {
        const before = this.#cookie(request, role);
        const cookie = randomBytes(24).toString('base64url');
        const session = { userId, role, sid: randomBytes(16).toString('hex'), authTime: seconds() };
        const all = [...(this.#byCookie.get(before) ?? []), session].slice(-SESSIONS_OF_BROWSER_MAX);
        this.#byCookie.delete(before);
        this.#byCookie.set(cookie, all);
        if (this.#byCookie.size > BROWSERS_MAX) {
            this.#byCookie.delete(this.#byCookie.keys().next().value);
        }
        return this.#setCookie(role, cookie);
    }

    /** The session of that browser that is named, or else its newest; undefined for none. */
    find(request, role, sid) {
        const all = this.#byCookie.get(this.#cookie(request, role)) ?? [];
        return sid === undefined ? all.at(-1) : all.find((session) => session.sid === sid);
    }

    /** Forgets the sessions that `isOver`. */
    #forget(isOver) {
        for (const [cookie, all] of this.#byCookie) {
            const rest = all.filter((session) => !isOver(session));
            if (rest.length > 0) {
                this.#byCookie.set(cookie, rest);
            } else {
                this.#byCookie.delete(cookie);
            }
        }
    }

    /** Returns a Set-Cookie header where nobody is signed in in that browser any more. */
    signOut(request, { role, sid }) {
        this.#forget((session) => session.sid === sid);
        return this.#byCookie.has(this.#cookie(request, role)) ? undefined : this.#setCookie(role, '', '; Max-Age=0');
    }

    signOutUser(userId) {
        this.#forget((session) => session.userId === userId);
    }

    #setCookie(role, value, more = '') {
        const secure = this.#settings.secure ? '; Secure' : '';
        return `${COOKIES[role]}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${more}`;
    }

    /** A student's token names no evaluation: the list is what the backend publishes. */
    token({ userId, role, sid, authTime }) {
        const evaluations = role === 'professor' ? [this.#settings.evaluation] : [];
        return this.#sign({ sub: userId, sid, role, auth_time: authTime, evaluations }, this.#settings.ttl);
    }

    serviceToken(sub) {
        return this.#sign({ sub, role: 'service' }, SERVICE_TTL);
    }

    #sign(claims, ttl) {
        const { issuer, audience } = this.#settings;
        const iat = seconds();
        const named = { ...(issuer && { iss: issuer }), ...(audience && { aud: audience }) };
        return new SignJWT({ ...claims, ...named, iat, exp: iat + ttl })
            .setProtectedHeader({ alg: this.#signer.alg, typ: 'JWT' })
            .sign(this.#signer.key);
    }
}
