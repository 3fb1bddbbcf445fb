/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_access.c - see engine.h: what a connection may subscribe to, receive and publish.
 */
#include "engine_private.h"

static bool connection_is_live(const struct invig_engine *engine,
                               const struct invig_connection *connection)
{
    return connection->state == INVIG_CONNECTION_OPEN && engine->now.wall_s < connection->ends_s;
}

/* The two topics whose messages are state of an evaluation. A will to them is never sent: the
 * broker shows a will to no plugin before it is routed. */
static bool topic_is_evaluation_state(const struct invig_topic *topic)
{
    return topic->kind == INVIG_TOPIC_EVALUATION || topic->kind == INVIG_TOPIC_EVALUATION_USER;
}

static void engine_log_denial(struct invig_engine *engine,
                              const struct invig_connection *connection, const char *access,
                              struct invig_text topic)
{
    struct invig_logline line;
    char masked[INVIG_LOGLINE_VALUE_BYTES + 1];

    engine->stats.acl_denied++;
    if (!invig_engine_begin_line(engine, &engine->denials, "acl_denied", &line)) {
        return;
    }
    invig_topic_mask(topic, masked, sizeof(masked));
    invig_logline_add(&line, "access", invig_text_of(access));
    invig_logline_add(&line, "user", connection->subject.user);
    invig_logline_add(&line, "client", connection->client_id);
    invig_logline_add(&line, "topic", invig_text_of(masked));
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

/* Whether rights.c looks at what a connection is to the evaluation of a topic: a service needs not
 * be anything to it, and what a student has of it besides its own topics is the one of all. */
static bool standing_counts(enum invig_role role, const struct invig_topic *topic)
{
    return role == INVIG_ROLE_PROFESSOR ||
           (role == INVIG_ROLE_STUDENT && topic->kind == INVIG_TOPIC_EVALUATION);
}

static enum invig_standing engine_standing(const struct invig_engine *engine,
                                           const struct invig_connection *connection,
                                           const struct invig_topic *topic)
{
    return standing_counts(connection->subject.role, topic)
               ? invig_engine_standing(engine, connection, topic->evaluation)
               : INVIG_STANDING_NONE;
}

enum invig_verdict invig_engine_subscribe(struct invig_engine *engine,
                                          const struct invig_connection *connection,
                                          struct invig_text filter)
{
    struct invig_topic topic;

    engine->overtaken = NULL;
    if (connection->state == INVIG_CONNECTION_DEFERRED) {
        return INVIG_DEFER;
    }
    if (connection_is_live(engine, connection)) {
        invig_topic_parse_filter(engine->topic_prefix, filter, &topic);
        if (invig_rights_may_subscribe(&connection->subject,
                                       engine_standing(engine, connection, &topic), &topic)) {
            return INVIG_ALLOW;
        }
    }
    engine_log_denial(engine, connection, "subscribe", filter);
    return INVIG_DENY;
}

enum invig_verdict invig_engine_deliver(const struct invig_engine *engine,
                                        const struct invig_connection *connection,
                                        struct invig_text topic)
{
    struct invig_topic name;

    if (connection->state == INVIG_CONNECTION_DEFERRED) {
        return INVIG_DEFER;
    }
    if (!connection_is_live(engine, connection)) {
        return INVIG_DENY;
    }
    invig_topic_parse_name(engine->topic_prefix, topic, &name);
    return invig_rights_may_receive(&connection->subject,
                                    engine_standing(engine, connection, &name), &name)
               ? INVIG_ALLOW
               : INVIG_DENY;
}

/* A will: of a connection that is gone or about to be. */
static enum invig_verdict engine_publish_will(const struct invig_connection *connection,
                                              const struct invig_topic *topic)
{
    if (!connection->was_open || topic_is_evaluation_state(topic)) {
        return INVIG_DENY;
    }
    if (connection->subject.role == INVIG_ROLE_NONE) {
        return INVIG_DEFER;
    }
    return invig_rights_may_publish(&connection->subject, topic) ? INVIG_ALLOW : INVIG_DENY;
}

static enum invig_verdict engine_publish_decide(const struct invig_engine *engine,
                                                const struct invig_connection *connection,
                                                bool is_overtaken, const struct invig_topic *topic)
{
    switch (connection->state) {
    case INVIG_CONNECTION_DEFERRED:
        return is_overtaken && topic_is_evaluation_state(topic) ? INVIG_DENY : INVIG_DEFER;
    case INVIG_CONNECTION_OPEN:
        return connection_is_live(engine, connection) &&
                       invig_rights_may_publish(&connection->subject, topic)
                   ? INVIG_ALLOW
                   : INVIG_DENY;
    case INVIG_CONNECTION_REPLACED:
    case INVIG_CONNECTION_DEPARTED:
        return engine_publish_will(connection, topic);
    case INVIG_CONNECTION_CLOSED:
    case INVIG_CONNECTION_TOLD:
        break;
    }
    return INVIG_DENY;
}

enum invig_verdict invig_engine_publish(struct invig_engine *engine,
                                        const struct invig_connection *connection,
                                        struct invig_text topic)
{
    struct invig_topic name;
    bool is_overtaken = engine->overtaken == connection;
    enum invig_verdict verdict;

    engine->overtaken = NULL;
    invig_topic_parse_name(engine->topic_prefix, topic, &name);
    verdict = engine_publish_decide(engine, connection, is_overtaken, &name);
    if (verdict == INVIG_DENY) {
        engine_log_denial(engine, connection, "publish", topic);
    }
    return verdict;
}

enum invig_verdict invig_engine_unknown(const struct invig_engine *engine,
                                        enum invig_operation operation, struct invig_text username,
                                        struct invig_text topic)
{
    struct invig_topic name;

    /* An MQTT session of a token client that outlived its connection queues nothing, and a late
     * will of it is not sent. User ids and names in the password file do not overlap, so the name
     * tells. */
    if (invig_sessions_find_user(&engine->sessions, username) != NULL) {
        return INVIG_DENY;
    }
    if (operation != INVIG_OPERATION_PUBLISH) {
        return INVIG_DEFER;
    }
    invig_topic_parse_name(engine->topic_prefix, topic, &name);
    return name.tree == INVIG_TREE_OTHER ? INVIG_DEFER : INVIG_DENY;
}
