/* SPDX-License-Identifier: Apache-2.0
 *
 * jws.h - takes a token apart at its dots: the compact form of RFC 7515 section 7.1.
 * Depends on: text.
 */
#ifndef INVIGILATOR_JWS_H
#define INVIGILATOR_JWS_H

#include "invigilator/text.h"

/* The parts of a token, all views into it, still encoded. */
struct invig_jws {
    struct invig_text header;        /* before the first dot */
    struct invig_text payload;       /* between the dots */
    struct invig_text signature;     /* behind the second dot; may be empty */
    struct invig_text signing_input; /* header, dot, payload: what the signature is over */
};

/* Splits `token` when it has the outline of a JWS: exactly two dots, a header that is not empty,
 * and no characters but those of base64url, base64 and padding. Whether the parts are canonical is
 * for the decoder. Returns false, with out_jws zeroed, for anything else: then the text is no token
 * but a password. */
bool invig_jws_split(struct invig_text token, struct invig_jws *out_jws);

#endif
