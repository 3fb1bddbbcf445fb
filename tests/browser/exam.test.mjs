// SPDX-License-Identifier: Apache-2.0
// exam.test.mjs - an exam as people see it: the demo's pages in Chromium, with a real broker and the
// demo's backend. Screenshots go to INVIG_SCREENSHOTS.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startBroker } from '../broker/lib.mjs';
import { crash, startWithState } from '../broker/lib/state.mjs';
import { openLine } from '../demo/lib/page.mjs';
import { startServer } from '../demo/lib/server.mjs';
import { openProfessor, signIn, startBrowser } from './browser.mjs';

let browser;
let broker;
let line; // between the pages and the broker
let server;
let professor;

before(async () => {
    browser = await startBrowser();
    broker = await startWithState();
    line = await openLine(broker.wsPort);
    server = await startServer(broker, {
        args: ['--ws', line.url, '--keepalive', '4', '--blocked-retry', '1', '--students', 'anna,ben,carla,dora,emil'],
    });
    professor = await openProfessor(browser, server);
});
after(async () => {
    await professor.close();
    await browser.close();
    await server.stop();
    line.close();
    await broker.stop();
});

async function setPhase(phase) {
    await professor.get(`phase-${phase}`).click();
    await professor.says('phase', new RegExp(`^${phase}$`));
}

// Each story begins in the waiting room.
beforeEach(() => setPhase('REGISTRATION'));

const secondsOf = (clock) => clock.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);

async function secondsLeft(student) {
    return secondsOf(await student.get('countdown').textContent());
}

test('waiting, begin, more time for all and for one, end', async () => {
    const anna = await signIn(browser, server, 'anna');
    await anna.is({ state: 'waiting', online: true });
    await anna.shoot('student-waiting');
    await professor.says('presence-anna', /^online/);
    await setPhase('IN_PROGRESS');
    await anna.is({ state: 'running' });
    await anna.says('countdown', /^(1:00:00|0:59:\d\d)$/);
    const asked = anna.requests.length;
    await anna.shoot('student-running');

    await professor.get('minutes').fill('10');
    await professor.get('extend').click();
    await anna.says('countdown', /^1:(10:00|09:\d\d)$/);
    await professor.get('extend-anna').click();
    await anna.says('countdown', /^1:(20:00|19:\d\d)$/);
    await anna.says('own-end', /own time/);
    await professor.says('access-anna', /own end/);
    assert.ok(await secondsLeft(anna) > 4700);
    assert.equal(anna.requests.length, asked, 'the page asked for something'); // it is told everything

    await setPhase('GRADING');
    await anna.is({ state: 'ended' });
    await anna.shoot('student-ended');
    await anna.close();
});

test('off the list and on it again, and one who was never on it', async () => {
    const ben = await signIn(browser, server, 'ben');
    await ben.is({ state: 'waiting' });
    await professor.get('remove-ben').click();
    await ben.is({ state: 'denied' });
    await ben.shoot('student-denied');
    await setPhase('IN_PROGRESS');
    await ben.is({ state: 'denied', online: true });
    await professor.get('add-ben').click();
    await ben.is({ state: 'running' });
    const zoe = await signIn(browser, server, 'zoë');
    await zoe.is({ state: 'denied' });
    await professor.get('add-name').fill('zoë');
    await professor.page.keyboard.press('Enter');
    await zoe.is({ state: 'running' });
    await Promise.all([ben, zoe].map((page) => page.close()));
});

test('a second login outside an exam: the newest wins, and the first page says so', async () => {
    const first = await signIn(browser, server, 'carla');
    await first.is({ state: 'waiting' });
    const second = await signIn(browser, server, 'carla');
    await first.is({ state: 'elsewhere', online: false });
    await first.says('elsewhere-text', /another page or device/);
    await first.shoot('student-elsewhere');
    await second.is({ state: 'waiting', online: true });
    // The way back, by keyboard, ends the second one.
    await first.get('again').press('Enter');
    await first.is({ state: 'signin' });
    assert.equal(await first.get('name').inputValue(), 'carla'); // as before, and it has the focus
    await first.page.keyboard.press('Enter');
    await first.is({ state: 'waiting', online: true });
    await second.is({ state: 'elsewhere' });
    await Promise.all([first, second].map((page) => page.close()));
});

