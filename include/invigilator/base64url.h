/* SPDX-License-Identifier: Apache-2.0
 *
 * base64url.h - base64url without padding, as JWS and JWK use it (RFC 4648 section 5, RFC 7515
 * section 2). Depends on: text.
 */
#ifndef INVIGILATOR_BASE64URL_H
#define INVIGILATOR_BASE64URL_H

#include "invigilator/text.h"

/* Bytes that decoding `length` characters gives at most. */
#define INVIG_BASE64URL_DECODED_MAX(length) ((length) / 4 * 3 + 3)

/* Decodes the canonical form only: characters of the base64url alphabet, no padding, no length of 1
 * modulo 4, unused trailing bits zero.
 *
 *   encoded       absent is refused, empty gives 0 bytes
 *   out           receives at most INVIG_BASE64URL_DECODED_MAX(encoded.length) bytes
 *   out_capacity  bytes of room at `out`
 *
 * Returns the number of bytes written, or -1 when the text is not canonical or `out` is too small.
 */
ptrdiff_t invig_base64url_decode(struct invig_text encoded, unsigned char *out,
                                 size_t out_capacity);

/* As invig_base64url_decode for text that is merely meant as base64: padding, '+' and '/' and stray
 * trailing bits are overlooked. It serves to recognise a token that is then refused, never to
 * accept one. */
ptrdiff_t invig_base64url_decode_loose(struct invig_text encoded, unsigned char *out,
                                       size_t out_capacity);

#endif
