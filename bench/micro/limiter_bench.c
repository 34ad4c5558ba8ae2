/* SPDX-License-Identifier: Apache-2.0 */
/* Cost of the limiter's parts, alone: `limiter_bench [limiters.json]`. Prints nanoseconds of CPU an
 * operation, the best of five runs, the memory of a million keys, and the longest that a call took
 * while a million keys expired and as many came. With a file, its routes are looked up by their own
 * paths. */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "gateway/net/loop.h"
#include "limiter/answer.h"

#define ROUNDS 1000000u

static struct limiter_worker *worker;
static struct limiter limiter = {.name = {"aiGenerate", 10},
                                 .rule = {15, 60000},
                                 .kv = {60, 0, 0, 0, 1, 1, 1, CONFIG_KV_OFF, 1}};
static const struct limiter_place place = {{"FRA", 3}, 0};
static volatile uint64_t sink;
static uint64_t now_ms = 1700000000000;

static double clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void report(const char *name, void (*run)(unsigned rounds), unsigned rounds)
{
    double best = 1e18;
    for (int i = 0; i < 5; i++) {
        double start = cpu_ns();
        run(rounds);
        double took = (cpu_ns() - start) / rounds;
        best = took < best ? took : best;
    }
    printf("%-28s %8.1f ns\n", name, best);
}

static enum limiter_outcome decide(struct gw_str key, struct limiter_verdict *v)
{
    struct limiter_ask ask = {&limiter, key, place, now_ms, NULL};
    return limiter_decide(worker, &ask, NULL, v);
}

static void ask_hot_key(unsigned rounds)
{
    struct limiter_verdict v;
    for (unsigned i = 0; i < rounds; i++)
        sink += decide(GW_STR("203.0.113.77:anonymous"), &v);
}

static struct gw_str visitor(char key[32], unsigned net, unsigned i)
{
    return gw_str(key, (size_t)snprintf(key, 32, "%u.%u.%u.%u:anonymous", net, i >> 16 & 255,
                                        i >> 8 & 255, i & 255));
}

static void spread_over_keys(unsigned rounds)
{
    struct limiter_verdict v;
    char key[32];
    for (unsigned i = 0; i < rounds; i++)
        sink += decide(visitor(key, 10, i), &v);
}

static void render_answer(unsigned rounds)
{
    char scratch[LIMITER_ANSWER_SIZE];
    struct limiter_verdict v = {.outcome = LIMITER_DENY};
    for (unsigned i = 0; i < rounds; i++) {
        v.retry_after_s = i & 63;
        sink += limiter_answer(NULL, &v, scratch).body.len;
    }
}

static struct limiter_key *key;

static void render_key(unsigned rounds)
{
    char out[LIMITER_KEY_MAX];
    struct limiter_subject who = {.ip_text = GW_STR("203.0.113.77"), .user = GW_STR("u1")};
    for (unsigned i = 0; i < rounds; i++)
        sink += limiter_key_render(key, &who, out).len;
}

static struct limiter_policy *policy;

static void match_routes(unsigned rounds)
{
    size_t count;
    const struct limiter_route *routes = limiter_policy_routes(policy, &count);
    for (unsigned i = 0; i < rounds; i++)
        sink += limiter_policy_match(policy, METHOD_POST, routes[i % count].path) != NULL;
}

static void report_memory(struct limiter_world *world)
{
    struct limiter_health health;
    struct mallinfo2 before = mallinfo2();
    spread_over_keys(ROUNDS);
    struct mallinfo2 after = mallinfo2();
    limiter_world_health(world, &health);
    printf("%-28s %8.1f bytes of %llu live keys\n", "memory of a key",
           (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
               (double)health.keys,
           (unsigned long long)health.keys);
}

/* Every window is over at once, and as many visitors come who were never here. CPU time of this
 * thread: a neighbour that takes the core is no pause of ours. */
static void report_expiry(struct limiter_world *world)
{
    struct limiter_health health;
    struct limiter_verdict v;
    char text[32];
    double longest = 0, all = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    now_ms += limiter.rule.window_ms;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct gw_str who = visitor(text, 11, i);
        double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        sink += decide(who, &v);
        double took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        longest = took > longest ? took : longest;
    }
    all = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - all) / ROUNDS;
    limiter_world_health(world, &health);
    printf("%-28s %8.1f us, mean %.1f ns; %llu keys are left\n", "longest call during expiry",
           longest / 1000, all, (unsigned long long)health.keys);
}

static void stop(void *loop)
{
    gw_loop_stop(loop);
}

int main(int argc, char **argv)
{
    static const struct config_limiter settings = {0};
    struct limiter_key_error error;
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_VIRTUAL);
    struct gw_loop *loop = gw_loop_new(&clock);
    struct limiter_world *world = limiter_world_new(&settings, GW_CLOCK_VIRTUAL);
    worker = limiter_worker_new(world, loop);
    report("embedded, deny of a hot key", ask_hot_key, ROUNDS);
    report_memory(world);
    report("embedded, a million keys", spread_over_keys, ROUNDS);
    report_expiry(world);
    limiter.store = LIMITER_KV; /* without latencies: what the state machine itself costs */
    report("kv, deny of a hot key", ask_hot_key, ROUNDS);
    limiter.rule.limit = UINT32_MAX;
    report("kv, a hot key written", ask_hot_key, ROUNDS);
    limiter.store = LIMITER_BINDING;
    limiter.rule.limit = 15;
    report("binding, deny of a hot key", ask_hot_key, ROUNDS);
    report("429 rendered", render_answer, ROUNDS);
    key = limiter_key_compile(GW_STR("${ip}:${user}"), &error);
    report("key rendered", render_key, ROUNDS);
    struct gw_diags diags;
    gw_diags_init(&diags);
    policy = argc > 1 ? limiter_policy_load(argv[1], argv[1], &diags) : NULL;
    gw_diags_print(&diags, stderr, false);
    if (policy)
        report("route found", match_routes, ROUNDS);
    gw_diags_release(&diags);
    limiter_policy_unref(policy);
    limiter_key_free(key);
    limiter_worker_close(worker, stop, loop);
    gw_loop_run(loop);
    gw_loop_free(loop);
    limiter_world_free(world);
    return 0;
}
