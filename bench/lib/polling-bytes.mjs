// SPDX-License-Identifier: Apache-2.0
// polling-bytes.mjs - what goes over a socket.

/** The bytes that a socket has moved, and what was added to them. */
export const bytesOf = (socket) => ({ up: socket.bytesWritten, down: socket.bytesRead });
export const less = (after, before) => ({ up: after.up - before.up, down: after.down - before.down });
