// SPDX-License-Identifier: Apache-2.0
// lib.mjs - what the broker tests import: a real Mosquitto with the plugin, clients, tokens.
export { startBroker } from './lib/broker.mjs';
export { connect } from './lib/client.mjs';
export * from './lib/exam.mjs';
export { rawConnect } from './lib/raw.mjs';
export { makeKeys, sign, forge, now } from './lib/keys.mjs';
export { patience } from './lib/wait.mjs';
