/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests with Redis share: a real redis-server on a Unix socket of its own, a world with
 * two workers, and calls to them. Workers share one loop here; nothing but Redis is between their
 * counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/err.h"
#include "gateway/net/loop.h"
#include "limiter/state.h"

static const uint64_t t0 = 1700000000000;

/* ---- a server ---- */

static struct server {
    char folder[32], path[64];
    pid_t pid;
} server;

static inline bool try_connect(int fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", server.path);
    return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* Sends inline commands, then QUIT, and returns all answers. */
static inline const char *say(const char *commands)
{
    static char answer[65536];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s\r\nQUIT\r\n", commands), got = 0;
    answer[0] = '\0';
    if (try_connect(fd) && write(fd, text, len) == (ssize_t)len)
        for (ssize_t n; (n = read(fd, answer + got, sizeof(answer) - 1 - got)) > 0;)
            answer[got += (size_t)n] = '\0';
    close(fd);
    return answer;
}

static inline void start_server(const char *password)
{
    if ((server.pid = fork()) == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server.path, "--save",
               "", "--appendonly", "no", "--dir", server.folder, "--requirepass", password,
               (char *)NULL);
        _exit(127);
    }
    assert_true(server.pid > 0);
    for (int i = 0; i < 500 && !strchr(say("PING"), '\n'); i++)
        usleep(10000);
    assert_non_null(strchr(say("PING"), '\n'));
}

static inline void stop_server(int signal)
{
    if (server.pid > 0) {
        kill(server.pid, signal);
        waitpid(server.pid, NULL, 0);
    }
    server.pid = 0;
    unlink(server.path);
}

static inline int start_group(void **state)
{
    (void)state;
    snprintf(server.folder, sizeof(server.folder), "/tmp/ne-redis-XXXXXX");
    if (!mkdtemp(server.folder))
        return -1;
    snprintf(server.path, sizeof(server.path), "%s/redis.sock", server.folder);
    start_server("");
    return 0;
}

static inline int stop_group(void **state)
{
    (void)state;
    stop_server(SIGKILL);
    return rmdir(server.folder);
}

/* ---- a world with two workers ---- */

struct bench {
    struct gw_clock clock;
    struct gw_loop *loop;
    struct gw_deadline tick;
    struct limiter_world *world;
    struct limiter_worker *workers[2];
    unsigned closed;
};

static inline void on_tick(struct gw_deadline *tick)
{
    struct bench *b = gw_container_of(tick, struct bench, tick);
    gw_deadline_set(b->loop, tick, 1);
    gw_loop_stop(b->loop);
}

/* Runs the loop until the condition holds; fails after twenty seconds. */
static inline void run_until(struct bench *b, bool (*holds)(struct bench *b))
{
    uint64_t give_up = gw_kernel_mono_ms() + 20000;
    gw_deadline_set(b->loop, &b->tick, 1);
    while (!holds(b)) {
        assert_true(gw_kernel_mono_ms() < give_up);
        gw_loop_run(b->loop);
    }
    gw_deadline_cancel(&b->tick);
}

static inline struct limiter_health health_of(struct bench *b)
{
    struct limiter_health health;
    limiter_world_health(b->world, &health);
    return health;
}

static inline bool is_up(struct bench *b)
{
    return health_of(b).up;
}

static inline bool is_down(struct bench *b)
{
    struct limiter_health health = health_of(b);
    return !health.up && health.error[0];
}

static inline struct config_limiter unix_settings(enum config_backend_failure failure)
{
    return (struct config_limiter){
        .backend = {.kind = CONFIG_BACKEND_REDIS, .unix_path = gw_str_z(server.path)},
        .on_backend_failure = failure,
    };
}

static inline void open_bench(struct bench *b, const struct config_limiter *settings,
                              enum gw_clock_mode clock)
{
    *b = (struct bench){.closed = 0};
    gw_clock_init(&b->clock, clock);
    b->loop = gw_loop_new(&b->clock);
    gw_deadline_init(&b->tick, on_tick);
    b->world = limiter_world_new(settings, clock);
    for (size_t i = 0; i < 2; i++)
        b->workers[i] = limiter_worker_new(b->world, b->loop);
}

static inline void on_closed(void *ctx)
{
    struct bench *b = ctx;
    b->closed++;
    gw_loop_stop(b->loop);
}

