/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/fill_private.h"

/* A waiter is linked while it waits, so taking it back is unlinking it. The only moment at which it
 * is neither linked nor forgotten is while its notify runs without the lock; that call is then
 * listed in fill->calls, and who wants the waiter back waits for it to return. The list is on the
 * notifier's stack, so a waiter may be freed the instant its notify has told its owner. */
struct fill_call {
    struct fill_call *next;
    const struct cache_waiter *waiter;
};

static bool is_called(const struct cache_fill *fill, const struct cache_waiter *w)
{
    for (const struct fill_call *c = fill->calls; c; c = c->next)
        if (c->waiter == w)
            return true;
    return false;
}

static void forget_call(struct cache_fill *fill, const struct fill_call *call)
{
    struct fill_call **at = &fill->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    pthread_cond_broadcast(&fill->called);
}

/* The lock is held on both ends and free in between. */
static void call_out(struct cache_fill *fill, struct cache_waiter *w)
{
    struct fill_call call = {.next = fill->calls, .waiter = w};
    fill->calls = &call;
    pthread_mutex_unlock(&fill->lock);
    w->notify(w);
    pthread_mutex_lock(&fill->lock);
    forget_call(fill, &call);
}

void cache_fill_changed(struct cache_fill *fill)
{
    struct gw_list due, *link;
    fill->version++;
    /* Moved aside first: who waits anew meanwhile waits for the next change. */
    gw_list_take(&due, &fill->waiters);
    while ((link = gw_list_pop(&due)))
        call_out(fill, gw_list_entry(link, struct cache_waiter, link));
    pthread_mutex_unlock(&fill->lock);
}

void cache_fill_resumed(struct cache_fill *fill)
{
    struct cache_waiter *leader = fill->resume;
    fill->resume = NULL;
    if (leader)
        call_out(fill, leader);
}

bool cache_fill_resume(struct cache_fill *fill, struct cache_waiter *w)
{
    pthread_mutex_lock(&fill->lock);
    bool full = cache_fill_window(fill) == CACHE_APPEND_FULL;
    if (full)
        fill->resume = w;
    pthread_mutex_unlock(&fill->lock);
    return full;
}

bool cache_fill_wait(struct cache_fill *fill, struct cache_waiter *w, uint32_t version)
{
    pthread_mutex_lock(&fill->lock);
    bool waits = fill->version == version;
    if (waits)
        gw_list_push(&fill->waiters, &w->link);
    pthread_mutex_unlock(&fill->lock);
    return waits;
}

void cache_fill_unwait(struct cache_fill *fill, struct cache_waiter *w)
{
    pthread_mutex_lock(&fill->lock);
    gw_list_remove(&w->link);
    if (fill->resume == w)
        fill->resume = NULL;
    while (is_called(fill, w))
        pthread_cond_wait(&fill->called, &fill->lock);
    pthread_mutex_unlock(&fill->lock);
}
