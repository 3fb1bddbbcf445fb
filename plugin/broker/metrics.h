/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.h - publishes the counters below $SYS/broker/invigilator/.
 */
#ifndef INVIGILATOR_BROKER_METRICS_H
#define INVIGILATOR_BROKER_METRICS_H

#include "plugin.h"

/* Publishes, retained, those counters that have changed, when it is time. To be called from TICK.
 */
void invig_metrics_run(struct invig_plugin *plugin, struct invig_now now);

#endif
