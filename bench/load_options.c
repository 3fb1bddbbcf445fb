/* SPDX-License-Identifier: Apache-2.0
 *
 * load_options.c - see load_options.h.
 */
#include "load_options.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_GIVEN = UINT_MAX };

const char load_options_usage[] =
    "usage: bench_load --port N --file FILE [options]\n"
    "\n"
    "  --file FILE       a line for each client: client id, user name, password, between tabs\n"
    "  --host ADDRESS    IPv4; default 127.0.0.1\n"
    "  --ws              MQTT over WebSockets instead of plain TCP\n"
    "  --sse             an event stream over HTTP; the password is the bearer token\n"
    "  --path PATH       of HTTP; default /mqtt, of event streams /events\n"
    "  --mqtt 3|5        version; default 3 (3.1.1)\n"
    "  --in-flight N     the most that are connecting at a time; default 100\n"
    "  --subscribe TEXT  a filter that each subscribes to; %u is its user name, %c its client id\n"
    "  --subscribe-qos N 0 (default) or 1\n"
    "  --keepalive N     seconds; default 60\n"
    "  --limit N         seconds after which who is not connected has failed, and a message that\n"
    "                    not everybody has is given up; default 120\n"
    "  --hold            keep the connections until the standard input ends\n"
    "  --phases LIST     storm (connecting; always the first), fanout, idle; default storm\n"
    "\n"
    "Prints a line of JSON after each phase, and waits for a line on the standard input before\n"
    "each but the first. Exits 1 when a client has failed or a message has not reached everybody.\n"
    "\n"
    "  --seconds N            of idle; default 10\n"
    "  --publisher-file FILE  one line as above: who publishes, over TCP or (--sse) by posts\n"
    "  --publisher-port N     default: the port\n"
    "  --publish TOPIC        or the path to post to\n"
    "  --payload-file FILE    less than 4,000 bytes; %n in it becomes the message's number.\n"
    "                         Counts as delivered where it arrives byte for byte\n"
    "  --messages N           of fanout (default 20) and of idle (default none)\n"
    "  --idle-messages N      of idle, where they are others\n"
    "  --interval-ms N        pause between messages of fanout\n"
    "  --qos N                0 (default) or 1\n"
    "  --retain               publish retained\n";

static bool number_read(const char *text, unsigned minimum, unsigned maximum, unsigned *out)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    *out = (unsigned)number;
    return *text >= '0' && *text <= '9' && *end == '\0' && number >= minimum && number <= maximum;
}

static bool phases_read(struct load_options *options, const char *text)
{
    static const char *const names[] = {
        [LOAD_STORM] = "storm", [LOAD_FANOUT] = "fanout", [LOAD_IDLING] = "idle"};

    options->phase_count = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        size_t phase = 0;
        while (phase < 3 &&
               (strlen(names[phase]) != length || strncmp(text, names[phase], length) != 0)) {
            phase++;
        }
        bool is_first = options->phase_count == 0;
        if (phase == 3 || options->phase_count == LOAD_PHASES_MAX ||
            is_first != (phase == LOAD_STORM)) {
            return false;
        }
        options->phases[options->phase_count++] = (enum load_phase)phase;
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

/* An option whose value is a text. */
static bool text_take(struct load_options *options, const char *word, const char *value)
{
    const struct {
        const char *word;
        const char **out;
    } texts[] = {{"--file", &options->file},
                 {"--host", &options->settings.host},
                 {"--path", &options->settings.path},
                 {"--subscribe", &options->settings.filter},
                 {"--publisher-file", &options->publisher_file},
                 {"--payload-file", &options->payload_file},
                 {"--publish", &options->topic}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(word, texts[i].word) == 0) {
            *texts[i].out = value;
            return true;
        }
    }
    return strcmp(word, "--phases") == 0 && phases_read(options, value);
}

