/* SPDX-License-Identifier: Apache-2.0
 *
 * test_hostile.c - a server that is none: it answers with nonsense, with too much, or for ever. The
 * connection ends, nothing waits, and no memory fills up.
 */
#include "valkeyserver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHA "$40\r\n0123456789abcdef0123456789abcdef01234567\r\n"
/* The answers to SELECT, three times SCRIPT LOAD, SET and XADD. */
#define SELECTED "+OK\r\n"
#define LOADED   SELECTED SHA SHA SHA
#define GREETING LOADED "+OK\r\n$3\r\n1-1\r\n"
#define EMPTY    "*2\r\n$1\r\n0\r\n*0\r\n"
#define POLLED   "*2\r\n$3\r\n1-1\r\n:0\r\n"

enum { STEPS_MAX = 6, HEARD_BYTES = 65536 };

/* What is said once a word was heard that was not heard before. */
struct fake_step {
    const char *heard;
    const char *said;
    long times; /* how often it is said; 0: once */
};

struct fake {
    int listener;
    int fd; /* -1: nobody is there */
    int port;
    int step;
    size_t said; /* bytes of this step */
    char heard[HEARD_BYTES];
    size_t heard_length;
    int connections;
};

static struct fake fake;
static struct valkeyclient one;

static int set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    one = (struct valkeyclient){0};
    fake = (struct fake){.fd = -1};
    fake.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fake.listener >= 0);
    assert_int_equal(bind(fake.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake.listener, 8), 0);
    assert_int_equal(getsockname(fake.listener, (struct sockaddr *)&address, &length), 0);
    assert_true(fcntl(fake.listener, F_SETFL, O_NONBLOCK) >= 0);
    fake.port = ntohs(address.sin_port);
    return 0;
}

static void fake_hang_up(void)
{
    if (fake.fd >= 0) {
        (void)close(fake.fd);
    }
    fake.fd = -1;
}

static int tear_down(void **state)
{
    (void)state;
    valkeyclient_close(&one);
    fake_hang_up();
    (void)close(fake.listener);
    return 0;
}

static void fake_accept(void)
{
    int fd = accept(fake.listener, NULL, NULL);

    if (fd < 0) {
        return;
    }
    fake_hang_up();
    fake.fd = fd;
    assert_true(fcntl(fake.fd, F_SETFL, O_NONBLOCK) >= 0);
    fake.step = 0;
    fake.said = 0;
    fake.heard_length = 0;
    fake.connections++;
}

static void fake_hear(void)
{
    ssize_t count =
        recv(fake.fd, fake.heard + fake.heard_length, sizeof fake.heard - 1 - fake.heard_length, 0);

    if (count > 0) {
        fake.heard_length += (size_t)count;
    }
    fake.heard[fake.heard_length] = '\0';
}

