/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/fetch.h"

#include <stdatomic.h>

#include "cache/freshness.h"
#include "cache/variant.h"
#include "gateway/exchange_cache.h"
#include "gateway/origin_request.h"
#include "gateway/response_lines.h"
#include "gateway/response_ruling.h"
#include "gateway/step_pass.h"
#include "gateway/step_rate.h"

struct fetch {
    struct gw_list link; /* in worker->fetches */
    struct exchange *x;  /* held until the head is decided, then NULL */
    struct worker *worker;
    struct worker_snapshot *ws; /* keeps the pool's configuration */
    struct cache_fill *fill;
    struct cache_object *stale; /* what a 304 would confirm, or NULL */
    struct upstream_request *upstream;
    bool background;
    bool conditional;
    struct cache_waiter room; /* after CACHE_APPEND_FULL … */
    struct gw_task resume;    /* … until this runs on our loop */
    bool waiting_for_room;
    bool ended; /* `resume` is on its way and frees */
    _Atomic bool resume_posted;
};

static void free_fetch(struct fetch *f)
{
    cache_fill_unref(f->fill);
    cache_object_unref(f->stale);
    worker_snapshot_unref(f->ws);
    free(f);
}

/* The last call. The upstream request is gone by now, or somebody else's. */
static void end(struct fetch *f)
{
    gw_list_remove(&f->link);
    if (f->waiting_for_room)
        cache_fill_unwait(f->fill, &f->room);
    if (atomic_load_explicit(&f->resume_posted, memory_order_acquire))
        f->ended = true; /* the task is under way from another thread */
    else
        free_fetch(f);
}

/* The facts of the request are not needed any more. */
static void let_exchange_go(struct fetch *f)
{
    struct exchange *x = f->x;
    f->x = NULL;
    x->fetch = NULL;
    x->origin_us = upstream_head_us(f->upstream);
    exchange_unhold(x);
}

/* ---- the answer's head ---- */

/* The exchange goes last: the answer's fields, which the stored head is made of, lie in its arena.
 */
static void store(struct fetch *f, const struct cache_response *response,
                  const struct cache_decision *decision)
{
    struct exchange *x = f->x;
    const struct gw_time now = gw_loop_now(f->worker->loop);
    struct gw_buf text;
    gw_buf_init(&text, CACHE_TEXT_MAX);
    struct cache_object_parts parts = {.status = response->status,
                                       .life = decision->life,
                                       .age_s = decision->age_s,
                                       .now_ms = now.wall_ms,
                                       .body_len = response->body_len,
                                       .body_max = x->zone->object_max,
                                       .length_known = response->length_known};
    if (!cache_head_write(response, decision, now.date_ms, &text, &parts.head)) {
        cache_fill_abort(f->fill, GW_EHEADERS);
    } else {
        parts.text = gw_buf_str(&text);
        cache_fill_head(f->fill, &parts);
        x->cache.status = decision->status;
        x->cache.reason = decision->reason;
    }
    gw_buf_release(&text);
    let_exchange_go(f);
}

/* May not be stored: the exchange goes on with the upstream request; without one (background) it is
 * given up. */
static void pass(struct fetch *f, const struct h1_message *answer, enum cache_reason reason)
{
    struct exchange *x = f->x;
    struct upstream_request *upstream = f->upstream;
    /* Who waits is told at once and asks for himself; only then does ours go on. */
    cache_fill_pass(f->fill);
    let_exchange_go(f);
    f->upstream = NULL;
    /* Its visitor got the stale object long ago: nobody is left to read this. */
    if (f->background) {
        upstream_cancel(upstream);
    } else {
        x->cache.status = CACHE_STATUS_BYPASS;
        x->cache.reason = reason;
        step_pass_adopt(x, upstream, answer);
    }
    end(f);
}

static struct cache_response response_of(const struct h1_message *answer)
{
    return (struct cache_response){
        .status = answer->status,
        .phrase = answer->reason,
        .headers = &answer->headers,
        .length_known = answer->framing == H1_BODY_LENGTH || answer->framing == H1_BODY_NONE,
        .body_len = answer->framing == H1_BODY_LENGTH ? answer->content_length : 0,
    };
}

