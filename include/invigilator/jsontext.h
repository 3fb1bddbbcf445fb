/* SPDX-License-Identifier: Apache-2.0
 *
 * jsontext.h - whether bytes are JSON, strictly as RFC 8259 has it. JSON libraries accept more and
 * differ between versions in what. And the members of an object as they are written. One pass, no
 * allocation. Depends on: text.
 */
#ifndef INVIGILATOR_JSONTEXT_H
#define INVIGILATOR_JSONTEXT_H

#include "invigilator/text.h"

/* True when `text` is one JSON value with nothing but white space around it, in UTF-8, nested no
 * deeper than `depth_max` arrays and objects, without half surrogate pairs (RFC 8259 section 8.2)
 * and without U+0000 in the name of a member. Duplicate members are not found here, but counted.
 *
 *   out_member_count  receives the number of members of all objects in it; 0 when false is returned
 */
bool invig_jsontext_check(struct invig_text text, size_t depth_max, size_t *out_member_count);

/* Takes the first member off an object that invig_jsontext_check accepts. Call it again with what
 * it left in *rest for the next one.
 *
 *   rest       the object at first, white space before it allowed; what follows the member then
 *   out_name   the name as it is written, with its quotation marks
 *   out_value  the value as it is written, without white space around it; behind out_name in the
 *              same bytes
 *
 * Returns false where there is no further member; always false for any other value. */
bool invig_jsontext_take_member(struct invig_text *rest, struct invig_text *out_name,
                                struct invig_text *out_value);

/* True when `name`, from invig_jsontext_take_member, is `word` of ASCII characters, however it is
 * escaped. */
bool invig_jsontext_name_is(struct invig_text name, const char *word);

#endif
