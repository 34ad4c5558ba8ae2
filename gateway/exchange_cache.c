/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange_cache.h"

#include <stdatomic.h>

#include "gateway/exchange_visit.h"

void exchange_cache_facts(struct exchange *x)
{
    const struct visit visit = exchange_visit(x);
    x->cache_request = visit_cache(&visit);
    x->cache_policy = visit_policy(&visit, &x->rules.settings);
}

/* Runs on whichever thread changed the fill. */
static void on_notify(struct cache_waiter *waiter)
{
    struct exchange *x = gw_container_of(waiter, struct exchange, cache.waiter);
    atomic_store_explicit(&x->cache.wake_posted, true, memory_order_release);
    gw_loop_post(x->worker->loop, &x->cache.wake);
}

static void on_wake(struct gw_task *task)
{
    struct exchange *x = gw_container_of(task, struct exchange, cache.wake);
    atomic_store_explicit(&x->cache.wake_posted, false, memory_order_relaxed);
    if (!x->cache.waiting)
        return; /* meant for a fill that was left since */
    x->cache.waiting = false;
    exchange_resume(x);
}

bool exchange_cache_wait(struct exchange *x)
{
    if (!x->cache.waiter.notify) {
        gw_list_init(&x->cache.waiter.link);
        gw_task_init(&x->cache.wake, on_wake);
        x->cache.waiter.notify = on_notify;
    }
    /* A notification under way wakes us anyhow; there is one task, so a second one must not be
     * asked for. */
    if (!x->cache.waiting)
        x->cache.waiting = exchange_cache_pending(x) ||
                           cache_fill_wait(x->cache.fill, &x->cache.waiter, x->cache.version);
    return x->cache.waiting;
}

/* By a step that goes another way, a client that is gone, or the end. The order matters: once the
 * waiter is taken back no notification will begin (one that is posted already finds `waiting`
 * false), and only then may the last reference go. */
void exchange_cache_leave_fill(struct exchange *x)
{
    if (!x->cache.fill)
        return;
    if (x->cache.waiter.notify)
        cache_fill_unwait(x->cache.fill, &x->cache.waiter);
    x->cache.waiting = false;
    cache_reader_close(&x->cache.reader);
    cache_fill_unref(x->cache.fill);
    x->cache.fill = NULL;
}

void exchange_cache_take_whole(struct exchange *x)
{
    struct cache_object *object = cache_fill_object(x->cache.fill);
    cache_object_ref(object);
    cache_object_unref(x->cache.object);
    x->cache.object = object;
    x->cache.whole = true;
    exchange_cache_leave_fill(x);
}

void exchange_cache_release(struct exchange *x)
{
    exchange_cache_leave_fill(x);
    cache_object_unref(x->cache.object);
    x->cache.object = NULL;
}

bool exchange_cache_pending(const struct exchange *x)
{
    return atomic_load_explicit(&((struct exchange *)x)->cache.wake_posted, memory_order_acquire);
}
