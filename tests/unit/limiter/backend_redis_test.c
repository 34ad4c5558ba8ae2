/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions with a real redis-server on a Unix socket of its own. Workers share one loop here;
 * nothing but Redis is between their counters. */
#include "limiter/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
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

static bool try_connect(int fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", server.path);
    return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* Sends inline commands, then QUIT, and returns all answers. */
static const char *say(const char *commands)
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

static void start_server(const char *password)
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

static void stop_server(int signal)
{
    if (server.pid > 0) {
        kill(server.pid, signal);
        waitpid(server.pid, NULL, 0);
    }
    server.pid = 0;
    unlink(server.path);
}

static int start_group(void **state)
{
    (void)state;
    snprintf(server.folder, sizeof(server.folder), "/tmp/ne-redis-XXXXXX");
    if (!mkdtemp(server.folder))
        return -1;
    snprintf(server.path, sizeof(server.path), "%s/redis.sock", server.folder);
    start_server("");
    return 0;
}

static int stop_group(void **state)
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

static void on_tick(struct gw_deadline *tick)
{
    struct bench *b = gw_container_of(tick, struct bench, tick);
    gw_deadline_set(b->loop, tick, 1);
    gw_loop_stop(b->loop);
}

/* Runs the loop until the condition holds; fails after five seconds. */
static void run_until(struct bench *b, bool (*holds)(struct bench *b))
{
    uint64_t give_up = gw_kernel_mono_ms() + 5000;
    gw_deadline_set(b->loop, &b->tick, 1);
    while (!holds(b)) {
        assert_true(gw_kernel_mono_ms() < give_up);
        gw_loop_run(b->loop);
    }
    gw_deadline_cancel(&b->tick);
}

static struct limiter_health health_of(struct bench *b)
{
    struct limiter_health health;
    limiter_world_health(b->world, &health);
    return health;
}

static bool is_up(struct bench *b)
{
    return health_of(b).up;
}

static bool is_down(struct bench *b)
{
    struct limiter_health health = health_of(b);
    return !health.up && health.error[0];
}

static struct config_limiter unix_settings(enum config_backend_failure failure)
{
    return (struct config_limiter){
        .backend = {.kind = CONFIG_BACKEND_REDIS, .unix_path = gw_str_z(server.path)},
        .on_backend_failure = failure,
    };
}

static void open_bench(struct bench *b, const struct config_limiter *settings,
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

static void on_closed(void *ctx)
{
    struct bench *b = ctx;
    b->closed++;
    gw_loop_stop(b->loop);
}

static bool both_closed(struct bench *b)
{
    return b->closed == 2;
}

static void close_bench(struct bench *b)
{
    for (size_t i = 0; i < 2; i++)
        limiter_worker_close(b->workers[i], on_closed, b);
    run_until(b, both_closed);
    gw_loop_free(b->loop);
    limiter_world_free(b->world);
}

static unsigned subscribers(void)
{
    const char *answer = strrchr(say("PUBSUB NUMSUB nearedge:reset:0"), ':');
    return answer ? (unsigned)strtoul(answer + 1, NULL, 10) : 0;
}

static bool is_subscribed(struct bench *b)
{
    (void)b;
    return subscribers() == 2;
}

static bool a_turn_has_passed(struct bench *b)
{
    static unsigned turn;
    (void)b;
    return ++turn % 3 == 0;
}

/* Both connections of both workers stand. */
static void open_ready(struct bench *b, enum config_backend_failure failure,
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

static void on_decided(struct limiter_call *c, const struct limiter_verdict *v)
{
    struct call *call = (struct call *)c;
    assert_false(call->done);
    call->done = true;
    call->verdict = *v;
    gw_loop_stop(calls_loop);
}

static void ask(struct bench *b, size_t worker, size_t at, const struct limiter *limiter,
                const char *key, uint64_t now_ms)
{
    struct call *call = &calls[at];
    struct limiter_ask asked = {limiter, gw_str_z(key), {GW_STR("FRA"), 0}, now_ms};
    *call = (struct call){.call.done = on_decided};
    calls_loop = b->loop;
    call->done =
        limiter_decide(b->workers[worker], &asked, &call->call, &call->verdict) != LIMITER_WAIT;
}

static size_t wanted;

static bool all_decided(struct bench *b)
{
    (void)b;
    for (size_t i = 0; i < wanted; i++)
        if (!calls[i].done)
            return false;
    return true;
}

static struct limiter_verdict decide(struct bench *b, size_t worker, const struct limiter *limiter,
                                     const char *key, uint64_t now_ms)
{
    ask(b, worker, 0, limiter, key, now_ms);
    wanted = 1;
    run_until(b, all_decided);
    return calls[0].verdict;
}

/* Counted by the server, not by us. */
static unsigned evalsha_calls(void)
{
    const char *at = strstr(say("INFO commandstats"), "cmdstat_evalsha:calls=");
    return at ? (unsigned)strtoul(at + strlen("cmdstat_evalsha:calls="), NULL, 10) : 0;
}

static const struct limiter ai = {.name = {"ai", 2}, .rule = {15, 60000}};

/* ---- exactness ---- */

static void forty_at_once_over_two_workers(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_SYSTEM);
    for (size_t i = 0; i < CALLS; i++) {
        ask(&b, i % 2, i, &ai, "10.0.0.1:anonymous", gw_kernel_wall_ms());
        assert_false(calls[i].done); /* never from inside the call */
    }
    wanted = CALLS;
    run_until(&b, all_decided);
    bool seen[16] = {false};
    for (size_t i = 0; i < CALLS; i++) {
        const struct limiter_verdict *v = &calls[i].verdict;
        assert_int_equal(v->reset_at_ms, calls[0].verdict.reset_at_ms);
        if (v->outcome != LIMITER_ADMIT) {
            assert_int_equal(v->outcome, LIMITER_DENY);
            assert_int_equal(v->retry_after_s, 60);
            assert_int_equal(v->count, 15);
            continue;
        }
        assert_in_range(v->count, 1, 15);
        assert_false(seen[v->count]);
        seen[v->count] = true;
    }
    for (size_t i = 1; i <= 15; i++)
        assert_true(seen[i]);
    close_bench(&b);
}

static void a_turn_is_one_command_for_each_key(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_SYSTEM);
    unsigned before = evalsha_calls();
    uint64_t now = gw_kernel_wall_ms();
    for (size_t i = 0; i < CALLS; i++)
        ask(&b, 0, i, &ai, i % 2 ? "one" : "two", now);
    wanted = CALLS;
    run_until(&b, all_decided);
    assert_int_equal(evalsha_calls() - before, 2);
    for (size_t i = 0; i < CALLS; i++) /* in arrival order */
        assert_int_equal(calls[i].verdict.outcome, i / 2 < 15 ? LIMITER_ADMIT : LIMITER_DENY);
    /* Refusals are remembered: no command, no waiting, by limit as well as by key. */
    ask(&b, 0, 0, &ai, "one", now);
    assert_true(calls[0].done && calls[0].verdict.local);
    assert_int_equal(calls[0].verdict.outcome, LIMITER_DENY);
    assert_in_range(calls[0].verdict.retry_after_s, 59, 60);
    struct limiter raised = ai;
    raised.rule.limit = 16;
    assert_int_equal(decide(&b, 0, &raised, "one", now).count, 16);
    assert_int_equal(evalsha_calls() - before, 3);
    close_bench(&b);
}

/* spec/oracle.md section 3 through the script, with the injected clock. */
static void boundaries_are_those_of_the_runtime(void **state)
{
    (void)state;
    static const struct {
        uint64_t at_ms;
        uint32_t retry_after_s, count;
    } cases[] = {{0, 60, 15},   {999, 60, 15}, {1000, 59, 15}, {58999, 2, 15}, {59999, 1, 15},
                 {60000, 0, 1}, {60000, 0, 2}, {60001, 0, 3},  {119999, 0, 4}, {120000, 0, 1}};
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_VIRTUAL);
    for (uint32_t i = 1; i <= 15; i++)
        assert_int_equal(decide(&b, 0, &ai, "k", t0).count, i);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct limiter_verdict v = decide(&b, i % 2, &ai, "k", t0 + cases[i].at_ms);
        assert_int_equal(v.retry_after_s, cases[i].retry_after_s);
        assert_int_equal(v.count, cases[i].count);
    }
    close_bench(&b);
}

