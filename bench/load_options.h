/* SPDX-License-Identifier: Apache-2.0
 *
 * load_options.h - the command line.
 */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "load_client.h"

enum { LOAD_PHASES_MAX = 32, LOAD_PAYLOAD_MAX = 3999 };

enum load_phase { LOAD_STORM, LOAD_FANOUT, LOAD_IDLING };

struct load_options {
    struct load_settings settings;  /* of the clients */
    struct load_settings publisher; /* of the publisher */
    const char *file;
    unsigned in_flight;
    unsigned limit_s; /* of connecting, and of each message */
    bool is_holding;
    enum load_phase phases[LOAD_PHASES_MAX];
    size_t phase_count;

    const char *publisher_file; /* NULL: there is no publisher */
    const char *payload_file;
    const char *topic;      /* or the path of posts */
    unsigned messages;      /* of the phase fanout */
    unsigned idle_messages; /* of the phase idle */
    unsigned interval_ms;
    unsigned seconds; /* of the phase idle */
    unsigned qos;     /* of what is published */
    bool is_retained;
};

/* Returns false where the words make no sense: what is to be said then is the usage. */
bool load_options_read(struct load_options *options, char **words);

extern const char load_options_usage[];

#endif
