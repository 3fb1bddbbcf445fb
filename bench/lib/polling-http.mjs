// SPDX-License-Identifier: Apache-2.0
// polling-http.mjs - a page that polls: one kept-alive connection, with the bytes that Chromium sends.
import { once } from 'node:events';
import net from 'node:net';

const HOST = 'exam.example.org';
const ORIGIN = `https://${HOST}`;
const PAGE = `${ORIGIN}/users/evaluations/ckz3x1c2v0000abcd/take/3`;
const STATUS = '/api/evaluations/ckz3x1c2v0000abcd/status';

const BROWSER = {
    'User-Agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) '
        + 'Chrome/131.0.0.0 Safari/537.36',
    'Accept-Encoding': 'gzip, deflate, br, zstd',
    'Accept-Language': 'en-GB,en-US;q=0.9,en;q=0.8',
};

// What fetch() adds on the page's own origin.
const FETCH = {
    'sec-ch-ua-platform': '"Windows"',
    'sec-ch-ua': '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    'sec-ch-ua-mobile': '?0',
    Accept: '*/*',
    'Sec-Fetch-Site': 'same-origin',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    Referer: PAGE,
};

/** What Chromium adds to the request that opens a WebSocket, beyond what every client needs. */
export function upgradeHeaders(cookie) {
    return { Host: HOST, Pragma: 'no-cache', 'Cache-Control': 'no-cache', Origin: ORIGIN, ...BROWSER, Cookie: cookie };
}

function requestText(method, path, headers) {
    const all = { Host: HOST, Connection: 'keep-alive', ...BROWSER, ...FETCH, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** The first answer in the bytes of `text`, null while some of it is to come. */
function parseAnswer(text) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) {
        return null;
    }
    const [first, ...lines] = text.slice(0, end).split('\r\n');
    const values = (name) => lines
        .filter((line) => line.toLowerCase().startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2));
    const bodyBytes = Number(values('content-length')[0] ?? 0);
    const bytes = end + 4 + bodyBytes;
    return text.length < bytes ? null : { status: Number(first.split(' ')[1]), values, bytes, bodyBytes };
}

/** A student's page: logs in, then asks for the status. */
export class Page {
    #text = '';
    #waiting = null;
    #request = null;

    static async open(port) {
        const page = new Page();
        page.socket = net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
        page.socket.on('data', (text) => page.#take(text));
        page.socket.on('error', (error) => page.#waiting?.reject(error));
        page.socket.on('close', () => page.#waiting?.reject(new Error('the server has closed the connection')));
        await once(page.socket, 'connect');
        await page.#login();
        return page;
    }

    get isWaiting() {
        return this.#waiting !== null;
    }

    #take(text) {
        this.#text += text;
        const answer = parseAnswer(this.#text);
        if (answer) {
            this.#text = this.#text.slice(answer.bytes);
            this.#waiting.resolve(answer);
            this.#waiting = null;
        }
    }

    #ask(text) {
        return new Promise((resolve, reject) => {
            this.#waiting = { resolve, reject };
            this.socket.write(text, 'latin1');
        });
    }

    async #login() {
        const login = await this.#ask(requestText('POST', '/api/auth/callback/credentials', { 'Content-Length': 0 }));
        this.cookie = login.values('set-cookie').map((line) => line.split(';')[0]).join('; ');
        this.whole = await this.askWhole();
        this.#request = requestText('GET', STATUS, {
            Cookie: this.cookie,
            'If-None-Match': this.whole.values('etag')[0],
        });
    }

    /** As the first time, when nothing is known. */
    askWhole() {
        return this.#ask(requestText('GET', STATUS, { Cookie: this.cookie }));
    }

    /** As each time after that. */
    askAgain() {
        return this.#ask(this.#request);
    }

    close() {
        this.socket.destroy();
    }
}
