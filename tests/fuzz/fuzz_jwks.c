/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_jwks.c - key sets of any bytes, and the other readers of json.h on the same bytes.
 */
#include "key.h"

#include "invigilator/jsontext.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_jwks: %s\n", what);
        abort();
    }
}

/* Makes the key, and verifies a signature that is none with all that it claims to be good for. */
static void key_try(void *context, size_t index, const struct invig_jwk *jwk)
{
    size_t *expected_index = context;
    const char *found;
    static const char zeros[512];
    struct invig_key *key = invig_key_from_jwk(jwk, &found);

    must(index == *expected_index, "index");
    (*expected_index)++;
    if (key == NULL) {
        must(found != NULL, "cause");
        return;
    }
    must(key->algorithms != 0, "algorithms");
    must((key->algorithms & ~invig_algorithm_set_for(key->type, key->secret_bytes)) == 0, "fit");
    for (int i = 0; i < INVIG_ALGORITHM_COUNT; i++) {
        for (size_t length = 0; length <= sizeof zeros; length += 32) {
            must(!invig_key_verify(key, (enum invig_algorithm)i, invig_text_of("a.b"),
                                   (struct invig_text){zeros, length}),
                 "a forged signature");
        }
    }
    invig_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Empty input comes as NULL from libFuzzer, which would be an absent text. */
    const struct invig_text input = {size == 0 ? "" : (const char *)data, size};
    struct invig_value value;
    struct invig_json_strings *strings;
    size_t index = 0;
    size_t members;
    bool is_json = invig_jsontext_check(input, INVIG_JSON_DEPTH_MAX, &members);
    enum invig_status status = invig_json_read_jwks(input, INVIG_JWKS_KEYS_MAX, key_try, &index);

    must(status == INVIG_OK || status == INVIG_ERR_FORMAT, "status");
    must(status != INVIG_OK || (is_json && members > 0), "not strict");
    must(status != INVIG_OK || invig_json_is_object_with(input, "keys"), "no object");
    must(status == INVIG_OK || index == 0, "called all the same");

    invig_json_read_strings(input, &value, &strings);
    must(value.kind == INVIG_VALUE_STRINGS || value.kind == INVIG_VALUE_OTHER, "kind");
    must((strings != NULL) == (value.kind == INVIG_VALUE_STRINGS), "strings");
    must(value.kind != INVIG_VALUE_STRINGS || is_json, "strings not strict");
    invig_json_strings_free(strings);
    return 0;
}
