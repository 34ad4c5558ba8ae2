/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions through Redis, admitted ones: `limiter_redis_bench SOCKET [DEPTH [ROUNDS]]` asks for
 * DEPTH new keys in one turn, waits for all answers and goes on with the next, as redis-benchmark
 * does with its pipeline. Prints decisions a second and the CPU time of this process for each.
 * `limiter_redis_bench --script` prints what runs inside Redis. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/net/loop.h"
#include "limiter/backend_redis_script.h"
#include "limiter/limiter.h"

#define DEPTH_MAX 4096u

struct run {
    struct gw_loop *loop;
    struct limiter_world *world;
    struct limiter_worker *worker;
    struct gw_task next;
    struct gw_deadline wait;
    unsigned depth, waiting;
    unsigned long asked, rounds, admitted, degraded;
    double began_s, began_cpu_s;
};

static struct run run;
static struct limiter_call calls[DEPTH_MAX];
static const struct limiter limiter = {.name = {"bench", 5}, .rule = {15, 60000}};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(void)
{
    double took = seconds(CLOCK_MONOTONIC) - run.began_s;
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - run.began_cpu_s;
    printf("decisions=%lu admitted=%lu degraded=%lu depth=%u per_second=%.0f cpu_us=%.2f\n",
           run.asked, run.admitted, run.degraded, run.depth, (double)run.asked / took,
           cpu * 1e6 / (double)run.asked);
    gw_loop_stop(run.loop);
}

static void on_decided(struct limiter_call *call, const struct limiter_verdict *v)
{
    (void)call;
    run.admitted += v->outcome == LIMITER_ADMIT;
    run.degraded += v->degraded;
    if (--run.waiting == 0)
        gw_loop_defer(run.loop, &run.next);
}

static void on_next(struct gw_task *task)
{
    (void)task;
    if (run.asked >= run.rounds) {
        report();
        return;
    }
    struct limiter_verdict v;
    char key[32];
    for (unsigned i = 0; i < run.depth; i++) {
        struct gw_str who = gw_str(key, (size_t)snprintf(key, sizeof(key), "%012lu", run.asked++));
        struct limiter_ask ask = {
            &limiter, who, {{"FRA", 3}, 0}, gw_loop_now(run.loop).wall_ms, NULL};
        calls[i] = (struct limiter_call){.done = on_decided};
        run.waiting += limiter_decide(run.worker, &ask, &calls[i], &v) == LIMITER_WAIT;
    }
    if (run.waiting == 0) { /* Redis is away: the policy has answered all of them */
        run.degraded += run.depth;
        report();
    }
}

static void on_wait(struct gw_deadline *deadline)
{
    struct limiter_health health;
    limiter_world_health(run.world, &health);
    if (!health.up) {
        gw_deadline_set(run.loop, deadline, 10);
        return;
    }
    run.began_s = seconds(CLOCK_MONOTONIC);
    run.began_cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    gw_loop_defer(run.loop, &run.next);
}

static void stop(void *loop)
{
    gw_loop_stop(loop);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--script") == 0) {
        fputs(REDIS_SCRIPT_TAKE, stdout);
        return 0;
    }
    run.depth = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 64;
    run.rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 1000000;
    if (argc < 2 || run.depth == 0 || run.depth > DEPTH_MAX) {
        fprintf(stderr, "usage: limiter_redis_bench --script | SOCKET [DEPTH [ROUNDS]]\n");
        return 2;
    }
    const struct config_limiter settings = {
        .backend = {.kind = CONFIG_BACKEND_REDIS, .unix_path = gw_str_z(argv[1])},
        .on_backend_failure = CONFIG_FAIL_DENY};
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    run.loop = gw_loop_new(&clock);
    run.world = limiter_world_new(&settings, GW_CLOCK_SYSTEM);
    run.worker = limiter_worker_new(run.world, run.loop);
    gw_task_init(&run.next, on_next);
    gw_deadline_init(&run.wait, on_wait);
    gw_deadline_set(run.loop, &run.wait, 10);
    gw_loop_run(run.loop);
    limiter_worker_close(run.worker, stop, run.loop);
    gw_loop_run(run.loop);
    gw_loop_free(run.loop);
    limiter_world_free(run.world);
    return run.degraded ? 1 : 0;
}
