// SPDX-License-Identifier: Apache-2.0
// state-file.test.mjs - files that cannot be the state file: the broker does not start, says why in
// one line, and leaves them as they were.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
    chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

// Modes mean nothing to root, unless it lacks this capability. (Before lib.mjs reads the variable.)
if (process.getuid() === 0) {
    process.env.INVIG_WRAPPER = `${process.env.INVIG_WRAPPER ?? ''} setpriv --bounding-set=-dac_override --inh-caps=-dac_override`;
}
const { command, expectInvalidated, login, newId, service, startBroker } = await import('./lib.mjs');
const { crash, endOrderly } = await import('./lib/state.mjs');

const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
const PAGE_BYTES = 4096;

let dir;
let whole; // a state file as the plugin made it, with something in it
let dirs = 0;

const start = (path) => startBroker({ options: { state_file: path } });

/** One login gives way to another. */
async function loginTwice(broker, user) {
    const first = await login(broker, { sub: user, sid: 's1' });
    const second = await login(broker, { sub: user, sid: 's2' });
    await expectInvalidated(first, user, 's1', 'SUPERSEDED');
    await second.end();
}

async function expectSuperseded(broker, user) {
    await expectInvalidated(await login(broker, { sub: user, sid: 's1' }), user, 's1', 'SUPERSEDED');
}