/* The last refusal and the first admission of a window that passes in real time. */
static void a_window_rolls_over(void **state)
{
    (void)state;
    const struct limiter one = {.name = GW_STR("one"), .rule = {1, 300}};
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_SYSTEM);
    uint64_t reset_ms = decide(&b, 0, &one, "k", gw_kernel_wall_ms()).reset_at_ms;
    struct limiter_verdict v;
    uint64_t asked_ms;
    do {
        asked_ms = gw_kernel_wall_ms();
        v = decide(&b, 0, &one, "k", asked_ms);
    } while (v.outcome == LIMITER_DENY);
    assert_true(gw_kernel_wall_ms() >= reset_ms && asked_ms <= reset_ms + 50);
    assert_int_equal(v.count, 1);
    close_bench(&b);
}

static void a_flushed_script_is_loaded_again(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_DENY, GW_CLOCK_SYSTEM);
    say("SCRIPT FLUSH");
    for (size_t i = 0; i < CALLS; i++)
        ask(&b, 0, i, &ai, (char[]){(char)('a' + i % 10), '\0'}, gw_kernel_wall_ms());
    wanted = CALLS;
    run_until(&b, all_decided);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i].verdict.outcome, LIMITER_ADMIT);
        assert_int_equal(calls[i].verdict.count, i / 10 + 1);
        assert_false(calls[i].verdict.degraded);
    }
    assert_true(is_up(&b));
    close_bench(&b);
}

