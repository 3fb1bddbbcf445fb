/* SPDX-License-Identifier: Apache-2.0
 *
 * backend.h - what a backend says and is answered, from JSON to the engine and back.
 * Owns: nothing.  Not thread-safe: broker thread only.
 */
#ifndef INVIGILATOR_BACKEND_H
#define INVIGILATOR_BACKEND_H

#include "invigilator/engine.h"

/* A message is about to be routed: reads it where the engine wants to know, and returns the
 * engine's verdict. `connection` is NULL for a publisher that is not known. */
enum invig_verdict invig_backend_message(struct invig_engine *engine, struct invig_now now,
                                         const struct invig_connection *connection,
                                         struct invig_text topic, struct invig_text payload,
                                         bool is_retained);

/* Runs all commands of a payload on the control topic and queues one answer to `connection`. A
 * payload that cannot be read gets one response with an error and changes nothing. Returns false
 * when the answer was lost, because memory or room was out. */
bool invig_backend_control(struct invig_engine *engine, struct invig_now now,
                           const struct invig_connection *connection, struct invig_text payload);

/* The payload of a SEND or PUBLISH effect, NUL-terminated, to be freed with free(3); empty for
 * INVIG_PAYLOAD_EMPTY. Returns NULL when memory is out. */
char *invig_backend_payload(const struct invig_effect *effect);

#endif