test('a second login during an exam: both are blocked, and the professor decides', async () => {
    const first = await signIn(browser, server, 'dora');
    await setPhase('IN_PROGRESS');
    await first.is({ state: 'running' });
    await first.get('answer').fill('What I have written');
    const second = await signIn(browser, server, 'dora', { isTurnedAway: true });
    await first.is({ state: 'blocked', online: true });
    await first.says('blocked-text', /second time/);
    await first.shoot('student-blocked');
    await professor.says('incidents', /dora: second login, turned away/);
    await professor.says('access-dora', /blocked, second login/);
    await professor.shoot('professor-incident');
    await professor.get('unblock-dora').click();
    await first.is({ state: 'running' });
    assert.equal(await first.get('answer').inputValue(), 'What I have written');
    await second.is({ state: 'elsewhere' }); // an unblock that does not name it ends it
    await Promise.all([first, second].map((page) => page.close()));
});

test('the professor lets the new login go on instead', async () => {
    const first = await signIn(browser, server, 'emil');
    await setPhase('IN_PROGRESS');
    await first.is({ state: 'running' });
    const second = await signIn(browser, server, 'emil', { isTurnedAway: true });
    await second.is({ state: 'blocked' });
    await second.shoot('student-turned-away');
    await first.is({ state: 'blocked' });
    await professor.get('unblock-new-emil').click();
    await second.is({ state: 'running', online: true });
    await first.is({ state: 'elsewhere' });
    await Promise.all([first, second].map((page) => page.close()));
});

test('the network is gone: at once where a socket closes, soon where it falls silent', async () => {
    const anna = await signIn(browser, server, 'anna');
    await anna.is({ state: 'waiting' });
    line.cut();
    await anna.is({ online: false });
    assert.ok(await anna.get('offline').isVisible());
    await anna.is({ online: true, state: 'waiting' });
    assert.ok(await anna.get('offline').isHidden());

    line.silence();
    await professor.is({ online: false });
    await anna.is({ online: false });
    await anna.shoot('student-offline');
    assert.ok(await anna.get('offline').isVisible());
    await anna.is({ online: true });
    await professor.is({ online: true });
    // What happened meanwhile is retained.
    await setPhase('IN_PROGRESS');
    await anna.is({ state: 'running' });
    await anna.close();
});

test('the broker dies in the middle, and all go on where they were', async () => {
    const anna = await signIn(browser, server, 'anna');
    await setPhase('IN_PROGRESS');
    await anna.is({ state: 'running' });
    await anna.get('answer').fill('before');
    await crash(broker);
    await anna.is({ online: false });
    await broker.start();
    await anna.is({ online: true, state: 'running' });
    assert.equal(await anna.get('answer').inputValue(), 'before');
    await professor.is({ online: true });
    await professor.says('presence-anna', /^online/);
    const second = await signIn(browser, server, 'anna', { isTurnedAway: true });
    await second.is({ state: 'blocked' });
    await second.close();
    await professor.get('unblock-anna').click();
    await anna.is({ state: 'running', online: true });
    await anna.close();
});

test('a token runs out, and the page renews it without a gap', async () => {
    const own = await startBroker({ options: { expiry_notice: '2', jwt_leeway: '0' } });
    const short = await startServer(own, { args: ['--ttl', '5'] });
    const anna = await signIn(browser, short, 'anna');
    await anna.is({ online: true, state: 'waiting' });
    await anna.page.evaluate(() => {
        window.wasOffline = false;
        new MutationObserver(() => {
            window.wasOffline ||= document.body.dataset.online !== 'true';
        }).observe(document.body, { attributes: true });
    });
    const accepted = () => own.log().filter((text) => /^invigilator: accepted user=anna /.test(text)).length;
    const first = accepted();
    while (accepted() < first + 2) {
        await own.waitForLog(/^invigilator: accepted user=anna /, { from: own.log().length, timeout: 20000 });
    }
    assert.equal(await anna.page.evaluate(() => window.wasOffline), false);
    await anna.is({ online: true, state: 'waiting' });
    await anna.close();
    await short.stop();
    await own.stop();
});
