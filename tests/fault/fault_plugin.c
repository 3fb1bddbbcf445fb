/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_plugin.c - see fault_plugin.h.
 */
#include "fault_plugin.h"

#include "mint.h"
#include "plugin.h"
#include "world.h"

#include <mosquitto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static char directory[] = "/tmp/invig_fault_XXXXXX";
static char secret_path[64];
static char state_path[64];
static char *tokens[3]; /* of s1, and of s2 and s3, each later */
void *fault_userdata;

/* -- Starting -- */

int fault_plugin_start(void)
{
    struct mosquitto_opt options[] = {
        {(char[]){"jwt_secret_file"}, secret_path},
        {(char[]){"state_file"}, state_path},
        {(char[]){"jwt_algorithms"}, (char[]){"HS256"}},
    };

    fault_userdata = NULL;
    fake_broker_clear();
    return mosquitto_plugin_init(NULL, &fault_userdata, options, COUNT(options));
}

void fault_plugin_stop(void)
{
    assert_int_equal(mosquitto_plugin_cleanup(fault_userdata, NULL, 0), MOSQ_ERR_SUCCESS);
    assert_int_equal(fake_broker_callbacks(), 0);
    (void)unlink(state_path);
}

/* Where it cannot start it says why, and nothing is left of it. */

struct mosquitto fault_admin = {.id = "admin", .address = "127.0.0.1"};
struct mosquitto fault_pages[FAULT_CLIENTS];

int fault_page_connect(size_t page)
{
    static const char *const ids[] = {"anna:1", "anna:2", "anna:3"};
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};

    fault_pages[page] = (struct mosquitto){.id = ids[page], .address = addresses[page]};
    return fake_broker_connect(&fault_pages[page], NULL, tokens[page]);
}

int fault_page_authenticate(void)
{
    if (!fault_pages[0].is_connected) {
        fault_pages[0] = (struct mosquitto){.id = "anna:1", .address = "192.0.2.1"};
    }
    return fake_broker_authenticate(&fault_pages[0], tokens[0]);
}

void fault_prepare_page(void)
{
    assert_int_equal(fault_page_connect(0), MOSQ_ERR_SUCCESS);
}

void fault_prepare_strict(void)
{
    assert_int_equal(fake_broker_message(&fault_admin, "evaluations/e1",
                                         "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"e1\","
                                         "\"phase\":\"IN_PROGRESS\"}"),
                     MOSQ_ERR_SUCCESS);
}

void fault_prepare_exam(void)
{
    fault_prepare_strict();
    fault_prepare_page();
}

int fault_say_of_anna(const char *access)
{
    char payload[256];

    (void)snprintf(payload, sizeof(payload),
                   "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"e1\",\"userId\":\"anna\","
                   "\"access\":\"%s\"}",
                   access);
    return fake_broker_message(&fault_admin, "evaluations/e1/users/anna", payload);
}

