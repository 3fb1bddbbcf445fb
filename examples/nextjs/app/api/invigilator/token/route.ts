// SPDX-License-Identifier: Apache-2.0
// route.ts - POST /api/invigilator/token: a token for the broker, from the login that the cookie of
// the request stands for. Answers {"token": "..."}, or 401 without a login.
import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { getServerSession, type Session } from 'next-auth';
import { participationOf } from '@/lib/application';
import { authOptions } from '@/lib/auth';

export const runtime = 'nodejs'; // the Edge runtime has no createPrivateKey

const LIFETIME_S = 5 * 60; // the page comes for the next one before that
const NOT_CACHED = { 'Cache-Control': 'no-store' };

function setting(name: string): string {
    const value = process.env[name];
    if (!value) {
        throw new Error(`${name} is not set`);
    }
    return value;
}

function signingKey() {
    // Some places that keep settings take one line only.
    return createPrivateKey(setting('INVIGILATOR_PRIVATE_KEY').replaceAll('\\n', '\n'));
}

async function makeToken(userId: string, sid: string, authTime: number): Promise<string> {
    const { role, evaluations } = await participationOf(userId);
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ sid, auth_time: authTime, role, evaluations })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
        .setSubject(userId)
        .setIssuer(setting('INVIGILATOR_ISSUER'))
        .setAudience(setting('INVIGILATOR_AUDIENCE'))
        .setIssuedAt(now)
        .setExpirationTime(now + LIFETIME_S)
        .sign(signingKey());
}

export async function POST(): Promise<Response> {
    const session: Session | null = await getServerSession(authOptions);
    // A login from before lib/auth.ts set sid and authTime has to be made again.
    if (!session?.user.id || !session.sid || !session.authTime) {
        return Response.json({ error: 'not signed in' }, { status: 401, headers: NOT_CACHED });
    }
    const token = await makeToken(session.user.id, session.sid, session.authTime);
    return Response.json({ token }, { headers: NOT_CACHED });
}
