/* SPDX-License-Identifier: Apache-2.0
 *
 * writer.h - a JSON document as it is written, member by member. What it becomes is an adapter's;
 * an error inside, as when memory is out, is kept there until the document is asked for.
 * Depends on: text.
 */
#ifndef INVIGILATOR_WRITER_H
#define INVIGILATOR_WRITER_H

#include "invigilator/text.h"

/* `name` is the member's name inside an object, NULL inside an array and for the document itself.
 * Every begin has its end. */
struct invig_writer {
    void *context;
    void (*begin_object)(void *context, const char *name);
    void (*begin_array)(void *context, const char *name);
    void (*end)(void *context);
    /* An absent text becomes null. Bytes that are not UTF-8 become U+FFFD. */
    void (*string)(void *context, const char *name, struct invig_text value);
    void (*integer)(void *context, const char *name, int64_t value);
    void (*boolean)(void *context, const char *name, bool value);
};

#endif
