/* SPDX-License-Identifier: Apache-2.0
 *
 * jsonwriter.h - JSON that goes out.
 * Hides: json-c.  Not thread-safe.
 */
#ifndef INVIGILATOR_JSONWRITER_H
#define INVIGILATOR_JSONWRITER_H

#include "invigilator/writer.h"

struct invig_jsonwriter;

/* Starts a document. Returns NULL when memory is out; the caller frees it with
 * invig_jsonwriter_free. */
struct invig_jsonwriter *invig_jsonwriter_new(void);

void invig_jsonwriter_free(struct invig_jsonwriter *writer); /* NULL is allowed */

/* The writer to hand to the core; lives as long as `writer`. */
const struct invig_writer *invig_jsonwriter_writer(struct invig_jsonwriter *writer);

/* The document: compact JSON, NUL-terminated, members in the order in which they were written. The
 * caller frees it with free(3). NULL when memory was out at any step, or a begin has no end. */
char *invig_jsonwriter_finish(struct invig_jsonwriter *writer);

#endif
