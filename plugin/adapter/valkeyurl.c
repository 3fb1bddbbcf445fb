/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeyurl.c - where the server is: the URL, and the addresses of its host.
 */
#include "valkey_private.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    PORT_DEFAULT = 6379,
    PORT_MAX = 65535,
    FOUND_BYTES_MAX = 64 /* of a value in an error text */
};

#define URL_EXPECTED "valkey://host[:port][/database], or with redis, valkeys or rediss"

/* `found` is escaped; NULL: nothing of the URL is shown. */
static enum invig_status url_refuse(const char *found, const char *what, const char *expected,
                                    char error[INVIG_POLICY_ERROR_BYTES])
{
    char escaped[4 * FOUND_BYTES_MAX + 4];

    if (found == NULL) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "plugin_opt_state_url: found %s, expected %s",
                 what, expected);
    } else {
        invig_logline_escape(invig_text_of(found), FOUND_BYTES_MAX, escaped, sizeof escaped);
        snprintf(error, INVIG_POLICY_ERROR_BYTES,
                 "plugin_opt_state_url: found \"%s\", %s, expected %s", escaped, what, expected);
    }
    return INVIG_ERR_INVALID;
}

static struct invig_text text_skip(struct invig_text text, size_t count)
{
    return (struct invig_text){text.data + count, text.length - count};
}

/* Splits `text` at the first of the bytes in `marks`, which stays at the head of *out_rest. */
static struct invig_text text_split(struct invig_text text, const char *marks,
                                    struct invig_text *out_rest)
{
    size_t length = 0;

    while (length < text.length && strchr(marks, text.data[length]) == NULL) {
        length++;
    }
    *out_rest = text_skip(text, length);
    return (struct invig_text){text.data, length};
}

static bool url_take_scheme(struct invig_text *rest, bool *out_is_tls)
{
    static const struct {
        const char *word;
        bool is_tls;
    } schemes[] = {
        {"valkey://", false}, {"redis://", false}, {"valkeys://", true}, {"rediss://", true}};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct invig_text scheme = invig_text_of(schemes[i].word);
        struct invig_text start = {rest->data, scheme.length};
        if (rest->length >= scheme.length && invig_text_equal_nocase(start, scheme)) {
            *rest = text_skip(*rest, scheme.length);
            *out_is_tls = schemes[i].is_tls;
            return true;
        }
    }
    return false;
}

static bool number_read(struct invig_text text, int maximum, int *out)
{
    int number = 0;

    if (text.length == 0) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
        if (number > maximum) {
            return false;
        }
    }
    *out = number;
    return true;
}

static bool text_has_only(struct invig_text text, const char *bytes)
{
    struct invig_text rest = text;

    while (rest.length > 0 && strchr(bytes, rest.data[0]) != NULL && rest.data[0] != '\0') {
        rest = text_skip(rest, 1);
    }
    return rest.length == 0;
}

#define DIGITS "0123456789"

/* A name, or an address; one of IPv6 stands in brackets. */
static bool url_take_host(struct invig_text *rest, char out_host[VALKEY_HOST_BYTES_MAX + 1])
{
    bool is_bracketed = rest->length > 0 && rest->data[0] == '[';
    struct invig_text host;

    if (is_bracketed) {
        host = text_split(text_skip(*rest, 1), "]", rest);
        if (rest->length == 0 || !text_has_only(host, DIGITS "abcdefABCDEF:.")) {
            return false;
        }
        *rest = text_skip(*rest, 1);
    } else {
        host = text_split(*rest, ":/", rest);
        if (!text_has_only(host,
                           DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_")) {
            return false;
        }
    }
    if (host.length == 0 || host.length > VALKEY_HOST_BYTES_MAX ||
        (is_bracketed && memchr(host.data, ':', host.length) == NULL)) {
        return false;
    }
    memcpy(out_host, host.data, host.length);
    out_host[host.length] = '\0';
    return true;
}

static bool url_take_port(struct invig_text *rest, int *out_port)
{
    *out_port = PORT_DEFAULT;
    if (rest->length == 0 || rest->data[0] != ':') {
        return true;
    }
    struct invig_text port = text_split(text_skip(*rest, 1), "/", rest);
    return number_read(port, PORT_MAX, out_port) && *out_port > 0;
}

static bool url_take_database(struct invig_text rest, int *out_database)
{
    *out_database = 0;
    if (rest.length <= 1) {
        return rest.length == 0 || rest.data[0] == '/';
    }
    return rest.data[0] == '/' &&
           number_read(text_skip(rest, 1), VALKEY_DATABASE_MAX, out_database);
}

enum invig_status invig_valkeyurl_parse(const char *url, struct valkey_url *out_url,
                                        char error[INVIG_POLICY_ERROR_BYTES])
{
    struct invig_text rest = invig_text_of(url);

    *out_url = (struct valkey_url){0};
    /* Before all else, so that no other text shows what stands before it. */
    if (strchr(url, '@') != NULL) {
        return url_refuse(NULL, "a user or a password in the URL",
                          "them in the file of plugin_opt_state_auth_file", error);
    }
    if (strpbrk(url, "?#") != NULL) {
        return url_refuse(url, "with a query or a fragment", URL_EXPECTED, error);
    }
    if (!url_take_scheme(&rest, &out_url->is_tls)) {
        return url_refuse(url, "whose scheme is another one", URL_EXPECTED, error);
    }
    if (!url_take_host(&rest, out_url->host)) {
        return url_refuse(url, "which names no host",
                          "a name, an IPv4 address, or an IPv6 address in brackets", error);
    }
    if (!url_take_port(&rest, &out_url->port)) {
        return url_refuse(url, "whose port is none", "a port from 1 to 65535 behind the host",
                          error);
    }
    if (!url_take_database(rest, &out_url->database)) {
        return url_refuse(url, "whose database is none", "a number from 0 to 65535 behind the /",
                          error);
    }
    return INVIG_OK;
}

enum invig_status invig_valkeyurl_resolve(const struct valkey_url *url,
                                          struct valkey_addresses *out_addresses,
                                          char error[INVIG_POLICY_ERROR_BYTES])
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(url->host, NULL, &hints, &list);
    char what[160];

    out_addresses->count = 0;
    for (const struct addrinfo *each = list;
         code == 0 && each != NULL && out_addresses->count < VALKEY_ADDRESSES_MAX;
         each = each->ai_next) {
        char *text = out_addresses->texts[out_addresses->count];
        if (getnameinfo(each->ai_addr, each->ai_addrlen, text, VALKEY_ADDRESS_BYTES, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            out_addresses->count++;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    if (out_addresses->count > 0) {
        return INVIG_OK;
    }
    snprintf(what, sizeof what, "which has no address (%s)",
             code == 0 ? "none that can be used" : gai_strerror(code));
    return url_refuse(url->host, what, "the name of a host that can be looked up", error);
}
