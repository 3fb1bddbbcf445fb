/* SPDX-License-Identifier: Apache-2.0
 *
 * jws.c - finds the dots of a token.
 */
#include "invigilator/jws.h"

static bool char_is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '+' || c == '/' || c == '=';
}

bool invig_jws_split(struct invig_text token, struct invig_jws *out_jws)
{
    size_t dots[2] = {0, 0};
    size_t dot_count = 0;

    *out_jws = (struct invig_jws){0};
    if (token.data == NULL) {
        return false;
    }
    for (size_t i = 0; i < token.length; i++) {
        if (char_is_base64(token.data[i])) {
            continue;
        }
        if (token.data[i] != '.' || dot_count == 2) {
            return false;
        }
        dots[dot_count++] = i;
    }
    if (dot_count != 2 || dots[0] == 0) {
        return false;
    }
    out_jws->header = (struct invig_text){token.data, dots[0]};
    out_jws->payload = (struct invig_text){token.data + dots[0] + 1, dots[1] - dots[0] - 1};
    out_jws->signature = (struct invig_text){token.data + dots[1] + 1, token.length - dots[1] - 1};
    out_jws->signing_input = (struct invig_text){token.data, dots[1]};
    return true;
}