/* Decides about what 304 makes of the stale object (section 2.9, merging). */
static void refresh(struct fetch *f, const struct h1_message *answer)
{
    struct exchange *x = f->x;
    struct headers merged;
    headers_init(&merged, &x->arena, 1024);
    struct cache_response response = response_of(answer);
    response.status = f->stale->status;
    response.headers = &merged;
    response.revalidated = true;
    struct cache_decision decision = {0};
    const struct gw_time now = gw_loop_now(f->worker->loop);
    bool merges = cache_304_fits(f->stale, &answer->headers) &&
                  cache_merge_304(f->stale, &answer->headers, &merged);
    response.ruled = response_ruling(x, response.status, &response.headers);
    if (merges)
        cache_decide(&x->cache_policy, &x->cache_request, &response, true, now.date_ms, &decision);
    struct gw_buf text;
    gw_buf_init(&text, CACHE_TEXT_MAX);
    struct cache_object_parts parts = {
        .status = response.status, .life = decision.life, .now_ms = now.wall_ms};
    if (decision.store && cache_head_write(&response, &decision, now.date_ms, &text, &parts.head)) {
        parts.text = gw_buf_str(&text);
        cache_fill_refresh(f->fill, &parts);
    } else {
        /* A 304 whose merged fields forbid storing answers from the object all the same and renews
         * nothing (section 2.9). */
        cache_fill_keep(f->fill, GW_OK);
    }
    gw_buf_release(&text);
    x->cache.status = CACHE_STATUS_REVALIDATED;
    x->cache.reason = decision.reason;
}

/* Waiters get the stale object, and this answer is of no use any more. */
static void give_up_answer(struct fetch *f)
{
    let_exchange_go(f);
    upstream_cancel(f->upstream);
    f->upstream = NULL;
    end(f);
}

static void on_head(void *ctx, const struct h1_message *answer)
{
    struct fetch *f = ctx;
    struct exchange *x = f->x;
    const struct gw_time now = gw_loop_now(f->worker->loop);
    x->origin_status = answer->status;
    metrics_observe_us(f->worker->metrics, METRIC_ORIGIN_DURATION, upstream_head_us(f->upstream));
    /* Only of a question that was conditional: a 304 that nobody asked for has no object to
     * confirm. */
    if (answer->status == 304 && f->conditional) {
        refresh(f, answer);
        give_up_answer(f);
        return;
    }
    if (answer->status >= 500 && f->stale &&
        cache_may_serve_stale(f->stale, &x->cache_policy, CACHE_FAILED_SERVER_ERROR, now.wall_ms)) {
        x->cache.status = CACHE_STATUS_STALE;
        cache_fill_keep(f->fill, GW_EUNAVAILABLE);
        give_up_answer(f);
        return;
    }
    struct cache_response response = response_of(answer);
    struct cache_decision decision = {0};
    response.ruled = response_ruling(x, response.status, &response.headers);
    x->answer_fields = response.headers;
    cache_decide(&x->cache_policy, &x->cache_request, &response, f->stale != NULL, now.date_ms,
                 &decision);
    if (decision.store &&
        cache_variant_settle(f->fill, &x->cache_policy, &x->cache_request, response.headers))
        store(f, &response, &decision);
    else
        pass(f, answer, decision.reason);
}

/* ---- its body ---- */

/* Runs on the thread of whichever reader made room. */
static void on_room(struct cache_waiter *waiter)
{
    struct fetch *f = gw_container_of(waiter, struct fetch, room);
    atomic_store_explicit(&f->resume_posted, true, memory_order_release);
    gw_loop_post(f->worker->loop, &f->resume);
}

static void on_resume(struct gw_task *task)
{
    struct fetch *f = gw_container_of(task, struct fetch, resume);
    f->waiting_for_room = false;
    atomic_store_explicit(&f->resume_posted, false, memory_order_relaxed);
    if (f->ended)
        free_fetch(f);
    else
        upstream_resume(f->upstream);
}

