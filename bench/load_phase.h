/* SPDX-License-Identifier: Apache-2.0
 *
 * load_phase.h - the phases of a run, each of which ends with its line of JSON. What the
 * connections carry while the next phase is waited for is in no report.
 */
#ifndef LOAD_PHASE_H
#define LOAD_PHASE_H

#include "load_options.h"
#include "load_pool.h"

struct load_run {
    const struct load_options *options;
    struct load_pool pool;
    struct load_round round;
    struct load_buffer template; /* of the payload */
    bool is_whole;               /* nobody has failed, and everybody got everything so far */
};

void load_phase_run(struct load_run *run, enum load_phase phase);

#endif
