// SPDX-License-Identifier: Apache-2.0
// logline.mjs - lines of Mosquitto's own that tests look for in the log: 2.1 has the client's address in
// them, and words of its own. An id is given as text of a regular expression, and is the first group.

/** The plugin, or a command of Mosquitto's, has disconnected the client. */
export function kickedLine(id = '\\S+') {
    return new RegExp(`^Client (${id}) (been disconnected by|\\[\\S+\\] disconnected:) administrative action\\.$`);
}

/** The client has said that it goes. */
export function leftLine(id) {
    return new RegExp(`^Client (${id}) (\\[\\S+\\] )?disconnected\\.$`);
}