static void a_foreign_key_fails_alone(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_DENY, GW_CLOCK_SYSTEM);
    say("SET rl:ai:k foreign");
    assert_int_equal(decide(&b, 0, &ai, "k", t0).outcome, LIMITER_UNAVAILABLE);
    assert_true(is_up(&b));
    assert_int_equal(decide(&b, 0, &ai, "other", t0).outcome, LIMITER_ADMIT);
    say("DEL rl:ai:k\r\nHSET rl:ai:k c x r 7"); /* not parseable counts as no entry */
    assert_int_equal(decide(&b, 0, &ai, "k", t0).count, 1);
    close_bench(&b);
}

static void cancelled_calls_stay_silent(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_SYSTEM);
    for (size_t i = 0; i < 4; i++)
        ask(&b, 0, i, &ai, i < 3 ? "k" : "alone", gw_kernel_wall_ms());
    limiter_cancel(&calls[1].call);
    limiter_cancel(&calls[3].call);
    calls[1].done = calls[3].done = true; /* on_decided would object */
    wanted = 4;
    run_until(&b, all_decided);
    assert_int_equal(calls[2].verdict.count, 2);
    assert_int_equal(decide(&b, 0, &ai, "alone", gw_kernel_wall_ms()).count, 1);
    close_bench(&b);
}

/* ---- failures ---- */

static void assert_by_policy(const struct limiter_verdict *v, enum config_backend_failure failure)
{
    assert_true(v->degraded);
    assert_int_equal(v->outcome, failure == CONFIG_FAIL_DENY ? LIMITER_UNAVAILABLE : LIMITER_ADMIT);
    assert_int_equal(v->retry_after_s, failure == CONFIG_FAIL_DENY ? 1 : 0);
    assert_int_equal(v->count, failure == CONFIG_FAIL_MEMORY ? 1 : 0);
}

/* kill -9 with calls under way and after; then a new server on the same socket. */
static void a_dead_server_is_replaced_by_the_policy(void **state)
{
    (void)state;
    for (int failure = CONFIG_FAIL_MEMORY; failure <= CONFIG_FAIL_DENY; failure++) {
        struct bench b;
        open_ready(&b, failure, GW_CLOCK_SYSTEM);
        kill(server.pid, SIGSTOP); /* so that no answer is faster than the kill */
        ask(&b, 0, 0, &ai, "under way", t0);
        wanted = 1;
        gw_loop_stop(b.loop);
        gw_loop_run(b.loop); /* it is sent */
        stop_server(SIGKILL);
        uint64_t since = gw_kernel_mono_ms();
        run_until(&b, all_decided);
        assert_true(gw_kernel_mono_ms() - since < 250);
        assert_by_policy(&calls[0].verdict, failure);
        run_until(&b, is_down);
        ask(&b, 0, 0, &ai, "at once", t0);
        assert_true(calls[0].done);
        assert_by_policy(&calls[0].verdict, failure);
        assert_int_equal(health_of(&b).fails_closed, failure == CONFIG_FAIL_DENY);
        start_server("");
        run_until(&b, is_up);
        assert_false(decide(&b, 0, &ai, "back", t0).degraded);
        close_bench(&b);
    }
}

static void a_silent_server_meets_the_deadline(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_ALLOW, GW_CLOCK_SYSTEM);
    kill(server.pid, SIGSTOP);
    uint64_t since = gw_kernel_mono_ms();
    struct limiter_verdict v = decide(&b, 0, &ai, "k", t0);
    uint64_t took = gw_kernel_mono_ms() - since;
    kill(server.pid, SIGCONT);
    assert_in_range(took, LIMITER_DEADLINE_MS, 249);
    assert_by_policy(&v, CONFIG_FAIL_ALLOW);
    assert_false(is_up(&b));
    run_until(&b, is_up);
    assert_false(decide(&b, 0, &ai, "k", t0).degraded);
    close_bench(&b);
}

