// SPDX-License-Identifier: Apache-2.0
// webcrypto.mjs - gives this process the `crypto` of a page, which Node 18 has only by name.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
