// SPDX-License-Identifier: Apache-2.0
// token.mjs - checks tokens by jose, with a key that is read and imported once.
//
// jose 5 and not 6: on Node 20 its checks go through node:crypto and not through WebCrypto, which is
// the cheaper of the two by far for HS256. The rivals get the better one.
import { readFileSync } from 'node:fs';
import { importSPKI, jwtVerify } from 'jose';

const ALGORITHMS = ['HS256', 'RS256', 'ES256'];

function importKey(file, algorithm) {
    const bytes = readFileSync(file);
    if (algorithm !== 'HS256') {
        return importSPKI(bytes.toString(), algorithm);
    }
    // A shared secret is raw bytes, and one newline at the end is none of it.
    return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

function isId(value) {
    return typeof value === 'string' && value !== '' && !/[/+#\0]/.test(value);
}

/** Resolves to a function that resolves to what a token grants, and rejects for a bad one. */
export async function tokenVerifier({ key: file, algorithm }) {
    if (!ALGORITHMS.includes(algorithm)) {
        throw new Error(`--algorithm is one of ${ALGORITHMS}`);
    }
    const key = await importKey(file, algorithm);
    const options = { algorithms: [algorithm], clockTolerance: 30, requiredClaims: ['sub', 'exp'] };
    return async (token) => {
        const { payload } = await jwtVerify(token, key, options);
        const { sub, sid, exp, role = 'student', evaluations = [] } = payload;
        const isService = [role].flat().includes('service');
        if (!isId(sub) || !(isService || isId(sid)) || !Array.isArray(evaluations) || !evaluations.every(isId)) {
            throw new Error('the claims are not what they should be');
        }
        return { user: sub, sid, isService, evaluations, endsAt: exp * 1000 };
    };
}
