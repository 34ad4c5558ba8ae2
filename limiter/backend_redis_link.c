/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/backend_redis_link.h"

#include <stdio.h>
#include <uv.h>

#include "gateway/base/err.h"
#include "gateway/base/hash.h"
#include "gateway/net/resolver.h"
#include "limiter/backend_redis_reader.h"

#define REASON_MAX 128

/* What hiredis wants of the descriptor. Outlives its link by the turns libuv needs to close it. */
struct poll {
    uv_poll_t handle;
    redisAsyncContext *ac; /* NULL once hiredis has let go */
    int wanted, applied;   /* UV_READABLE | UV_WRITABLE */
    bool corked;           /* changes of `wanted` are applied later */
    struct redis_reader reader;
};

enum link_state {
    LINK_WAITING,   /* the deadline is the back-off; of the first attempt, `begin` */
    LINK_RESOLVING, /* resolver_query runs; the deadline is the attempt's */
    LINK_GREETING,  /* ac connects, or waits for its first answers; the attempt's deadline */
    LINK_UP,        /* no deadline */
};

struct redis_link {
    struct gw_loop *loop;
    const struct redis_target *target;
    const struct redis_link_events *events;
    void *ctx;
    enum link_state state;
    redisAsyncContext *ac; /* GREETING and UP */
    struct resolver_query *query;
    struct gw_deadline deadline;
    struct gw_task begin; /* a first attempt waits for no tick: calls wait for it */
    unsigned failures;    /* since the last time up; also picks the address to try */
    struct gw_rng jitter;
};

/* ---- hiredis on libuv ---- */

static void on_poll(uv_poll_t *handle, int status, int events);

static void apply(struct poll *p)
{
    if (p->corked || p->wanted == p->applied)
        return;
    p->applied = p->wanted;
    if (p->wanted)
        uv_poll_start(&p->handle, p->wanted, on_poll);
    else
        uv_poll_stop(&p->handle);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct poll *p = handle->data;
    /* An error is read like data: hiredis then finds it and ends the connection. libuv has stopped
     * polling; data may still lie before the error, so polling goes on until hiredis got there. */
    if (status < 0)
        p->applied = 0;
    if (p->ac && (status < 0 || events & UV_READABLE))
        redisAsyncHandleRead(p->ac);
    if (p->ac && p->ac->data && redis_reader_is_full(&p->reader))
        redis_link_fail(p->ac->data, "an answer is too large");
    if (p->ac && status == 0 && events & UV_WRITABLE)
        redisAsyncHandleWrite(p->ac);
    if (p->ac)
        apply(p);
}

static void want(struct poll *p, int wanted)
{
    p->wanted = wanted;
    apply(p);
}

static void add_read(void *ctx)
{
    want(ctx, ((struct poll *)ctx)->wanted | UV_READABLE);
}

static void del_read(void *ctx)
{
    want(ctx, ((struct poll *)ctx)->wanted & ~UV_READABLE);
}

static void add_write(void *ctx)
{
    want(ctx, ((struct poll *)ctx)->wanted | UV_WRITABLE);
}

