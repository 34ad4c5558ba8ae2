/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/recorder.h"

void recorder_init(struct recorder *r)
{
    memset(r, 0, sizeof(*r));
    atomic_init(&r->on, false);
    pthread_mutex_init(&r->lock, NULL);
    r->next = 1;
}

void recorder_release(struct recorder *r)
{
    for (size_t i = 0; i < RECORDER_MAX; i++)
        record_unref(r->ring[i]);
    pthread_mutex_destroy(&r->lock);
}

/* Under the lock although `on` is atomic: else a look could be lost between recorder_add's test and
 * its switching off. */
void recorder_look(struct recorder *r, uint64_t now_ms)
{
    pthread_mutex_lock(&r->lock);
    if (r->until_ms != UINT64_MAX)
        r->until_ms = now_ms + RECORDER_LINGER_MS;
    atomic_store_explicit(&r->on, true, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
}

/* Switched off by a reload, it goes on until the next exchange finds that nobody looks. */
void recorder_keep(struct recorder *r, bool always)
{
    pthread_mutex_lock(&r->lock);
    if (always)
        atomic_store_explicit(&r->on, true, memory_order_relaxed);
    if (always || r->until_ms == UINT64_MAX)
        r->until_ms = always ? UINT64_MAX : 0;
    pthread_mutex_unlock(&r->lock);
}

void recorder_add(struct recorder *r, struct record *record, uint64_t now_ms)
{
    pthread_mutex_lock(&r->lock);
    if (now_ms > r->until_ms)
        atomic_store_explicit(&r->on, false, memory_order_relaxed);
    record->number = r->next++;
    struct record **slot = &r->ring[record->number % RECORDER_MAX];
    struct record *old = *slot;
    *slot = record;
    pthread_mutex_unlock(&r->lock);
    record_unref(old); /* frees: not while others wait for the lock */
}

uint64_t recorder_next(struct recorder *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t next = r->next;
    pthread_mutex_unlock(&r->lock);
    return next;
}

size_t recorder_list(struct recorder *r, uint64_t from, struct record **out, size_t max,
                     uint64_t *missed)
{
    size_t count = 0;
    pthread_mutex_lock(&r->lock);
    uint64_t oldest = r->next > RECORDER_MAX ? r->next - RECORDER_MAX : 1;
    *missed = from < oldest ? oldest - from : 0;
    for (uint64_t n = from < oldest ? oldest : from; n < r->next && count < max; n++)
        out[count++] = record_ref(r->ring[n % RECORDER_MAX]);
    pthread_mutex_unlock(&r->lock);
    return count;
}

/* By walking: people ask, one at a time, and an index would cost every exchange something. */
struct record *recorder_find(struct recorder *r, struct gw_str ray)
{
    struct record *found = NULL;
    ray = gw_str_first(ray, gw_str_chr(ray, '-'));
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < RECORDER_MAX && !found; i++)
        if (r->ring[i] && gw_str_eq(r->ring[i]->ray, ray))
            found = record_ref(r->ring[i]);
    pthread_mutex_unlock(&r->lock);
    return found;
}
