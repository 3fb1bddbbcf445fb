// SPDX-License-Identifier: Apache-2.0
// browser.mjs - a browser as the application's routes see one: it keeps cookies, and signs in. The
// routes are next-auth's and the example's own; only Next's request scope is made here.
import { AsyncLocalStorage } from 'node:async_hooks';
import { load, replace, require } from './app.mjs';

const ORIGIN = 'http://localhost:3000';
const { splitCookiesString } = require('next/dist/server/web/utils');
const scope = new AsyncLocalStorage(); // the request that is being answered

Object.assign(process.env, { NEXTAUTH_URL: ORIGIN, NEXTAUTH_SECRET: 'only for tests' });
replace('next/headers', {
    headers: async () => scope.getStore().headers,
    cookies: async () => scope.getStore().cookies,
});

export class Browser {
    cookies = new Map();

    /** A request to a route handler, as Next would call it. Resolves to the Response. */
    async request(handler, path, { params, ...init } = {}) {
        const { NextRequest } = require('next/server');
        const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const request = new NextRequest(`${ORIGIN}${path}`, { ...init, headers: { ...init.headers, cookie } });
        const response = await scope.run(request, () => handler(request, { params: Promise.resolve(params ?? {}) }));
        // Not getSetCookie(), which Debian's Node 18 has not.
        for (const line of splitCookiesString(response.headers.get('set-cookie') ?? '')) {
            const [pair] = line.split(';');
            const end = pair.indexOf('=');
            this.cookies.set(pair.slice(0, end), pair.slice(end + 1));
        }
        return response;
    }

    /** A request to one of next-auth's own routes, below /api/auth. */
    auth(path, init = {}) {
        const { GET, POST } = load('@/app/api/auth/[...nextauth]/route');
        const handler = init.method === 'POST' ? POST : GET;
        return this.request(handler, `/api/auth/${path}`, { params: { nextauth: path.split('/') }, ...init });
    }

    /** Signs in as the sign-in page does. Resolves to the Response. */
    async signIn(username, password) {
        const { csrfToken } = await (await this.auth('csrf')).json();
        return this.auth('callback/credentials', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ csrfToken, username, password, json: 'true' }),
        });
    }

    /** Asks for a token of the broker. Resolves to the Response. */
    askToken() {
        return this.request(load('@/app/api/invigilator/token/route').POST, '/api/invigilator/token', { method: 'POST' });
    }

    async token() {
        return (await (await this.askToken()).json()).token;
    }
}
