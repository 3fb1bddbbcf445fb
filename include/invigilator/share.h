/* SPDX-License-Identifier: Apache-2.0
 *
 * share.h - what several brokers know together, behind function pointers: a server that keeps one
 * text for each user and one for each topic of an evaluation, and tells each broker what the others
 * have changed. The engine reaches it through nothing else.
 *
 * Nothing waits. A text of a user is offered in the place of the one that the broker knows, and is
 * refused where another broker was faster; the answer is among the news of a later call.
 * Not thread-safe: broker thread only.  Depends on: text.
 */
#ifndef INVIGILATOR_SHARE_H
#define INVIGILATOR_SHARE_H

#include "invigilator/text.h"

#include <stdint.h>

enum invig_news_kind {
    INVIG_NEWS_NONE = 0,
    INVIG_NEWS_USER, /* what the server has of `user`: `text`, absent: nothing; `revision`. Where
                        an offer of ours waits, it is still unanswered */
    INVIG_NEWS_ACCEPTED, /* our offer about `user` is what the server has, as `revision` */
    INVIG_NEWS_REFUSED,  /* our offer about `user` is void; the server has `text` as `revision` */
    INVIG_NEWS_TOPIC,    /* the last message on evaluations/{evaluation}, or with `user` on that
                            user's topic in it, is `text`; absent: it was cleared */
    INVIG_NEWS_READY,    /* the server is there, and all that it has has been given */
    INVIG_NEWS_LOST, /* it is not there; whether it took what it has not answered is not known */
    INVIG_NEWS_GONE  /* the broker of this `name` has ended, or is cut off from the server */
};

/* One piece of news. Texts are borrowed until the next call. */
struct invig_news {
    enum invig_news_kind kind;
    uint64_t revision; /* rises with each text of the user; 0: the server has none */
    struct invig_text user;
    struct invig_text evaluation;
    struct invig_text text;
    struct invig_text name;
};

enum {
    INVIG_SHARE_NAME_BYTES_MAX = 32,
    INVIG_SHARE_TEXT_BYTES_MAX = 262144 /* of a user */
};

struct invig_share {
    void *context;

    /* What the other brokers know this one by: unique for each start, ASCII letters and digits, at
     * most INVIG_SHARE_NAME_BYTES_MAX. */
    struct invig_text name;

    /* Offers `text` (absent: nothing is known any more) as what is known of `user`, in the place of
     * `revision`. No offer about that user may be waiting. Returns whether it was sent; it is then
     * answered by ACCEPTED or REFUSED, or is void by LOST. */
    bool (*offer)(void *context, struct invig_text user, uint64_t revision, struct invig_text text);

    /* Keeps `text` (absent: no more) as the last message on evaluations/{evaluation}, or with
     * `user` on that user's topic in it. The last broker to say it is right. Returns whether it was
     * sent; no answer comes. */
    bool (*keep)(void *context, struct invig_text evaluation, struct invig_text user,
                 struct invig_text text);

    /* Asks to be told, as GONE, when the broker of this name is not there, or no more. */
    void (*watch)(void *context, struct invig_text name);

    /* Takes the next piece of news. Reads and writes what can be without waiting.
     *
     *   steady_ms   milliseconds; never decreases from call to call
     *
     * Returns false when there is none: out_news is of kind NONE. */
    bool (*next)(void *context, int64_t steady_ms, struct invig_news *out_news);

    /* Whether the server is there, has given all that it has, and answers in time. */
    bool (*is_available)(const void *context);

    /* Closes it and frees what `context` holds. */
    void (*close)(void *context);
};

#endif
