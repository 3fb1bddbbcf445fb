// SPDX-License-Identifier: Apache-2.0
// next-auth.d.ts - what lib/auth.ts adds to next-auth's session and to its JWT.
import 'next-auth';
import 'next-auth/jwt';

declare module 'next-auth' {
    interface Session {
        user: { id: string; name?: string | null };
        /** One value a login. Absent where the login is from before this was added. */
        sid?: string;
        /** When the user logged in, in Unix seconds. */
        authTime?: number;
    }
}

declare module 'next-auth/jwt' {
    interface JWT {
        sid?: string;
        authTime?: number;
    }
}
