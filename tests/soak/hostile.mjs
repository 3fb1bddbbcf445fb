// SPDX-License-Identifier: Apache-2.0
// hostile.mjs - passwords that must not let anybody in, whoever shows them.
import { createHmac } from 'node:crypto';
import { forge, now, sign } from '../broker/lib/keys.mjs';

const b64 = (text) => Buffer.from(text).toString('base64url');

function flipped(token) {
    const at = token.length - 20;
    return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

// A public key is no secret: whoever has it can make this.
function confused(keys, claims) {
    const pem = keys.rs.publicKey.export({ type: 'spki', format: 'pem' });
    const input = `${b64('{"alg":"HS256","kid":"rs-1"}')}.${b64(JSON.stringify(claims))}`;
    return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
}

function twice(keys, claims) {
    const text = JSON.stringify({ ...claims, iat: now(), exp: now() + 3600 });
    return forge({ alg: 'HS256', kid: 'hs-1' }, `${text.slice(0, -1)},"sid":"other"}`, keys.hs);
}

/** Kind of wrong: (keys, true claims) => password. */
export const HOSTILE = {
    'bad signature': async (keys, claims) => flipped(await sign(claims, keys.es)),
    'expired': (keys, claims) => sign({ ...claims, iat: now() - 100, exp: now() - 2 }, keys.hs),
    'not yet': (keys, claims) => sign({ ...claims, nbf: now() + 1000 }, keys.hs),
    'from the future': (keys, claims) => sign({ ...claims, iat: now() + 1000 }, keys.hs),
    'later login than now': (keys, claims) => sign({ ...claims, auth_time: now() + 1000 }, keys.hs),
    'issuer': (keys, claims) => sign({ ...claims, iss: 'soak2' }, keys.hs),
    'audience': (keys, claims) => sign({ ...claims, aud: ['student'] }, keys.hs),
    'role': (keys, claims) => sign({ ...claims, role: 'admin' }, keys.hs),
    'no session': (keys, claims) => sign({ ...claims, sid: undefined }, keys.hs),
    'other user': (keys, claims) => sign({ ...claims, sub: `${claims.sub}x` }, keys.hs),
    'topic in the user': (keys, claims) => sign({ ...claims, sub: `${claims.sub}/#` }, keys.hs),
    'oversized': (keys, claims) => sign({ ...claims, pad: 'x'.repeat(9000) }, keys.hs),
    'member twice': twice,
    'none': (keys, claims) => `${b64('{"alg":"none"}')}.${b64(JSON.stringify(claims))}.`,
    'public key as secret': confused,
    'unknown key': (keys, claims) => sign(claims, { ...keys.hs, kid: 'hs-2' }),
    'garbage like a token': () => `${b64('{"alg":"HS256"}')}.${b64('\x00\xff\xfe')}.AAAA`,
    'garbage': () => 'correct horse battery staple',
};