before(async () => {
    process.umask(0); // what the file's mode is to be in spite of
    dir = mkdtempSync(join(tmpdir(), 'invigilator-state-'));
    whole = join(dir, 'whole.db');
    const broker = await start(whole);
    await Promise.all(Array.from({ length: 40 }, () => loginTwice(broker, newId('student'))));
    await endOrderly(broker);
    await broker.start();
    await broker.stop();
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** A database of another program, with one empty table, byte by byte: so no SQLite is needed here. */
function foreignDatabase(applicationId) {
    const sql = 'CREATE TABLE t(a)';
    const schema = [['table', 23], ['t', 15], ['t', 15], [Buffer.of(2), 1], [sql, 13 + 2 * sql.length]];
    const record = Buffer.concat([
        Buffer.of(1 + schema.length, ...schema.map(([, type]) => type)), ...schema.map(([value]) => Buffer.from(value)),
    ]);
    const cell = Buffer.concat([Buffer.of(record.length, 1), record]);
    const file = Buffer.alloc(2 * PAGE_BYTES);
    file.write('SQLite format 3\0', 'latin1');
    file.writeUInt16BE(PAGE_BYTES, 16);
    file.set([1, 1, 0, 64, 32, 32], 18); // rollback journal, payload fractions
    file.writeUInt32BE(1, 24); // change counter, and below what it was valid for
    file.writeUInt32BE(2, 28); // pages
    file.writeUInt32BE(1, 40); // schema cookie
    file.writeUInt32BE(4, 44); // schema format
    file.writeUInt32BE(1, 56); // UTF-8
    file.writeUInt32BE(applicationId, APPLICATION_ID_AT);
    file.writeUInt32BE(1, 92);
    file.writeUInt32BE(3040001, 96);
    leafPage(file, HEADER_BYTES, PAGE_BYTES - cell.length, [PAGE_BYTES - cell.length]);
    cell.copy(file, PAGE_BYTES - cell.length);
    leafPage(file, PAGE_BYTES, PAGE_BYTES, []);
    return file;
}

function leafPage(file, at, contentAt, cells) {
    file.writeUInt8(13, at);
    file.writeUInt16BE(cells.length, at + 3);
    file.writeUInt16BE(contentAt, at + 5);
    cells.forEach((offset, i) => file.writeUInt16BE(offset, at + 8 + 2 * i));
}

function changed(change) {
    const file = readFileSync(whole);
    change(file);
    return file;
}

/** All that is in the directory, as names, modes and contents. */
function look(place) {
    return readdirSync(place, { recursive: true }).sort().map((name) => {
        const path = join(place, name);
        const { mode } = statSync(path);
        const isFile = statSync(path).isFile();
        return [name, mode, isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : null];
    });
}

/** The broker does not start with `path`, and nothing in `place` changes. */
async function expectRefused(place, path) {
    const seen = look(place);
    await assert.rejects(start(path), (error) => {
        const lines = error.message.split('\n').filter((line) => /plugin_opt_state_file/.test(line));
        assert.equal(lines.length, 1, error.message);
        assert.ok(lines[0].startsWith('invigilator: '), lines[0]);
        assert.ok(lines[0].includes(path), lines[0]);
        assert.ok(error.code !== 0 && error.code !== null, `ended with ${error.code}`);
        return true;
    });
    assert.deepEqual(look(place), seen);
}

const newPlace = () => {
    const place = join(dir, `place${++dirs}`);
    mkdirSync(place);
    return place;
};

for (const [name, make] of [
    ['a text file', () => 'plugin_opt_state_file is not this\n'.repeat(300)],
    ['a short text file', () => 'x'],
    ['a database of another program', () => foreignDatabase(0x0F055112)],
    ['a database that names no program', () => foreignDatabase(0)],
    ['a state file of a newer version', () => changed((file) => file.writeUInt32BE(99, USER_VERSION_AT))],
    ['a state file of version 0', () => changed((file) => file.writeUInt32BE(0, USER_VERSION_AT))],
    ['a state file of a negative version', () => changed((file) => file.writeInt32BE(-1, USER_VERSION_AT))],
    ['a state file that says it is another program\'s', () => changed((file) => file.writeUInt32BE(7, APPLICATION_ID_AT))],
    ['half a state file', () => changed(() => {}).subarray(0, Math.floor(statSync(whole).size / 2 / PAGE_BYTES) * PAGE_BYTES)],
    ['half a state file, cut inside a page', () => changed(() => {}).subarray(0, Math.floor(statSync(whole).size / 2) + 123)],
    ['the header of a state file', () => changed(() => {}).subarray(0, HEADER_BYTES)],
    ['a state file with all pages damaged but the first', () => changed((file) => file.fill(0x5A, PAGE_BYTES))],
    ['a state file with one page damaged', () => changed((file) => file.fill(0x5A, PAGE_BYTES, 2 * PAGE_BYTES))],
    ['a state file with the schema damaged', () => changed((file) => file.fill(0x5A, HEADER_BYTES, PAGE_BYTES))],
]) {
    test(`${name} is refused`, async () => {
        const place = newPlace();
        const path = join(place, 'state.db');
        writeFileSync(path, make(), { mode: 0o600 });
        await expectRefused(place, path);
    });
}

test('a directory is refused', async () => {
    const place = newPlace();
    mkdirSync(join(place, 'state.db'));
    await expectRefused(place, join(place, 'state.db'));
});

test('a missing directory is refused', async () => {
    const place = newPlace();
    await expectRefused(place, join(place, 'none', 'state.db'));
});

test('a file that cannot be written is refused', async () => {
    const place = newPlace();
    const path = join(place, 'state.db');
    copyFileSync(whole, path);
    chmodSync(path, 0o400);
    await expectRefused(place, path);
});

test('a directory that cannot be written is refused, with a file and without', async () => {
    for (const hasFile of [true, false]) {
        const place = newPlace();
        const path = join(place, 'state.db');
        if (hasFile) {
            copyFileSync(whole, path);
        }
        chmodSync(place, 0o500);
        await expectRefused(place, path);
        chmodSync(place, 0o700);
    }
});

test('a file that a running broker holds is refused, by whatever name, and that broker goes on', async () => {
    const place = newPlace();
    const path = join(place, 'state.db');
    const broker = await start(path);
    const user = newId('student');
    await loginTwice(broker, user);
    await expectRefused(place, path);
    symlinkSync(path, join(dir, `link${dirs}`));
    await expectRefused(place, join(dir, `link${dirs}`));
    await loginTwice(broker, newId('student'));
    await expectSuperseded(broker, user);

    // A crash lets it go, and another broker may have it.
    await crash(broker);
    const other = await startBroker({
        prepare(own, keys) {
            copyFileSync(broker.keys.jwksFile, keys.jwksFile);
            return { state_file: path };
        },
    });
    other.sign = broker.sign; // with the first one's keys
    await expectSuperseded(other, user);
    await other.stop();
    await broker.start();
    await expectSuperseded(broker, user);
    await broker.stop();
});

test('the file is its owner\'s alone', async () => {
    const place = newPlace();
    const path = join(place, 'state.db');
    const broker = await start(path);
    await loginTwice(broker, newId('student'));
    for (const name of readdirSync(place)) {
        assert.equal((statSync(join(place, name)).mode & 0o777).toString(8), '600', name);
    }
    assert.ok(readdirSync(place).includes('state.db'));
    await broker.stop();
});

test('an empty file is a new one', async () => {
    const place = newPlace();
    const path = join(place, 'state.db');
    writeFileSync(path, '', { mode: 0o600 });
    const broker = await start(path);
    const user = newId('student');
    await loginTwice(broker, user);
    await endOrderly(broker);
    assert.ok(statSync(path).size > 0);
    await broker.start();
    await expectSuperseded(broker, user);
    await broker.stop();
});

test('SIGHUP leaves the file alone, and what is in it', async () => {
    const broker = await start(join(newPlace(), 'state.db'));
    const user = newId('student');
    await loginTwice(broker, user);
    await broker.sighup();
    await expectSuperseded(broker, user);
    const reader = await service(broker);
    const { sessions } = await command(reader, 'getUser', { userId: user });
    assert.deepEqual(sessions.map(({ sessionId }) => sessionId), ['s2']);
    await reader.end();
    await broker.stop();
});