/* With "memory", what was refused stays refused although the local count starts anew. */
static void refusals_outlive_the_server(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_SYSTEM);
    uint64_t now = gw_kernel_wall_ms();
    for (uint32_t i = 0; i < 16; i++)
        decide(&b, 0, &ai, "k", now);
    stop_server(SIGKILL);
    run_until(&b, is_down);
    struct limiter_verdict v = decide(&b, 0, &ai, "k", now);
    assert_true(v.outcome == LIMITER_DENY && v.local);
    for (uint32_t i = 1; i <= 20; i++)
        assert_int_equal(decide(&b, 0, &ai, "new", now).outcome,
                         i <= 15 ? LIMITER_ADMIT : LIMITER_DENY);
    start_server("");
    close_bench(&b);
}

static void passwords(void **state)
{
    (void)state;
    stop_server(SIGKILL);
    start_server("s3cret");
    static const struct {
        const char *user, *password;
        bool good;
    } cases[] = {{NULL, "s3cret", true},
                 {"default", "s3cret", true},
                 {NULL, "wrong", false},
                 {"nobody", "s3cret", false},
                 {NULL, NULL, false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct bench b;
        struct config_limiter settings = unix_settings(CONFIG_FAIL_MEMORY);
        settings.backend.user = gw_str_z(cases[i].user);
        settings.backend.password = gw_str_z(cases[i].password);
        settings.backend.db = 3;
        open_bench(&b, &settings, GW_CLOCK_SYSTEM);
        struct limiter_verdict v = decide(&b, 0, &ai, "k", t0); /* waits for the first attempt */
        assert_int_equal(v.outcome, LIMITER_ADMIT);
        assert_int_equal(v.degraded, !cases[i].good);
        if (!cases[i].good) {
            run_until(&b, is_down);
            assert_null(strstr(health_of(&b).error, "s3cret"));
        }
        close_bench(&b);
    }
    stop_server(SIGKILL);
    start_server("");
}

/* Nothing listens on a bound TCP port: the refusal must end the attempt, not be lost. */
static void a_refused_tcp_connection_is_noticed(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    getsockname(fd, (struct sockaddr *)&at, &len);
    struct config_limiter settings = {
        .backend = {.kind = CONFIG_BACKEND_REDIS,
                    .host = GW_STR("127.0.0.1"),
                    .port = ntohs(at.sin_port)},
    };
    struct bench b;
    open_bench(&b, &settings, GW_CLOCK_SYSTEM);
    uint64_t since = gw_kernel_mono_ms();
    assert_true(decide(&b, 0, &ai, "k", t0).degraded);
    assert_true(gw_kernel_mono_ms() - since < LIMITER_DEADLINE_MS);
    run_until(&b, is_down);
    assert_non_null(strstr(health_of(&b).error, "refused"));
    close_bench(&b);
    close(fd);
}

static void closing_answers_what_waits(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_ALLOW, GW_CLOCK_SYSTEM);
    kill(server.pid, SIGSTOP);
    ask(&b, 0, 0, &ai, "sent", t0);
    gw_loop_stop(b.loop);
    gw_loop_run(b.loop);
    ask(&b, 0, 1, &ai, "not sent", t0);
    close_bench(&b);
    kill(server.pid, SIGCONT);
    assert_true(calls[0].done && calls[1].done);
    assert_by_policy(&calls[0].verdict, CONFIG_FAIL_ALLOW);
    assert_by_policy(&calls[1].verdict, CONFIG_FAIL_ALLOW);
}

/* ---- the admin's view ---- */

struct job {
    struct limiter_state state; /* first: done gets it back */
    struct gw_loop *loop;
    bool done;
    int err;
};

static struct job job;

static void on_job(struct limiter_state *s, int err)
{
    (void)s;
    job.done = true;
    job.err = err;
    gw_loop_stop(job.loop);
}

static bool job_is_done(struct bench *b)
{
    (void)b;
    return job.done;
}

static int reset(struct bench *b, size_t worker, const struct limiter_state_item *item,
                 const char *key)
{
    job = (struct job){.state.done = on_job, .loop = b->loop};
    limiter_state_reset(b->workers[worker], &job.state, item, gw_str_z(key));
    assert_false(job.done);
    run_until(b, job_is_done);
    return job.err;
}

