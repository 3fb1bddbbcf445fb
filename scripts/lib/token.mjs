// SPDX-License-Identifier: Apache-2.0
// token.mjs - signs login tokens with a private key or a secret from a file.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The Node packages of this repository live with the tests.
export const require = createRequire(new URL('../../tests/package.json', import.meta.url));

const CURVES = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/** Reads a PEM private key (RSA, EC), or anything else as an HMAC secret, one trailing newline
 *  dropped as the plugin does. Returns {key, alg}. */
export function readSigner(path) {
    const bytes = readFileSync(path);
    if (!bytes.includes('-----BEGIN')) {
        const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
        return { key: bytes.subarray(0, end), alg: 'HS256' };
    }
    const key = createPrivateKey(bytes);
    const alg = CURVES[key.asymmetricKeyDetails.namedCurve] ?? 'RS256';
    return { key, alg };
}

/** Signs a token; iat, and exp `ttl` seconds after it, are added. */
export function mintToken({ key, alg }, claims, { ttl = 3600, kid } = {}) {
    const { SignJWT } = require('jose');
    const iat = Math.floor(Date.now() / 1000);
    return new SignJWT({ iat, exp: iat + ttl, ...claims })
        .setProtectedHeader({ alg, typ: 'JWT', ...(kid && { kid }) })
        .sign(key);
}
