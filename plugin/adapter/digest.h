/* SPDX-License-Identifier: Apache-2.0
 *
 * digest.h - SHA-256.
 * Hides: OpenSSL.
 */
#ifndef INVIGILATOR_DIGEST_H
#define INVIGILATOR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { INVIG_SHA256_BYTES = 32 };

/* Digests `length` bytes at `data` (FIPS 180-4). Returns false when OpenSSL fails, as when memory
 * is out; `out` is zeroed then. */
bool invig_digest_sha256(const void *data, size_t length, unsigned char out[INVIG_SHA256_BYTES]);

#endif
