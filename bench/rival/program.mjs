// SPDX-License-Identifier: Apache-2.0
// program.mjs - what the rivals have in common as programs: their options, `ready`, and their end.
import { parseArgs } from 'node:util';

/** The values of `names` (all needed) on the command line; the port as a number. */
export function readOptions(...names) {
    const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
    const missing = names.filter((name) => values[name] === undefined);
    if (missing.length > 0 || !/^\d{1,5}$/.test(values.port)) {
        console.error(`needed: ${names.map((name) => `--${name} ${name.toUpperCase()}`).join(' ')}`);
        process.exit(2);
    }
    return { ...values, port: Number(values.port) };
}

/** Listens on loopback, says so on stdout, and ends on SIGTERM after `close`, if there is one. */
export function run(server, port, close = () => {}) {
    process.once('SIGTERM', async () => {
        await close();
        server.close(() => process.exit(0));
        server.closeAllConnections();
    });
    server.once('error', (error) => {
        console.error(error.message);
        process.exit(1);
    });
    // As deep as the kernel allows, so that a hall that connects at once is not turned away.
    server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => console.log('ready'));
}
