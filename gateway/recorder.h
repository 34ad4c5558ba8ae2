/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The newest RECORDER_MAX finished exchanges, for the inspector, /api/events, what-if questions and
 * the HAR export.
 *
 * Nothing is recorded while nobody looks: the request path then pays one relaxed load. Whoever
 * looks (an open event stream, a question about requests) switches recording on for
 * RECORDER_LINGER_MS more; "admin": {"record": true} keeps it on for good.
 *
 * Thread: any; one short lock, never held across a callback. Owns: a reference on each record.
 * Limits: RECORDER_MAX records of RECORD_BYTES_MAX, the oldest goes first. */
#include <pthread.h>
#include <stdatomic.h>

#include "gateway/record.h"

#define RECORDER_MAX       1000
#define RECORDER_LINGER_MS ((uint64_t)600 * 1000)

struct recorder {
    _Atomic bool on;
    pthread_mutex_t lock;
    uint64_t until_ms;                 /* real monotonic; UINT64_MAX: for good */
    uint64_t next;                     /* number of the next record */
    struct record *ring[RECORDER_MAX]; /* number n at n % RECORDER_MAX */
};

void recorder_init(struct recorder *r);
void recorder_release(struct recorder *r);

static inline bool recorder_is_on(const struct recorder *r)
{
    return atomic_load_explicit(&r->on, memory_order_relaxed);
}
/* Somebody looks. now_ms: real monotonic. */
void recorder_look(struct recorder *r, uint64_t now_ms);
/* What the configuration says. */
void recorder_keep(struct recorder *r, bool always);
/* Takes the record over. Switches itself off when nobody has looked for long. */
void recorder_add(struct recorder *r, struct record *record, uint64_t now_ms);

/* The number the next record will get: where a stream of news starts. */
uint64_t recorder_next(struct recorder *r);
/* References on the records from number `from` on, oldest first, at most `max`; *missed: how many
 * of those asked for are gone already. */
size_t recorder_list(struct recorder *r, uint64_t from, struct record **out, size_t max,
                     uint64_t *missed);
/* By Ray id, with or without "-FRA"; a reference or NULL. */
struct record *recorder_find(struct recorder *r, struct gw_str ray);
