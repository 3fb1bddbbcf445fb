// SPDX-License-Identifier: Apache-2.0
// auth.ts - next-auth's options. The two callbacks are what the broker's tokens need: a value that
// tells one login from the next, and when that login was.
import { randomUUID } from 'node:crypto';
import type { NextAuthOptions } from 'next-auth';
import CredentialsProvider from 'next-auth/providers/credentials';
import { findAccount } from '@/lib/application';

export const authOptions: NextAuthOptions = {
    session: { strategy: 'jwt' },
    providers: [
        CredentialsProvider({
            credentials: { username: { label: 'Name' }, password: { label: 'Password', type: 'password' } },
            authorize: async (given) => (given ? findAccount(given.username, given.password) : null),
        }),
    ],
    callbacks: {
        // `user` is there at the sign-in alone: later calls keep what it set.
        jwt({ token, user }) {
            if (user) {
                token.sid = randomUUID();
                token.authTime = Math.floor(Date.now() / 1000);
            }
            return token;
        },
        session({ session, token }) {
            return {
                ...session,
                user: { id: token.sub ?? '', name: token.name },
                sid: token.sid,
                authTime: token.authTime,
            };
        },
    },
};
