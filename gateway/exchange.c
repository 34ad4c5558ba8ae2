/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"

#include <assert.h>

#include "gateway/admin.h"
#include "gateway/exchange_cache.h"
#include "gateway/fetch.h"
#include "gateway/recode.h"
#include "gateway/reply.h"
#include "gateway/server.h"
#include "gateway/step_fault.h"
#include "gateway/step_rate.h"

#define ARENA_MAX      ((size_t)4 << 20) /* a head of 128 KiB three times over, and change */
#define FREE_EXCHANGES 64

typedef enum step_result step_function(struct exchange *x);

static step_function *const steps[STEP_COUNT] = {
#define X(id, name) [STEP_##id] = step_##name,
    EXCHANGE_STEPS(X)
#undef X
};

/* ---- life ---- */

static void on_next_turn(struct gw_task *task)
{
    exchange_resume(gw_container_of(task, struct exchange, next_turn));
}

struct exchange *exchange_new(struct worker *worker, const struct exchange_io *io, void *session)
{
    struct gw_list *free_link = gw_list_pop(&worker->free_exchanges);
    struct exchange *x =
        free_link ? gw_list_entry(free_link, struct exchange, link) : gw_alloc(sizeof(*x));
    worker->free_exchange_count -= free_link != NULL;
    memset(x, 0, offsetof(struct exchange, request));
    /* Of what is not zeroed, replies and edge lines read these two even when RULES was never
     * reached. */
    x->rules.settings.present = 0;
    memset(x->rules.matched, 0, sizeof(x->rules.matched));
    gw_list_init(&x->link);
    gw_arena_init(&x->arena, x->first, sizeof(x->first), ARENA_MAX);
    x->worker = worker;
    x->ws = worker_snapshot_ref(worker->current);
    x->io = io;
    x->session = session;
    x->holds = 1;
    gw_task_init(&x->next_turn, on_next_turn);
    return x;
}

static void recycle(struct exchange *x)
{
    struct worker *worker = x->worker;
    worker_snapshot_unref(x->ws);
    gw_arena_clear(&x->arena);
    if (worker->free_exchange_count >= FREE_EXCHANGES) {
        free(x);
        return;
    }
    worker->free_exchange_count++;
    gw_list_push(&worker->free_exchanges, &x->link);
}

/* Nobody else holds it: it never ran. */
void exchange_discard(struct exchange *x)
{
    recycle(x);
}

void exchange_hold(struct exchange *x)
{
    x->holds++;
}

static void run_late_wake(struct gw_task *task)
{
    recycle(gw_container_of(task, struct exchange, cache.wake));
}

void exchange_unhold(struct exchange *x)
{
    if (--x->holds)
        return;
    /* A notification may be under way from another worker's thread: the memory waits for it. */
    if (exchange_cache_pending(x))
        x->cache.wake.run = run_late_wake;
    else
        recycle(x);
}

/* Everything that the exchange waits for or uses lets go of it: after LOG, to which a client that
 * is gone leads as well, and so once. The arena stays for a fetch that still needs the facts. */
static void release_parts(struct exchange *x)
{
    if (x->limit.asked && !x->limit.decided)
        limiter_cancel(&x->limit.call);
    gw_task_cancel(&x->next_turn);
    upstream_cancel(x->upstream);
    x->upstream = NULL;
    if (x->fetch)
        fetch_client_gone(x->fetch);
    recoder_free(x->delivery.recoder);
    x->delivery.recoder = NULL;
    step_fault_cancel(x);
    exchange_cache_release(x);
    if (x->admin_call)
        admin_call_release(x->admin_call);
    x->admin_call = NULL;
}

static void finish(struct exchange *x)
{
    release_parts(x);
    /* In this order: the session forgets the exchange before the last hold may free it. */
    x->io->done(x->session);
    exchange_unhold(x);
}

/* ---- the driver ---- */

static void run(struct exchange *x)
{
    /* An event from within a step only sets resume_again: were the step entered a second time, it
     * would come back to a stack that its own event has moved on from. */
    x->running = true;
    enum step_result result;
    do {
        x->resume_again = false;
        result = steps[x->step](x);
        assert(x->step < STEP_COUNT);
    } while (result == STEP_MORE || (result == STEP_WAIT && x->resume_again));
    x->running = false;
    if (result == STEP_DONE)
        finish(x);
}

void exchange_start(struct exchange *x, enum step first)
{
    x->step = first;
    x->start_us = gw_loop_real_us(x->worker->loop);
    x->now = gw_loop_now(x->worker->loop);
    run(x);
}

void exchange_respond(struct exchange *x, const struct response *response)
{
    x->responded = true;
    x->status = response->status;
    if (gw_unlikely(x->rate != NULL))
        rate_on_response(x, response);
    if (gw_unlikely(recorder_is_on(&x->worker->server->recorder)))
        x->recorded_head = record_response(&x->arena, response);
    x->bytes_sent += conn_bytes(response->body, response->body_parts);
    x->io->respond(x->session, response);
}

void exchange_send(struct exchange *x, const struct iovec *parts, size_t count,
                   const struct conn_hold *hold)
{
    x->bytes_sent += conn_bytes(parts, count);
    x->io->send(x->session, parts, count, hold);
}

void exchange_on_sendable(struct exchange *x)
{
    if (x->step == STEP_DELIVER || x->delivery.recoder)
        exchange_resume(x);
    else if (x->step == STEP_PASS && x->upstream)
        upstream_resume(x->upstream);
    else if (x->step == STEP_ADMIN)
        exchange_resume(x);
}

/* What the client was told is what goes into the log, whatever step the exchange was in. */
void exchange_on_gone(struct exchange *x)
{
    assert(!x->running); /* sessions learn of it from the loop, never inside a call of ours */
    x->gone = true;
    x->step = STEP_LOG; /* what it waited for is let go behind it */
    run(x);
}

void exchange_on_bad_body(struct exchange *x, unsigned status)
{
    upstream_cancel(x->upstream); /* the origin sees a request that never ends */
    x->upstream = NULL;
    reply_error(x, status);
    exchange_resume(x);
}

/* What goes on for as long as somebody else has to say something. */
static bool is_endless(const struct exchange *x)
{
    const struct admin_call *call = x->admin_call;
    return x->step == STEP_PASS || x->step == STEP_FAULT ||
           (call && (call->stream || call->replay));
}

/* A client that has closed its side while we stream from the origin is taken to be gone, as nginx
 * does: nobody would see an idle stream end otherwise. Answers that need no origin are still sent
 * to one who only said that it asks no more. */
bool exchange_on_eof(struct exchange *x)
{
    if (x->tunnel) {
        if (x->upstream)
            upstream_send_end(x->upstream);
        return true;
    }
    if (!is_endless(x))
        return true;
    exchange_on_gone(x);
    return false;
}

enum step_result exchange_yield(struct exchange *x)
{
    gw_loop_queue(x->worker->loop, &x->next_turn);
    return STEP_WAIT;
}

void exchange_resume(struct exchange *x)
{
    if (x->running)
        x->resume_again = true;
    else
        run(x);
}