/* What can be seen of the plugin; to be freed by the caller. */
static char *plugin_look(void)
{
    static struct world world;
    static const char *const commands[] = {
        "{'command':'getUser','userId':'anna'}",
        "{'command':'getEvaluation','evaluationId':'e1'}",
        "{'command':'listSessions'}",
    };
    const struct invig_plugin *plugin = fault_userdata;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    world.engine = plugin->engine;
    world.now = (struct invig_now){FAULT_START_S, 1000000};
    for (size_t i = 0; i < COUNT(commands); i++) {
        (void)fprintf(out, "%s\n", world_command(&world, commands[i]));
    }
    for (size_t i = 0; i < COUNT(fault_pages); i++) {
        if (fault_pages[i].is_connected) {
            (void)fprintf(out, "page %zu %s %d\n", i, fault_pages[i].username,
                          fake_broker_deliver(&fault_pages[i], "evaluations/e1"));
        }
    }
    (void)fprintf(out, "keys %zu\n", invig_keyring_count(plugin->keyring));
    assert_int_equal(fclose(out), 0);
    return text;
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Nothing is sent to a client behind its disconnect. */
static void check_kicks(void)
{
    for (size_t i = 0; i < fake_broker.line_count; i++) {
        for (size_t later = i + 1; later < fake_broker.line_count; later++) {
            const char *kick = fake_broker.lines[i];
            const char *send = fake_broker.lines[later];

            assert_false(strncmp(kick, "KICK ", 5) == 0 && strncmp(send, "SEND ", 5) == 0 &&
                         strncmp(kick + 5, send + 5, strlen(kick + 5)) == 0);
        }
    }
}

/* Lets ticks pass until nothing is left to do, and writes down what was done, but for metrics and
 * for what is told to who publishes and commands. What comes again comes later than others do. */
static char *plugin_drain(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    for (int tick = 0; tick < 8; tick++) {
        fault_pass(400);
        fake_broker_tick();
    }
    check_kicks();
    qsort(fake_broker.lines, fake_broker.line_count, FAKE_LINE_BYTES, line_compare);
    for (size_t i = 0; i < fake_broker.line_count; i++) {
        if (strncmp(fake_broker.lines[i], "RETAIN $SYS/", 12) != 0 &&
            strncmp(fake_broker.lines[i], "SEND admin ", 11) != 0) {
            (void)fprintf(out, "%s\n", fake_broker.lines[i]);
        }
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

void fault_broker_begin(const struct fault_broker_event *event)
{
    fault_go_back();
    memset(fault_pages, 0, sizeof(fault_pages));
    assert_int_equal(fault_plugin_start(), MOSQ_ERR_SUCCESS);
    assert_int_equal(fake_broker_connect(&fault_admin, "admin", "password"), MOSQ_ERR_PLUGIN_DEFER);
    if (event->prepare != NULL) {
        event->prepare();
    }
    fake_broker_clear();
}

struct outcome {
    int code;
    char *texts[4]; /* before, after, what was done, in the end */
};

static struct outcome event_run(const struct fault_broker_event *event, size_t number,
                                const char **out_struck)
{
    struct outcome outcome = {0};

    fault_broker_begin(event);
    outcome.texts[0] = plugin_look();
    fault_arm(number);
    outcome.code = event->act();
    *out_struck = fault_disarm();
    outcome.texts[1] = plugin_look();
    return outcome;
}

static void event_end(struct outcome *outcome)
{
    outcome->texts[2] = plugin_drain();
    outcome->texts[3] = plugin_look();
    fault_plugin_stop();
}

static void outcome_free(struct outcome *outcome)
{
    for (size_t i = 0; i < COUNT(outcome->texts); i++) {
        free(outcome->texts[i]);
    }
}

/* All of it was done, or nothing and it is done the next time. */
static void check_outcome(const struct fault_broker_event *event, struct outcome *outcome,
                          const struct outcome *expected)
{
    if (outcome->code != expected->code || strcmp(outcome->texts[1], expected->texts[1]) != 0) {
        assert_int_equal(outcome->code, event->refused);
        assert_string_equal(outcome->texts[1], outcome->texts[0]);
        assert_int_equal(event->act(), expected->code);
        free(outcome->texts[1]);
        outcome->texts[1] = plugin_look();
    }
    event_end(outcome);
    for (size_t i = 0; i < COUNT(outcome->texts); i++) {
        assert_string_equal(outcome->texts[i], expected->texts[i]);
    }
}

void fault_broker_check(const struct fault_broker_event *event)
{
    const char *struck;
    struct outcome expected = event_run(event, 0, &struck);
    size_t number = 0;

    event_end(&expected);
    size_t heap = fault_heap_bytes();
    do {
        struct outcome outcome = event_run(event, ++number, &struck);

        check_outcome(event, &outcome, &expected);
        outcome_free(&outcome);
        if (fault_heap_bytes() != heap) {
            fail_msg("%s, call %zu (%s): memory was lost", event->name, number,
                     struck == NULL ? "none failed" : struck);
        }
    } while (struck != NULL);
    print_message("%s: %zu calls\n", event->name, number - 1);
    outcome_free(&expected);
}

static char *make_token(const char *session, int login_s)
{
    struct mint_key *key = mint_key_secret(secret, 64);
    char payload[256];
    char *token;

    (void)snprintf(payload, sizeof(payload),
                   "{\"sub\":\"anna\",\"sid\":\"%s\",\"exp\":1800003600,\"iat\":%d,"
                   "\"auth_time\":%d,\"evaluations\":[\"e1\"]}",
                   session, login_s, login_s);
    token = mint_token(key, INVIG_ALGORITHM_HS256, "{\"alg\":\"HS256\"}", payload);
    mint_key_free(key);
    return token;
}

int fault_plugin_setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(secret_path, sizeof(secret_path), "%s/secret", directory);
    (void)snprintf(state_path, sizeof(state_path), "%s/state.db", directory);
    mint_write_file(secret_path, secret, 64, 0600);
    tokens[0] = make_token("s1", FAULT_START_S - 3);
    tokens[1] = make_token("s2", FAULT_START_S - 2);
    tokens[2] = make_token("s3", FAULT_START_S - 1);
    return 0;
}

int fault_plugin_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tokens); i++) {
        free(tokens[i]);
    }
    (void)unlink(secret_path);
    return rmdir(directory);
}
