/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - lines to Mosquitto's log. Text from outside must have been escaped by logline.h before.
 */
#ifndef INVIGILATOR_BROKER_LOG_H
#define INVIGILATOR_BROKER_LOG_H

#include "invigilator/logline.h"

/* Writes a line that already begins with "invigilator: ". `context` is ignored: the function fits
 * struct invig_log_sink. */
void invig_log_line(void *context, enum invig_log_level level, const char *line);

/* Writes `text` behind "invigilator: ". The function fits struct invig_keyring_report. */
void invig_log_text(void *context, enum invig_log_level level, const char *text);

#endif