static inline bool both_closed(struct bench *b)
{
    return b->closed == 2;
}

static inline void close_bench(struct bench *b)
{
    for (size_t i = 0; i < 2; i++)
        limiter_worker_close(b->workers[i], on_closed, b);
    run_until(b, both_closed);
    gw_loop_free(b->loop);
    limiter_world_free(b->world);
}

static inline unsigned subscribers(void)
{
    const char *answer = strrchr(say("PUBSUB NUMSUB nearedge:reset:0"), ':');
    return answer ? (unsigned)strtoul(answer + 1, NULL, 10) : 0;
}

static inline bool is_subscribed(struct bench *b)
{
    (void)b;
    return subscribers() == 2;
}

static inline bool a_turn_has_passed(struct bench *b)
{
    static unsigned turn;
    (void)b;
    return ++turn % 3 == 0;
}

/* Both connections of both workers stand. */
static inline void open_ready(struct bench *b, enum config_backend_failure failure,
                              enum gw_clock_mode clock)
{
    struct config_limiter settings = unix_settings(failure);
    say("FLUSHALL");
    open_bench(b, &settings, clock);
    run_until(b, is_up);
    run_until(b, is_subscribed);
    run_until(b, a_turn_has_passed); /* the workers have read that they are subscribed */
}

/* ---- calls ---- */

struct call {
    struct limiter_call call; /* first: done gets it back */
    struct limiter_verdict verdict;
    bool done;
};

#define CALLS 40
static struct call calls[CALLS];
static struct gw_loop *calls_loop;

static inline void on_decided(struct limiter_call *c, const struct limiter_verdict *v)
{
    struct call *call = (struct call *)c;
    assert_false(call->done);
    call->done = true;
    call->verdict = *v;
    gw_loop_stop(calls_loop);
}

static inline void put_question(struct bench *b, size_t worker, size_t at,
                                const struct limiter_ask *question)
{
    struct call *call = &calls[at];
    *call = (struct call){.call.done = on_decided};
    calls_loop = b->loop;
    call->done =
        limiter_decide(b->workers[worker], question, &call->call, &call->verdict) != LIMITER_WAIT;
}

static inline void ask(struct bench *b, size_t worker, size_t at, const struct limiter *limiter,
                       const char *key, uint64_t now_ms)
{
    struct limiter_ask question = {limiter, gw_str_z(key), {GW_STR("FRA"), 0}, now_ms, NULL};
    put_question(b, worker, at, &question);
}

static size_t wanted;

static inline bool all_decided(struct bench *b)
{
    (void)b;
    for (size_t i = 0; i < wanted; i++)
        if (!calls[i].done)
            return false;
    return true;
}

static inline struct limiter_verdict decide(struct bench *b, size_t worker,
                                            const struct limiter *limiter, const char *key,
                                            uint64_t now_ms)
{
    ask(b, worker, 0, limiter, key, now_ms);
    wanted = 1;
    run_until(b, all_decided);
    return calls[0].verdict;
}

static inline void assert_by_policy(const struct limiter_verdict *v,
                                    enum config_backend_failure failure)
{
    assert_true(v->degraded);
    assert_int_equal(v->outcome, failure == CONFIG_FAIL_DENY ? LIMITER_UNAVAILABLE : LIMITER_ADMIT);
    assert_int_equal(v->retry_after_s, failure == CONFIG_FAIL_DENY ? 1 : 0);
    assert_int_equal(v->count, failure == CONFIG_FAIL_MEMORY ? 1 : 0);
}

/* ---- the admin's view ---- */

struct job {
    struct limiter_state state; /* first: done gets it back */
    struct gw_loop *loop;
    bool done;
    int err;
};

static struct job job;

static inline void on_job(struct limiter_state *s, int err)
{
    (void)s;
    job.done = true;
    job.err = err;
    gw_loop_stop(job.loop);
}

static inline bool job_is_done(struct bench *b)
{
    (void)b;
    return job.done;
}

static inline int reset(struct bench *b, size_t worker, const struct limiter_state_item *item,
                        const char *key)
{
    job = (struct job){.state.done = on_job, .loop = b->loop};
    limiter_state_reset(b->workers[worker], &job.state, item, gw_str_z(key));
    assert_false(job.done);
    run_until(b, job_is_done);
    return job.err;
}
