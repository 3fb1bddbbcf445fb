// SPDX-License-Identifier: Apache-2.0
// fetch-token.ts - how a page gets the token for its next connection.

/** Rejects when nobody is signed in or the application is away: the page then tries again later. */
export async function fetchToken(): Promise<string> {
    const response = await fetch('/api/invigilator/token', { method: 'POST', cache: 'no-store' });
    if (!response.ok) {
        throw new Error(`no token: ${response.status}`);
    }
    const { token }: { token: string } = await response.json();
    return token;
}
