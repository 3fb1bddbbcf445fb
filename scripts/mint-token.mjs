#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// mint-token.mjs - prints a login token, for development and tests. In production the backend signs.
import { parseArgs } from 'node:util';
import { mintToken, readSigner } from './lib/token.mjs';

const USAGE = `usage: mint-token.mjs --key FILE --sub USER [--sid SESSION] [options]

  --key FILE           private key (PEM, RSA or EC) or HMAC secret
  --alg NAME           algorithm, where the key allows several
  --kid ID             key id for the header
  --sub USER           user id
  --sid SESSION        login session id; needed unless the role is service
  --role ROLE          student (default), professor or service
  --evaluations A,B    evaluations the user takes part in or supervises
  --auth-time SECONDS  when the user logged in, in Unix time; default: now
  --iss TEXT  --aud TEXT
  --ttl SECONDS        how long the token lives; default 3600`;

const options = Object.fromEntries(
    ['key', 'alg', 'kid', 'sub', 'sid', 'role', 'evaluations', 'auth-time', 'iss', 'aud', 'ttl'].map(
        (name) => [name, { type: 'string' }]));

function integer(name, text) {
    if (!/^\d{1,10}$/.test(text)) {
        throw new Error(`--${name}: ${text} is no number of seconds`);
    }
    return Number(text);
}

function claimsOf(values) {
    const { sub, sid, role, iss, aud, evaluations } = values;
    const authTime = values['auth-time'] ?? String(Math.floor(Date.now() / 1000));
    const given = { sub, sid, role, iss, aud, evaluations: evaluations?.split(',').filter(Boolean) };
    const claims = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    return { ...claims, auth_time: integer('auth-time', authTime) };
}

async function main() {
    const { values } = parseArgs({ options });
    if (!values.key || !values.sub) {
        throw new Error(USAGE);
    }
    if (!values.sid && values.role !== 'service') {
        throw new Error('--sid is needed, unless --role is service');
    }
    const signer = readSigner(values.key);
    signer.alg = values.alg ?? signer.alg;
    const ttl = integer('ttl', values.ttl ?? '3600');
    console.log(await mintToken(signer, claimsOf(values), { ttl, kid: values.kid }));
}

main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
