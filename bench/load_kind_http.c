/* SPDX-License-Identifier: Apache-2.0
 *
 * load_kind_http.c - a client that follows an event stream, and one that posts messages on a
 * connection that is kept. The password is the bearer token of both. See load_kind.h.
 */
#include "load_clock.h"
#include "load_kind.h"

#include <stdio.h>
#include <string.h>

/* All of a request but its own headers and the empty line. */
static void http_add_request(struct load_client *client, const char *method, const void *path,
                             size_t path_length)
{
    struct load_buffer *out = &client->out;
    char text[128];

    (void)snprintf(text, sizeof text, " HTTP/1.1\r\nHost: %.64s:%u\r\n", client->settings->host,
                   client->settings->port);
    load_buffer_add_text(out, method);
    load_buffer_add(out, path, path_length);
    load_buffer_add_text(out, text);
    load_buffer_add_text(out, "Authorization: Bearer ");
    load_buffer_add_text(out, client->login->password);
    load_buffer_add_text(out, "\r\n");
}

/* -- Event streams -- */

static void sse_on_connected(struct load_client *client)
{
    const char *path = client->settings->path;

    client->state = LOAD_GREETING;
    http_add_request(client, "GET ", path, strlen(path));
    load_buffer_add_text(&client->out, "Accept: text/event-stream\r\n\r\n");
}

static bool sse_take_head(struct load_client *client)
{
    struct load_http_head head;
    enum load_http_found found = load_http_find(&client->raw, &head);

    if (found == LOAD_HTTP_PART) {
        return false;
    }
    if (found == LOAD_HTTP_BROKEN) {
        load_client_fail(client, "what came is no HTTP");
    } else if (head.status != 200) {
        load_client_fail(client, "the login was refused");
    } else if (!load_http_header_is(&head, "content-type", "text/event-stream") ||
               !load_http_body_init(&client->body, &head)) {
        load_client_fail(client, "the answer is no event stream");
    } else {
        load_buffer_take(&client->raw, head.total);
        client->connack_ms = load_now_ms();
        client->state = LOAD_SUBSCRIBING;
    }
    return client->state != LOAD_FAILED;
}

static void sse_on_event(struct load_client *client)
{
    const struct load_sse *sse = &client->sse;

    if (client->state == LOAD_READY && sse->has_data) {
        load_client_hear(client, load_buffer_data(&sse->data), load_buffer_length(&sse->data));
    } else if (client->state == LOAD_SUBSCRIBING && sse->is_ready) {
        load_client_be_ready(client);
    } else if (client->state == LOAD_SUBSCRIBING) {
        load_client_fail(client, "the first event is not ready");
    }
}

static void sse_take_events(struct load_client *client)
{
    enum load_sse_found found = LOAD_SSE_PART;

    while (client->state != LOAD_FAILED &&
           (found = load_sse_take(&client->sse, &client->stream)) == LOAD_SSE_WHOLE) {
        sse_on_event(client);
    }
    if (client->state != LOAD_FAILED && found == LOAD_SSE_BROKEN) {
        load_client_fail(client, "an event is too long");
    }
}

static void sse_on_bytes(struct load_client *client)
{
    if (client->state == LOAD_GREETING && !sse_take_head(client)) {
        return;
    }
    enum load_http_found found = load_http_body_take(&client->body, &client->raw, &client->stream);
    sse_take_events(client);
    if (client->state != LOAD_FAILED && found != LOAD_HTTP_PART) {
        load_client_fail(client, found == LOAD_HTTP_WHOLE ? "the server ended the event stream"
                                                          : "what came is no HTTP");
    }
}

/* -- Posts -- */

static void post_on_connected(struct load_client *client)
{
    load_client_be_ready(client);
}

static void post_publish(struct load_client *client, const struct load_mqtt_message *message)
{
    char text[128];

    client->is_answer_due = true;
    http_add_request(client, "POST ", message->topic, message->topic_length);
    (void)snprintf(text, sizeof text,
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                   message->length);
    load_buffer_add_text(&client->out, text);
    load_buffer_add(&client->out, message->payload, message->length);
}

static bool post_take_head(struct load_client *client)
{
    struct load_http_head head;
    enum load_http_found found = load_http_find(&client->raw, &head);

    if (found == LOAD_HTTP_PART) {
        return false;
    }
    if (found == LOAD_HTTP_BROKEN || !client->is_answer_due) {
        load_client_fail(client, "what came is no HTTP");
    } else if (head.status < 200 || head.status > 299) {
        load_client_fail(client, "the message was refused");
    } else if (!load_http_body_init(&client->body, &head) ||
               client->body.state == LOAD_HTTP_UNTIL_CLOSE) {
        load_client_fail(client, "the answer has no clear end");
    } else {
        load_buffer_take(&client->raw, head.total);
        client->is_in_body = true;
    }
    return client->state != LOAD_FAILED;
}

/* What the answers say is of no interest, but the end of one must be known. */
static void post_on_bytes(struct load_client *client)
{
    if (!client->is_in_body && !post_take_head(client)) {
        return;
    }
    enum load_http_found found = load_http_body_take(&client->body, &client->raw, &client->stream);
    load_buffer_take(&client->stream, load_buffer_length(&client->stream));
    if (found == LOAD_HTTP_PART) {
        return;
    }
    if (found == LOAD_HTTP_BROKEN || load_buffer_length(&client->raw) > 0) {
        load_client_fail(client, "what came is no HTTP");
        return;
    }
    client->is_in_body = false;
    client->is_answer_due = false;
}

const struct load_kind *load_kind_http(enum load_transport transport)
{
    static const struct load_kind sse = {
        .reads_raw = true, .on_connected = sse_on_connected, .on_bytes = sse_on_bytes};
    static const struct load_kind post = {.reads_raw = true,
                                          .on_connected = post_on_connected,
                                          .on_bytes = post_on_bytes,
                                          .publish = post_publish};

    return transport == LOAD_SSE ? &sse : &post;
}
