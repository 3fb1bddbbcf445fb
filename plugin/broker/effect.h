/* SPDX-License-Identifier: Apache-2.0
 *
 * effect.h - carries out what the engine wants done: publishes notices, disconnects clients.
 */
#ifndef INVIGILATOR_BROKER_EFFECT_H
#define INVIGILATOR_BROKER_EFFECT_H

#include "plugin.h"

/* Runs the effects that are due. To be called from TICK alone: on 2.0 the broker sends what is
 * published there before it handles another packet, so a notice cannot reach a newcomer under the
 * same client id, and a client that is kicked there is in nobody's hands. */
void invig_effects_run(struct invig_plugin *plugin, struct invig_now now);

#endif