/* An option whose value is a number, or any other. */
static bool option_take(struct load_options *options, const char *word, const char *value)
{
    const struct {
        const char *word;
        unsigned *out;
        unsigned minimum;
        unsigned maximum;
    } numbers[] = {{"--port", &options->settings.port, 1, UINT16_MAX},
                   {"--mqtt", &options->settings.version, 3, 5},
                   {"--keepalive", &options->settings.keepalive_s, 1, UINT16_MAX},
                   {"--subscribe-qos", &options->settings.subscribe_qos, 0, 1},
                   {"--in-flight", &options->in_flight, 1, 1000000},
                   {"--limit", &options->limit_s, 1, 86400},
                   {"--seconds", &options->seconds, 1, 86400},
                   {"--publisher-port", &options->publisher.port, 1, UINT16_MAX},
                   {"--messages", &options->messages, 1, 1000000},
                   {"--idle-messages", &options->idle_messages, 0, 1000000},
                   {"--interval-ms", &options->interval_ms, 0, 3600000},
                   {"--qos", &options->qos, 0, 1}};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(word, numbers[i].word) == 0) {
            return number_read(value, numbers[i].minimum, numbers[i].maximum, numbers[i].out);
        }
    }
    return text_take(options, word, value);
}

static bool flag_take(struct load_options *options, const char *word)
{
    struct load_settings *settings = &options->settings;

    if (strcmp(word, "--ws") == 0 && settings->transport == LOAD_TCP) {
        settings->transport = LOAD_WS;
    } else if (strcmp(word, "--sse") == 0 && settings->transport == LOAD_TCP) {
        settings->transport = LOAD_SSE;
    } else if (strcmp(word, "--hold") == 0) {
        options->is_holding = true;
    } else if (strcmp(word, "--retain") == 0) {
        options->is_retained = true;
    } else {
        return false;
    }
    return true;
}

/* What was not said. */
static void options_complete(struct load_options *options)
{
    struct load_settings *settings = &options->settings;
    bool is_sse = settings->transport == LOAD_SSE;

    if (options->idle_messages == NOT_GIVEN) {
        options->idle_messages = options->messages == NOT_GIVEN ? 0 : options->messages;
    }
    options->messages = options->messages == NOT_GIVEN ? 20 : options->messages;
    if (settings->path == NULL) {
        settings->path = is_sse ? "/events" : "/mqtt";
    }
    unsigned port = options->publisher.port > 0 ? options->publisher.port : settings->port;
    options->publisher = *settings;
    options->publisher.port = port;
    options->publisher.transport = is_sse ? LOAD_POST : LOAD_TCP;
    options->publisher.filter = NULL;
    options->publisher.subscribe_qos = 0;
}

static bool address_read(struct load_settings *settings)
{
    struct sockaddr_in *address = &settings->address;

    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)settings->port);
    return inet_pton(AF_INET, settings->host, &address->sin_addr) == 1;
}

static bool path_is_sound(const char *path)
{
    for (const char *at = path; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return path[0] == '/';
}

static bool options_need_publisher(const struct load_options *options)
{
    for (size_t i = 0; i < options->phase_count; i++) {
        if (options->phases[i] == LOAD_FANOUT ||
            (options->phases[i] == LOAD_IDLING && options->idle_messages > 0)) {
            return true;
        }
    }
    return false;
}

static bool options_are_sound(struct load_options *options)
{
    struct load_settings *settings = &options->settings;
    bool is_sse = settings->transport == LOAD_SSE;

    if (options->file == NULL || settings->port == 0 || settings->version == 4 ||
        !path_is_sound(settings->path) || !address_read(settings) ||
        !address_read(&options->publisher) || (is_sse && settings->filter != NULL)) {
        return false;
    }
    settings->has_sources = ntohl(settings->address.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    if (!options_need_publisher(options)) {
        options->publisher_file = NULL;
        return true;
    }
    return options->publisher_file != NULL && options->payload_file != NULL &&
           options->topic != NULL && options->topic[0] != '\0' &&
           strlen(options->topic) <= UINT16_MAX && (!is_sse || path_is_sound(options->topic));
}

bool load_options_read(struct load_options *options, char **words)
{
    *options =
        (struct load_options){.settings = {.host = "127.0.0.1", .version = 3, .keepalive_s = 60},
                              .in_flight = 100,
                              .limit_s = 120,
                              .phases = {LOAD_STORM},
                              .phase_count = 1,
                              .messages = NOT_GIVEN,
                              .idle_messages = NOT_GIVEN,
                              .seconds = 10};
    for (; *words != NULL; words++) {
        if (flag_take(options, *words)) {
            continue;
        }
        if (words[1] == NULL || !option_take(options, words[0], words[1])) {
            return false;
        }
        words++;
    }
    options_complete(options);
    return options_are_sound(options);
}
