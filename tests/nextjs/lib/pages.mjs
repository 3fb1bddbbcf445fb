// SPDX-License-Identifier: Apache-2.0
// pages.mjs - the example's application and a broker that takes its tokens; who signs in, and what
// for, is up to the test.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker } from '../../broker/lib.mjs';
import { replace } from './app.mjs';
import { Browser } from './browser.mjs';

export const ISSUER = 'https://exam.example';
export const AUDIENCE = 'mqtt';
export const PASSWORD = 'a password';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const participations = new Map();

export { publicKey };
export const privatePem = (type) => privateKey.export({ type, format: 'pem' });

/** Takes the place of lib/application.ts: whoever knows PASSWORD is who they say. */
export function replaceApplication() {
    Object.assign(process.env, {
        INVIGILATOR_PRIVATE_KEY: privatePem('pkcs8'), INVIGILATOR_ISSUER: ISSUER, INVIGILATOR_AUDIENCE: AUDIENCE,
    });
    replace('@/lib/application', {
        findAccount: async (name, password) => (password === PASSWORD ? { id: name, name: `Name of ${name}` } : null),
        participationOf: async (userId) => participations.get(userId),
    });
}

/** A broker with the example's settings. */
export function startBrokerForPages() {
    return startBroker({
        prepare(dir) {
            const file = join(dir, 'pages.pem');
            writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
            return {
                jwt_jwks_file: null, jwt_public_key_file: file, jwt_algorithms: 'ES256',
                jwt_issuer: ISSUER, jwt_audience: AUDIENCE, require_auth_time: 'on',
            };
        },
    });
}

/** A browser in which `user` has just signed in. */
export async function signedIn(user, evaluations = [], role = 'student') {
    participations.set(user, { role, evaluations });
    const browser = new Browser();
    const response = await browser.signIn(user, PASSWORD);
    assert.equal(response.status, 200);
    return browser;
}
