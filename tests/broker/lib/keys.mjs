// SPDX-License-Identifier: Apache-2.0
// keys.mjs - keys of every type the plugin knows, as files, and tokens signed with them.
import { createHmac, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';

/** Unix seconds, as claims count. */
export function now() {
    return Math.floor(Date.now() / 1000);
}

function jwkOf(key, kid) {
    return { ...key.export({ format: 'jwk' }), kid };
}

/** Makes keys in `dir`. For each of rs, es and hs: `key` signs, `alg` and `kid` go into the header.
 *  The files: rsPem, esPem (public keys), secretFile (raw bytes), jwksFile (all three, with kid). */
export function makeKeys(dir) {
    const rs = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const es = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const secret = randomBytes(64);
    const keys = {
        rs: { alg: 'RS256', kid: 'rs-1', key: rs.privateKey, publicKey: rs.publicKey },
        es: { alg: 'ES256', kid: 'es-1', key: es.privateKey, publicKey: es.publicKey },
        hs: { alg: 'HS256', kid: 'hs-1', key: secret },
        rsPem: join(dir, 'rs.pem'),
        esPem: join(dir, 'es.pem'),
        secretFile: join(dir, 'secret'),
        jwksFile: join(dir, 'jwks.json'),
        jwks: {
            keys: [
                jwkOf(rs.publicKey, 'rs-1'),
                jwkOf(es.publicKey, 'es-1'),
                { kty: 'oct', kid: 'hs-1', k: secret.toString('base64url') },
            ],
        },
    };
    const pem = { type: 'spki', format: 'pem' };
    writeFileSync(keys.rsPem, rs.publicKey.export(pem), { mode: 0o644 });
    writeFileSync(keys.esPem, es.publicKey.export(pem), { mode: 0o644 });
    writeFileSync(keys.secretFile, secret, { mode: 0o640 });
    writeFileSync(keys.jwksFile, JSON.stringify(keys.jwks), { mode: 0o640 });
    return keys;
}

function withoutUndefined(object) {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** Signs `claims`; iat and exp (in an hour) are added. A claim or header member given as undefined
 *  is left out. `signer` is one of makeKeys' rs, es, hs or an object formed like them. */
export function sign(claims, signer, header = {}) {
    const all = withoutUndefined({ iat: now(), exp: now() + 3600, ...claims });
    const { alg, kid, key } = signer;
    const protectedHeader = withoutUndefined({ alg, kid, typ: 'JWT', ...header });
    return new SignJWT(all).setProtectedHeader(protectedHeader).sign(key);
}

function signatureOf(input, { alg, key }) {
    const hash = `sha${alg.slice(2)}`;
    if (alg.startsWith('HS')) {
        return createHmac(hash, key).update(input).digest();
    }
    return createSign(hash).update(input).sign({ key, dsaEncoding: 'ieee-p1363' });
}

/** A token with a true signature over whatever `header` and `payload` say: texts go in byte by
 *  byte (duplicate members, wrong numbers, no JSON at all), objects as JSON. */
export function forge(header, payload, signer) {
    const part = (value) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        return Buffer.from(text).toString('base64url');
    };
    const input = `${part(header)}.${part(payload)}`;
    return `${input}.${signatureOf(input, signer).toString('base64url')}`;
}
