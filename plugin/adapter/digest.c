/* SPDX-License-Identifier: Apache-2.0
 *
 * digest.c - see digest.h.
 */
#include "digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

bool invig_digest_sha256(const void *data, size_t length, unsigned char out[INVIG_SHA256_BYTES])
{
    if (EVP_Digest(data, length, out, NULL, EVP_sha256(), NULL) == 1) {
        return true;
    }
    ERR_clear_error();
    memset(out, 0, INVIG_SHA256_BYTES);
    return false;
}