/* Says as much of a step as the network takes. */
static bool fake_say(const struct fake_step *step)
{
    size_t length = strlen(step->said);
    size_t all = length * (size_t)(step->times == 0 ? 1 : step->times);

    for (int i = 0; i < 2000 && fake.said < all; i++) {
        size_t at = fake.said % length;
        ssize_t count = send(fake.fd, step->said + at, length - at, MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        fake.said += (size_t)count;
    }
    return fake.said == all;
}

static void fake_turn(const struct fake_step *steps)
{
    fake_accept();
    if (fake.fd < 0) {
        return;
    }
    fake_hear();
    if (fake.step < STEPS_MAX && steps[fake.step].heard != NULL &&
        strstr(fake.heard, steps[fake.step].heard) != NULL && fake_say(&steps[fake.step])) {
        fake.step++;
        fake.said = 0;
        fake.heard_length = 0;
    }
}

/* Memory in use now, in KiB. */
static long memory_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static const struct row {
    const char *name;
    struct fake_step steps[STEPS_MAX];
    const char *reason;
} ROWS[] = {
    {"no protocol", {{"XADD", "HTTP/1.1 400 Bad Request\r\n\r\n", 0}}, "Protocol error"},
    {"an error",
     {{"XADD", SELECTED "-LOADING it\x1b[31m is \"loading\"\r\n", 0}},
     "the server says: LOADING it\\"},
    {"script is no string", {{"XADD", SELECTED ":1\r\n", 0}}, "another form"},
    {"script is short", {{"XADD", SELECTED "$4\r\nabcd\r\n", 0}}, "another form"},
    {"script is no digest",
     {{"XADD", SELECTED "$40\r\n0123456789abcdef0123456789abcdef0123456'\r\n", 0}},
     "another form"},
    {"nothing for a script", {{"XADD", SELECTED "$-1\r\n", 0}}, "another form"},
    {"no OK", {{"XADD", LOADED "+QUEUED\r\n", 0}}, "another form"},
    {"OK is a number", {{"XADD", LOADED ":1\r\n", 0}}, "another form"},
    {"id is none", {{"XADD", LOADED "+OK\r\n$5\r\n1-1'x\r\n", 0}}, "another form"},
    {"id is long",
     {{"XADD", LOADED "+OK\r\n$43\r\n1234567890123456789012345678901234567890123\r\n", 0}},
     "another form"},
    {"an answer to nothing", {{"XADD", GREETING "+OK\r\n", 0}}, "to nothing"},
    {"an error to nothing", {{"XADD", GREETING "-ERR x\r\n", 0}}, "to nothing"},
    {"an array to nothing", {{"XADD", GREETING "*1\r\n+OK\r\n", 0}}, "to nothing"},
    {"a message to nothing",
     {{"XADD", GREETING "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n", 0}},
     "to nothing"},
    {"scan is no array", {{"XADD", GREETING, 0}, {"HSCAN", "+OK\r\n", 0}}, "another form"},
    {"scan is empty", {{"XADD", GREETING, 0}, {"HSCAN", "*0\r\n", 0}}, "another form"},
    {"scan has no cursor",
     {{"XADD", GREETING, 0}, {"HSCAN", "*2\r\n*0\r\n*0\r\n", 0}},
     "another form"},
    {"scan has a strange cursor",
     {{"XADD", GREETING, 0}, {"HSCAN", "*2\r\n$2\r\n-1\r\n*0\r\n", 0}},
     "another form"},
    {"scan has a long cursor",
     {{"XADD", GREETING, 0}, {"HSCAN", "*2\r\n$21\r\n111111111111111111111\r\n*0\r\n", 0}},
     "another form"},
    {"scan is odd",
     {{"XADD", GREETING, 0}, {"HSCAN", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n", 0}},
     "another form"},
    {"scan has no fields",
     {{"XADD", GREETING, 0}, {"HSCAN", "*2\r\n$1\r\n0\r\n$1\r\na\r\n", 0}},
     "another form"},
    {"poll is a number",
     {{"XADD", GREETING, 0}, {"HSCAN", EMPTY, 0}, {"HSCAN", EMPTY, 0}, {"EVALSHA", ":1\r\n", 0}},
     "another form"},
    {"poll is nothing",
     {{"XADD", GREETING, 0}, {"HSCAN", EMPTY, 0}, {"HSCAN", EMPTY, 0}, {"EVALSHA", "$-1\r\n", 0}},
     "the stream has lost"},
    {"poll has no id",
     {{"XADD", GREETING, 0},
      {"HSCAN", EMPTY, 0},
      {"HSCAN", EMPTY, 0},
      {"EVALSHA", "*2\r\n:1\r\n:0\r\n", 0}},
     "another form"},
    {"too many elements", {{"XADD", "*2147483647\r\n", 0}}, "too long an answer"},
    {"more than there are", {{"XADD", "*9223372036854775807\r\n", 0}}, ""},
    {"fewer than none", {{"XADD", "*-7\r\n", 0}}, ""},
    {"many elements in many", {{"XADD", "*1000000\r\n", 6}}, "of another kind"},
    {"too deep", {{"XADD", "*1\r\n", 100000}}, "of another kind"},
    {"too long a string",
     {{"XADD", "$9223372036854775807\r\n", 0}, {"", "0123456789abcdef0123456789abcdef", 10000000}},
     "too long an answer"},
    {"a string without an end",
     {{"XADD", "$2000000000\r\n", 0}, {"", "0123456789abcdef0123456789abcdef", 10000000}},
     "too long an answer"},
    {"a line without an end",
     {{"XADD", "+", 0}, {"", "0123456789abcdef0123456789abcdef", 10000000}},
     "too long a line"},
    {"a number without an end",
     {{"XADD", ":", 0}, {"", "0123456789abcdef0123456789abcdef", 10000000}},
     "too long a line"},
    {"an array without an end",
     {{"XADD", "*8000000\r\n", 0}, {"", "$-1\r\n$-1\r\n$-1\r\n$-1\r\n", 10000000}},
     "too long an answer"},
    {"answers without an end", {{"XADD", GREETING, 0}, {"HSCAN", EMPTY, 100000}}, "to nothing"},
    {"zeros", {{"XADD", "\xff\xfe\x01", 0}}, "Protocol error"},
};

static void assert_gives_up(const struct row *row)
{
    int64_t until_ms = valkeyclient_now_ms() + 60000;
    long before_kib = memory_kib();

    print_message("%s\n", row->name);
    valkeyclient_open(&one, fake.port, NULL);
    fake.connections = 0;
    while (one.log_count == 0) {
        fake_turn(row->steps);
        (void)valkeyclient_next(&one);
        assert_false(one.share.is_available(one.share.context));
        if (valkeyclient_now_ms() > until_ms) {
            fail_msg("%s: it goes on", row->name);
        }
    }
    if (strstr(one.log, row->reason) == NULL || strstr(one.log, "no answer") != NULL) {
        fail_msg("%s: %s", row->name, one.log);
    }
    assert_null(strpbrk(one.log, "\r\n\x1b"));
    /* The sanitizer keeps what was freed: room for that too. */
    assert_in_range(memory_kib(), 0, before_kib + 700 * 1024);
    assert_int_equal(one.counts[INVIG_NEWS_READY], 0);
    valkeyclient_close(&one);
    fake_hang_up();
    fake_accept();
    fake_hang_up();
}

static void test_hostile_answers_end_the_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_gives_up(&ROWS[i]);
    }
}

static void turn_until(const struct fake_step *steps, enum invig_news_kind kind)
{
    int64_t until_ms = valkeyclient_now_ms() + 20000;

    while (one.counts[kind] == 0) {
        fake_turn(steps);
        (void)valkeyclient_next(&one);
        if (valkeyclient_now_ms() > until_ms) {
            fail_msg("no news of kind %d; log: %s", kind, one.log);
        }
    }
}

/* It accepts, and says nothing: the greeting has its time too. */
static void test_hostile_silence_is_given_up(void **state)
{
    static const struct fake_step silence[STEPS_MAX] = {{NULL, NULL, 0}};

    (void)state;
    valkeyclient_open(&one, fake.port, NULL);
    for (int i = 0; i < 50 || fake.connections == 0; i++) {
        fake_turn(silence);
        (void)valkeyclient_next(&one);
    }
    assert_int_equal(one.log_count, 0);
    one.ahead_ms += 4000;
    (void)valkeyclient_next(&one);
    assert_int_equal(one.log_count, 0);
    one.ahead_ms += 1000;
    (void)valkeyclient_next(&one);
    assert_int_equal(one.log_count, 1);
    assert_non_null(strstr(one.log, "no answer for 5 s"));
}

/* It hangs up while its answers are news already: they are given, and LOST comes behind them. */
static void test_hostile_end_comes_behind_the_news(void **state)
{
    static const struct fake_step steps[STEPS_MAX] = {
        {"XADD", GREETING, 0},
        {"HSCAN", "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$3\r\n1 x\r\n$1\r\nb\r\n$3\r\n2 y\r\n", 0},
    };

    (void)state;
    valkeyclient_open(&one, fake.port, NULL);
    turn_until(steps, INVIG_NEWS_USER);
    fake_hang_up();
    assert_text(one.news.user, "a");
    assert_true(valkeyclient_next(&one));
    assert_text(one.news.user, "b");
    assert_int_equal(one.news.revision, 2);
    valkeyclient_await(&one, INVIG_NEWS_LOST);
    assert_int_equal(one.counts[INVIG_NEWS_READY], 0);
}

/* READY, an offer, and then something that is no answer to it. */
static void test_hostile_answer_to_an_offer(void **state)
{
    static const char *const answers[] = {
        ":1\r\n",
        "*3\r\n:1\r\n$1\r\n0\r\n$0\r\n\r\n",
        "*3\r\n:0\r\n$2\r\n-1\r\n$0\r\n\r\n",
        "*3\r\n:0\r\n$1\r\n1\r\n$-1\r\n",
        "*3\r\n$1\r\n1\r\n$1\r\n1\r\n$0\r\n\r\n",
        "*2\r\n:1\r\n$1\r\n1\r\n",
        "*3\r\n:0\r\n:1\r\n$0\r\n\r\n",
        "*-1\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct fake_step steps[STEPS_MAX] = {
            {"XADD", GREETING, 0},
            {"HSCAN", EMPTY, 0},
            {"HSCAN", EMPTY, 0},
            {"EVALSHA", POLLED, 0},
            /* A poll and names may be asked before. */
            {"anna", answers[i], 0},
        };
        valkeyclient_open(&one, fake.port, NULL);
        turn_until(steps, INVIG_NEWS_READY);
        assert_true(valkeyclient_offer(&one, "anna", 0, "x"));
        turn_until(steps, INVIG_NEWS_LOST);
        assert_int_equal(one.counts[INVIG_NEWS_ACCEPTED] + one.counts[INVIG_NEWS_REFUSED], 0);
        assert_int_equal(one.log_count, 1);
        valkeyclient_close(&one);
        fake_hang_up();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_hostile_answers_end_the_connection),
        TEST(test_hostile_silence_is_given_up),
        TEST(test_hostile_end_comes_behind_the_news),
        TEST(test_hostile_answer_to_an_offer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