static void del_write(void *ctx)
{
    want(ctx, ((struct poll *)ctx)->wanted & ~UV_WRITABLE);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* hiredis calls this from its only way of freeing a context, right before it closes the
 * descriptor. */
static void cleanup(void *ctx)
{
    struct poll *p = ctx;
    p->ac = NULL;
    uv_close((uv_handle_t *)&p->handle, on_poll_closed);
}

static bool attach(struct gw_loop *loop, redisAsyncContext *ac)
{
    struct poll *p = gw_zalloc(sizeof(*p));
    p->ac = ac;
    p->handle.data = p;
    if (uv_poll_init(gw_loop_uv(loop), &p->handle, ac->c.fd) != 0) {
        free(p);
        return false;
    }
    redis_reader_install(&p->reader, ac);
    ac->ev.data = p;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    return true;
}

/* ---- the end of an attempt or a connection ---- */

/* From the deadline, the resolver, hiredis's callbacks and the owner. The context is already
 * detached from the link when this runs, so it runs once for each. */
static void retry_later(struct redis_link *link, const char *reason)
{
    char text[REASON_MAX]; /* the reason may lie in the context that is about to go */
    snprintf(text, sizeof(text), "%s", reason && *reason ? reason : "connection closed");
    unsigned doublings = link->failures < 16 ? link->failures : 16;
    uint64_t span = gw_min_u64((uint64_t)LINK_BACKOFF_MIN_MS << doublings, LINK_BACKOFF_MAX_MS);
    link->failures++;
    link->state = LINK_WAITING;
    gw_deadline_set(link->loop, &link->deadline, span / 2 + gw_rng_below(&link->jitter, span));
    link->events->down(link->ctx, text);
}

static redisAsyncContext *detach(struct redis_link *link)
{
    redisAsyncContext *ac = link->ac;
    link->ac = NULL;
    if (ac)
        ac->data = NULL; /* its late callbacks find no link */
    return ac;
}

static void drop_query(struct redis_link *link)
{
    if (link->query)
        resolver_cancel(link->query);
    link->query = NULL;
}

void redis_link_fail(struct redis_link *link, const char *reason)
{
    if (link->state == LINK_WAITING)
        return;
    char text[REASON_MAX];
    snprintf(text, sizeof(text), "%s", reason);
    drop_query(link);
    redisAsyncContext *ac = detach(link);
    retry_later(link, text);
    /* Last: it answers what was under way, and who is answered may end the link. */
    if (ac)
        redisAsyncFree(ac);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    struct redis_link *link = ac->data;
    if (!link)
        return;
    const struct poll *p = ac->ev.data;
    link->ac = NULL; /* hiredis frees it after this callback */
    retry_later(link, p->reader.refused    ? p->reader.refused
                      : status == REDIS_OK ? NULL
                                           : ac->errstr);
}

/* ---- connecting ---- */

static void on_greeting_reply(redisAsyncContext *ac, void *reply, void *what)
{
    const redisReply *r = reply;
    if (!r || !ac->data || r->type != REDIS_REPLY_ERROR)
        return;
    char reason[REASON_MAX];
    snprintf(reason, sizeof(reason), "%s: %s", (const char *)what, r->str);
    redis_link_fail(ac->data, reason);
}

/* hiredis sets no guard around this callback: the context must not be freed in it. */
static void on_connect(const redisAsyncContext *connected, int status)
{
    struct redis_link *link = connected->data;
    redisAsyncContext *ac = (redisAsyncContext *)(uintptr_t)connected;
    if (!link)
        return;
    if (status != REDIS_OK) {
        link->ac = NULL; /* hiredis frees it after this callback */
        retry_later(link, ac->errstr);
        return;
    }
    const struct redis_target *t = link->target;
    if (t->password && t->user)
        redisAsyncCommand(ac, on_greeting_reply, "AUTH", "AUTH %s %s", t->user, t->password);
    else if (t->password)
        redisAsyncCommand(ac, on_greeting_reply, "AUTH", "AUTH %s", t->password);
    if (t->db)
        redisAsyncCommand(ac, on_greeting_reply, "SELECT", "SELECT %d", (int)t->db);
    link->events->greet(link->ctx, ac);
}

static void connect_context(struct redis_link *link, redisAsyncContext *ac)
{
    if (!ac || ac->err || !attach(link->loop, ac)) {
        char reason[REASON_MAX];
        snprintf(reason, sizeof(reason), "%s", ac && ac->err ? ac->errstr : "out of resources");
        if (ac)
            redisAsyncFree(ac);
        retry_later(link, reason);
        return;
    }
    /* A peer that vanished without a word is noticed on the quiet subscription too. */
    if (!link->target->unix_path)
        redisEnableKeepAlive(&ac->c);
    ac->data = link;
    link->ac = ac;
    link->state = LINK_GREETING;
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    redisAsyncSetConnectCallback(ac, on_connect);
}

static void on_resolved(void *ctx, const struct resolver_answer *answer)
{
    struct redis_link *link = ctx;
    link->query = NULL;
    if (answer->err || answer->count == 0) {
        retry_later(link, gw_strerror(answer->err));
        return;
    }
    const struct net_address *address = &answer->addresses[link->failures % answer->count];
    struct gw_ip ip = net_address_to_ip(address);
    char text[GW_IP_TEXT_MAX];
    gw_ip_format(&ip, text);
    connect_context(link, redisAsyncConnect(text, link->target->port));
}

static void attempt(struct redis_link *link)
{
    gw_deadline_set(link->loop, &link->deadline, LINK_ATTEMPT_MS);
    link->state = LINK_RESOLVING;
    if (link->target->unix_path)
        connect_context(link, redisAsyncConnectUnix(link->target->unix_path));
    else
        link->query =
            resolver_start(link->loop, link->target->host, link->target->port, on_resolved, link);
}

static void on_begin(struct gw_task *task)
{
    attempt(gw_container_of(task, struct redis_link, begin));
}

static void on_deadline(struct gw_deadline *deadline)
{
    struct redis_link *link = gw_container_of(deadline, struct redis_link, deadline);
    if (link->state == LINK_WAITING)
        attempt(link);
    else
        redis_link_fail(link, "no answer in time");
}

/* ---- for the owner ---- */

struct redis_link *redis_link_new(struct gw_loop *loop, const struct redis_target *target,
                                  const struct redis_link_events *events, void *ctx)
{
    struct redis_link *link = gw_zalloc(sizeof(*link));
    *link = (struct redis_link){
        .loop = loop, .target = target, .events = events, .ctx = ctx, .state = LINK_WAITING};
    gw_random(&link->jitter, sizeof(link->jitter));
    gw_deadline_init(&link->deadline, on_deadline);
    gw_task_init(&link->begin, on_begin);
    gw_loop_defer(loop, &link->begin);
    return link;
}

void redis_link_free(struct redis_link *link)
{
    if (!link)
        return;
    gw_task_cancel(&link->begin);
    gw_deadline_cancel(&link->deadline);
    drop_query(link);
    redisAsyncContext *ac = detach(link);
    free(link); /* the answers that hiredis gives next lead to the owner, none to the link */
    if (ac)
        redisAsyncFree(ac);
}

void redis_link_ready(struct redis_link *link)
{
    gw_deadline_cancel(&link->deadline);
    link->failures = 0;
    link->state = LINK_UP;
    link->events->up(link->ctx);
}

redisAsyncContext *redis_link_cork(struct redis_link *link)
{
    if (link->state != LINK_UP)
        return NULL;
    ((struct poll *)link->ac->ev.data)->corked = true;
    return link->ac;
}

void redis_link_uncork(struct redis_link *link)
{
    if (!link->ac)
        return;
    struct poll *p = link->ac->ev.data;
    /* Writes now, while the socket most likely takes it all; the rest waits for the poll. */
    redisAsyncHandleWrite(link->ac);
    p->corked = false;
    if (p->ac)
        apply(p);
}