static void on_body(void *ctx, struct gw_str data)
{
    struct fetch *f = ctx;
    switch (cache_fill_append(f->fill, data)) {
    case CACHE_APPEND_OK:
        return;
    case CACHE_APPEND_FULL:
        f->waiting_for_room = cache_fill_resume(f->fill, &f->room);
        if (f->waiting_for_room)
            upstream_pause(f->upstream);
        return;
    /* It grew too large to be stored and its last reader has left. */
    case CACHE_APPEND_UNWANTED:
        upstream_cancel(f->upstream);
        f->upstream = NULL;
        cache_fill_abort(f->fill, GW_ECANCELLED);
        end(f);
        return;
    }
}

static void on_end(void *ctx)
{
    struct fetch *f = ctx;
    f->upstream = NULL;
    if (cache_fill_finish(f->fill) == GW_ETRUNCATED)
        gw_log_warn("origin answer not stored reason=\"length differs from Content-Length\"");
    end(f);
}

/* Without a head: the stale object may serve, otherwise all who wait fail with the same error. */
static void on_error(void *ctx, int err)
{
    struct fetch *f = ctx;
    struct exchange *x = f->x;
    uint64_t now_ms = gw_loop_now(f->worker->loop).wall_ms;
    /* The head is out, the body broke off: readers must see it, and nothing is stored. */
    if (!x) {
        cache_fill_abort(f->fill, GW_ETRUNCATED);
    } else {
        if (f->stale &&
            cache_may_serve_stale(f->stale, &x->cache_policy, CACHE_FAILED_TO_REACH, now_ms)) {
            x->cache.status = CACHE_STATUS_STALE;
            cache_fill_keep(f->fill, err);
        } else {
            cache_fill_abort(f->fill, err);
        }
        let_exchange_go(f);
    }
    f->upstream = NULL;
    end(f);
}

static void on_informational(void *ctx, const struct h1_message *answer)
{
    struct fetch *f = ctx;
    if (!f->background) /* who waits along gets the final answer only: hints are a matter of one
                           connection */
        response_informational(f->x, answer);
}

static void on_sendable(void *ctx)
{
    (void)ctx; /* a fill has no request body */
}

static void on_batch(void *ctx)
{
    (void)ctx; /* the fill tells its readers */
}

static const struct upstream_events fetch_events = {
    .on_informational = on_informational,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_batch = on_batch,
    .on_sendable = on_sendable,
};

/* ---- life ---- */

void fetch_start(struct exchange *x, bool background)
{
    struct fetch *f = gw_zalloc(sizeof(*f));
    f->x = x;
    exchange_hold(x);
    x->fetch = f;
    f->worker = x->worker;
    gw_list_push(&x->worker->fetches, &f->link);
    f->ws = worker_snapshot_ref(x->ws);
    f->background = background;
    f->fill = x->cache.fill;
    cache_fill_ref(f->fill);
    f->stale = x->cache.object;
    if (f->stale)
        cache_object_ref(f->stale);
    gw_list_init(&f->room.link);
    f->room.notify = on_room;
    gw_task_init(&f->resume, on_resume);
    struct cache_validators validators = {0};
    if (f->stale)
        validators = cache_validators(f->stale);
    f->conditional = validators.if_none_match.len || validators.if_modified_since.len;
    /* A refresh is our own idea: no visitor's limit is charged for it. */
    if (!background)
        rate_on_origin(x);
    f->upstream = origin_request_start(x, ORIGIN_FILL, &validators, &fetch_events, f);
}

/* By a client that leaves before the head and by the worker's end. Who waits for the fill begins
 * again without us (CACHE_FILL_RETRY), or, behind the head, sees it broken. */
static void stop(struct fetch *f)
{
    upstream_cancel(f->upstream);
    f->upstream = NULL;
    cache_fill_abort(f->fill, GW_ECANCELLED);
    struct exchange *x = f->x;
    f->x = NULL;
    if (x) {
        x->fetch = NULL;
        exchange_unhold(x);
    }
    end(f);
}

void fetch_client_gone(struct fetch *f)
{
    if (!f->background) /* a refresh was never the client's: the cache wants it all the same */
        stop(f);
}

void fetch_stop_all(struct worker *worker)
{
    struct gw_list all;
    gw_list_take(&all, &worker->fetches);
    for (struct gw_list *link; (link = gw_list_pop(&all));)
        stop(gw_list_entry(link, struct fetch, link));
}