static bool second_worker_admits(struct bench *b)
{
    ask(b, 1, 0, &ai, "10.0.0.1:u*", gw_kernel_wall_ms());
    return !calls[0].done || calls[0].verdict.outcome == LIMITER_ADMIT;
}

static void a_reset_reaches_every_worker(void **state)
{
    (void)state;
    const struct limiter_state_item item = {GW_STR("ai"), 15, 60000, LIMITER_DURABLE_OBJECT};
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_SYSTEM);
    for (uint32_t i = 0; i < 18; i++)
        decide(&b, i % 2, &ai, "10.0.0.1:u*", gw_kernel_wall_ms());
    for (size_t i = 0; i < 2; i++) {
        ask(&b, i, 0, &ai, "10.0.0.1:u*", gw_kernel_wall_ms());
        assert_true(calls[0].done && calls[0].verdict.local);
    }
    assert_int_equal(reset(&b, 0, &item, "10.0.0.1:u*"), 0);
    assert_true(job.state.found);
    run_until(&b, second_worker_admits);
    wanted = 1;
    run_until(&b, all_decided);
    assert_int_equal(calls[0].verdict.count, 1);
    assert_int_equal(reset(&b, 1, &item, "unknown"), 0);
    assert_false(job.state.found);
    close_bench(&b);
}

static void memory_counters_are_listed_and_reset(void **state)
{
    (void)state;
    const struct limiter memory = {
        .name = GW_STR("m"), .rule = {5, 60000}, .store = LIMITER_MEMORY};
    const struct limiter_state_item items[] = {{GW_STR("m"), 5, 60000, LIMITER_MEMORY},
                                               {GW_STR("ai"), 15, 60000, LIMITER_DURABLE_OBJECT}};
    struct bench b;
    open_ready(&b, CONFIG_FAIL_MEMORY, GW_CLOCK_VIRTUAL);
    decide(&b, 0, &memory, "k[1]", t0);
    decide(&b, 1, &memory, "k[1]", t0);
    decide(&b, 0, &ai, "::1:anonymous", t0);
    say("SET rl:ai:foreign x\r\nHSET rl:ain:k c 1 r 1");
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    job = (struct job){.state.done = on_job, .loop = b.loop};
    limiter_state_list(b.workers[0], &job.state, items, 2, &out);
    run_until(&b, job_is_done);
    assert_int_equal(job.err, 0);
    assert_true(gw_str_eq(
        gw_buf_str(&out),
        GW_STR("{\"success\":true,\"data\":{\"state\":{\"m\":{\"maxRequests\":5,"
               "\"windowMs\":60000,\"entries\":[{\"key\":\"k[1]\",\"count\":2,"
               "\"resetAt\":1700000060000,\"edge\":\"FRA\",\"isolate\":0}]},"
               "\"ai\":{\"maxRequests\":15,\"windowMs\":60000,\"entries\":["
               "{\"key\":\"::1:anonymous\",\"count\":1,\"resetAt\":1700000060000}]}}}}")));
    assert_int_equal(reset(&b, 0, &items[0], "k[1]"), 0);
    assert_true(job.state.found);
    assert_int_equal(decide(&b, 0, &memory, "k[1]", t0).count, 1);

    stop_server(SIGKILL);
    run_until(&b, is_down);
    assert_int_equal(reset(&b, 0, &items[0], "k[1]"), GW_EUNAVAILABLE);
    start_server("");
    gw_buf_release(&out);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forty_at_once_over_two_workers),
        cmocka_unit_test(a_turn_is_one_command_for_each_key),
        cmocka_unit_test(boundaries_are_those_of_the_runtime),
        cmocka_unit_test(a_window_rolls_over),
        cmocka_unit_test(a_flushed_script_is_loaded_again),
        cmocka_unit_test(a_foreign_key_fails_alone),
        cmocka_unit_test(cancelled_calls_stay_silent),
        cmocka_unit_test(a_dead_server_is_replaced_by_the_policy),
        cmocka_unit_test(a_silent_server_meets_the_deadline),
        cmocka_unit_test(refusals_outlive_the_server),
        cmocka_unit_test(passwords),
        cmocka_unit_test(a_refused_tcp_connection_is_noticed),
        cmocka_unit_test(closing_answers_what_waits),
        cmocka_unit_test(a_reset_reaches_every_worker),
        cmocka_unit_test(memory_counters_are_listed_and_reset),
    };
    return cmocka_run_group_tests(tests, start_group, stop_group);
}
