/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - see log.h.
 */
#include "log.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>

static int level_of_broker(enum invig_log_level level)
{
    switch (level) {
    case INVIG_LOG_ERROR:
        return MOSQ_LOG_ERR;
    case INVIG_LOG_WARNING:
        return MOSQ_LOG_WARNING;
    case INVIG_LOG_NOTICE:
        return MOSQ_LOG_NOTICE;
    case INVIG_LOG_INFO:
        break;
    }
    return MOSQ_LOG_INFO;
}

void invig_log_line(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    mosquitto_log_printf(level_of_broker(level), "%s", line);
}

void invig_log_text(void *context, enum invig_log_level level, const char *text)
{
    (void)context;
    mosquitto_log_printf(level_of_broker(level), "invigilator: %s", text);
}
