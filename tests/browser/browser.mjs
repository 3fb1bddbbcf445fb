// SPDX-License-Identifier: Apache-2.0
// browser.mjs - Debian's Chromium, without a window: pages of students and of the professor, each in a
// context of its own as in a browser of its own.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.INVIG_CHROMIUM ?? '/usr/bin/chromium';
const SCREENSHOTS = process.env.INVIG_SCREENSHOTS;
const PATIENCE_MS = 30000;
const PHONE = { width: 390, height: 760 };
const DESK = { width: 1000, height: 760 };

/** Starts it. Root's browser has no sandbox to be in. */
export function startBrowser() {
    return chromium.launch({
        executablePath: CHROMIUM, chromiumSandbox: process.getuid() !== 0, args: ['--disable-dev-shm-usage'],
    });
}

/** A page with what a test asks of it. Everything that goes wrong in it fails the test at its end. */
export class Page {
    static async open(browser, url, viewport) {
        const context = await browser.newContext({ viewport });
        const page = await context.newPage();
        return new Page(page, url, context);
    }

    constructor(page, url, context) {
        Object.assign(this, { page, url, context, errors: [], requests: [] });
        page.setDefaultTimeout(PATIENCE_MS);
        page.on('pageerror', (error) => this.errors.push(error.message));
        page.on('request', (request) => this.requests.push(request.url()));
    }

    get(name) {
        return this.page.getByTestId(name);
    }

    /** Waits for attributes of the body: {state, online}. */
    async is(wanted) {
        const selector = Object.entries(wanted).map(([name, value]) => `[data-${name}="${value}"]`).join('');
        await this.page.waitForSelector(`body${selector}`, { state: 'attached' }).catch(async (error) => {
            const now = await this.page.evaluate(() => ({ ...document.body.dataset }));
            throw new Error(`waited for ${selector}, and it is ${JSON.stringify(now)}`, { cause: error });
        });
    }

    async says(name, pattern) {
        await this.page.waitForFunction(([testId, source]) => {
            const node = document.querySelector(`[data-testid="${testId}"]`);
            return node && !node.hidden && new RegExp(source).test(node.textContent);
        }, [name, pattern.source]);
    }

    /** Writes what the page looks like to the build folder. */
    async shoot(name) {
        if (SCREENSHOTS) {
            mkdirSync(SCREENSHOTS, { recursive: true });
            await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
        }
    }

    async close() {
        assert.deepEqual(this.errors, []);
        await this.context.close();
    }
}

/** A student who has signed in, in a browser of the own; or one who is turned away and never online. */
export async function signIn(browser, server, name, { isTurnedAway = false } = {}) {
    const student = await Page.open(browser, server.url, PHONE);
    await student.page.goto(`${server.url}/`);
    await student.is({ state: 'signin' });
    await student.get('name').fill(name);
    await student.page.keyboard.press('Enter'); // by keyboard alone
    await student.is(isTurnedAway ? { state: 'blocked' } : { online: true });
    return student;
}

export async function openProfessor(browser, server) {
    const professor = await Page.open(browser, server.url, DESK);
    await professor.page.goto(`${server.url}/professor`);
    await professor.get('signin').click();
    await professor.is({ state: 'signedin', online: true });
    return professor;
}
