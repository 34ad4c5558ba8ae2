/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a Redis says, each decision ends, by its answer or by the failure policy, and a scan and
 * a reset do. Byte 0: bit 0 the store KV, bit 1 a cluster is demanded, bit 2 also the jobs. Behind
 * it, one script for each connection, separated by 0xFE: what to say to each read, separated by
 * 0xFF. At its end the connection is closed. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/net/listener.h"
#include "limiter/state.h"
#include "tests/fuzz/fuzz_kernel.h"

#define CONNECTIONS_MAX 16

struct server;

struct peer {
    struct gw_list link;
    struct server *server;
    struct conn *conn;
    struct gw_str script;
};

/* The server, the worker and what waits for it, all on one loop. */
struct server {
    struct gw_clock clock;
    struct gw_loop *loop;
    struct listener *listener;
    struct gw_str scripts;
    size_t accepted;
    struct gw_list peers;
    struct limiter_world *world;
    struct limiter_worker *worker;
    struct limiter_call call;
    struct limiter_state state;
    bool waiting;
};

static struct server server;
static char path[64];

static void on_read(void *ctx, struct gw_str data)
{
    struct peer *p = ctx;
    struct gw_str say;
    (void)data;
    if (!gw_str_next(&p->script, '\xff', &say)) {
        conn_close(p->conn);
        return;
    }
    struct iovec part = {(char *)(uintptr_t)say.ptr, say.len};
    if (say.len && conn_write(p->conn, &part, 1, NULL) != 0)
        conn_close(p->conn);
}

static void on_end(void *ctx)
{
    conn_close(((struct peer *)ctx)->conn);
}

static void on_error(void *ctx, int err)
{
    (void)err;
    on_end(ctx);
}

static void on_drain(void *ctx)
{
    (void)ctx;
}

static void on_close(void *ctx)
{
    struct peer *p = ctx;
    gw_list_remove(&p->link);
    free(p);
}

static const struct conn_events events = {.on_read = on_read,
                                          .on_eof = on_end,
                                          .on_drain = on_drain,
                                          .on_error = on_error,
                                          .on_close = on_close};

static void on_accept(void *ctx, struct conn *c)
{
    struct server *s = ctx;
    struct peer *p = gw_zalloc(sizeof(*p));
    p->server = s;
    p->conn = c;
    gw_str_next(&s->scripts, '\xfe', &p->script); /* too many: one that says nothing */
    gw_list_push(&s->peers, &p->link);
    conn_set_owner(c, &events, p);
    conn_resume(c);
    if (++s->accepted > CONNECTIONS_MAX)
        conn_close(c);
}

static void run(struct server *s)
{
    while (s->waiting)
        gw_loop_run(s->loop);
}

static void finish(struct server *s)
{
    CHECK(s->waiting);
    s->waiting = false;
    gw_loop_stop(s->loop);
}

static void check_verdict(const struct limiter_verdict *v)
{
    CHECK(v->outcome < LIMITER_WAIT);
    CHECK(v->retry_after_s == 0 || v->outcome != LIMITER_ADMIT);
}

static void on_decided(struct limiter_call *call, const struct limiter_verdict *v)
{
    check_verdict(v);
    finish(gw_container_of(call, struct server, call));
}

static void on_listed(struct limiter_state *state, int err)
{
    (void)err;
    finish(gw_container_of(state, struct server, state));
}

static void on_closed(void *ctx)
{
    finish(ctx);
}

static void decide(struct server *s, const struct limiter *limiter, const char *key)
{
    struct limiter_ask ask = {limiter, gw_str_z(key), {GW_STR("FRA"), 0}, 1700000000000, NULL};
    struct limiter_verdict verdict;
    s->call = (struct limiter_call){.done = on_decided};
    s->waiting = true;
    if (limiter_decide(s->worker, &ask, &s->call, &verdict) != LIMITER_WAIT) {
        check_verdict(&verdict);
        s->waiting = false;
    }
    run(s);
}

static void administer(struct server *s, const struct limiter *limiter)
{
    struct limiter_state_item item = {
        .name = limiter->name, .limit = 15, .window_ms = 60000, .store = limiter->store};
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    s->state = (struct limiter_state){.done = on_listed};
    s->waiting = true;
    limiter_state_list(s->worker, &s->state, &item, 1, &out);
    run(s);
    s->state = (struct limiter_state){.done = on_listed};
    s->waiting = true;
    limiter_state_reset(s->worker, &s->state, &item, GW_STR("k"));
    run(s);
    gw_buf_release(&out);
}

static void remove_socket(void)
{
    unlink(path);
}

static void start(struct server *s, bool cluster)
{
    struct net_address at;
    int err = 0;
    if (!path[0]) {
        snprintf(path, sizeof(path), "/tmp/nearedge-fuzz-redis-%d", (int)getpid());
        atexit(remove_socket);
        signal(SIGPIPE, SIG_IGN); /* as the server does */
    }
    gw_clock_init(&s->clock, GW_CLOCK_SYSTEM);
    s->loop = gw_loop_new(&s->clock);
    gw_list_init(&s->peers);
    CHECK(net_address_unix(gw_str_z(path), &at) == 0);
    fuzz_kernel_begin(&at.un);
    s->listener = listener_open(s->loop, &at, on_accept, s, &err);
    CHECK(s->listener);
    struct config_limiter settings = {
        .backend = {.kind = CONFIG_BACKEND_REDIS, .unix_path = gw_str_z(path), .cluster = cluster},
        .on_backend_failure = CONFIG_FAIL_MEMORY};
    s->world = limiter_world_new(&settings, GW_CLOCK_SYSTEM);
    s->worker = limiter_worker_new(s->world, s->loop);
}

static void stop(struct server *s)
{
    s->waiting = true;
    limiter_worker_close(s->worker, on_closed, s);
    run(s);
    listener_close(s->listener);
    for (struct gw_list *link; (link = gw_list_pop(&s->peers));) {
        struct peer *p = gw_list_entry(link, struct peer, link);
        conn_abandon(p->conn);
        free(p);
    }
    gw_loop_free(s->loop);
    limiter_world_free(s->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    struct limiter limiter = {.name = {"ai", 2},
                              .rule = {15, 60000},
                              .store = data[0] & 1 ? LIMITER_KV : LIMITER_DURABLE_OBJECT};
    server = (struct server){.scripts = gw_str((const char *)data + 1, size - 1)};
    start(&server, data[0] & 2);
    decide(&server, &limiter, "k");
    decide(&server, &limiter, "k");
    if (data[0] & 4)
        administer(&server, &limiter);
    stop(&server);
    return 0;
}
