/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Keeps hiredis from what a server could do to it. hiredis takes a server at its word: an answer
 * that nobody asked for, or a message of another form than Redis sends, is an assertion and ends
 * the process; an array is reserved before its elements have come, so a line of twelve bytes costs
 * gigabytes. Whoever can speak for the server (a wrong port, a proxy in between) must not end more
 * than the connection.
 *
 * It stands where hiredis makes its reply objects; an object that it refuses ends the connection.
 * Thread: the loop's. Owns: nothing; it outlives the context. Limits: REDIS_ELEMENTS_MAX elements
 * in an answer, REDIS_UNREAD_MAX bytes of one that is not whole yet. */
#include <hiredis/async.h>

#include "gateway/base/base.h"

#define REDIS_ELEMENTS_MAX ((size_t)1 << 17) /* a map of 16384 ranges of slots has half of it */
#define REDIS_UNREAD_MAX   ((size_t)16 << 20)

struct redis_reader {
    redisAsyncContext *ac;
    redisReplyObjectFunctions own, usual;
    size_t elements;     /* so far, of the answer that is being read */
    bool awaited;        /* somebody asked for it; else it must be a message */
    const char *refused; /* why the connection ended, or NULL */
};

/* Before anything was read. */
void redis_reader_install(struct redis_reader *r, redisAsyncContext *ac);
/* Asked after each read: is there more of an answer than there may be? */
bool redis_reader_is_full(const struct redis_reader *r);
