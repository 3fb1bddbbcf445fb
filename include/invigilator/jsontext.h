/* SPDX-License-Identifier: Apache-2.0
 *
 * jsontext.h - whether bytes are JSON, strictly as RFC 8259 has it. JSON libraries accept more and
 * differ between versions in what. One pass, no allocation. Depends on: text.
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

#endif
