/* SPDX-License-Identifier: Apache-2.0 */
/* Cost of the limiter's parts, alone: `limiter_bench [limiters.json]`. Prints nanoseconds of CPU an
 * operation, the best of five runs, and the memory of a million keys. With a file, its routes are
 * looked up by their own paths. */
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

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
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
    struct limiter_ask ask = {&limiter, key, place, 1700000000000, NULL};
    return limiter_decide(worker, &ask, NULL, v);
}

static void ask_hot_key(unsigned rounds)
{
    struct limiter_verdict v;
    for (unsigned i = 0; i < rounds; i++)
        sink += decide(GW_STR("203.0.113.77:anonymous"), &v);
}

static void spread_over_keys(unsigned rounds)
{
    struct limiter_verdict v;
    char key[32];
    for (unsigned i = 0; i < rounds; i++)
        sink += decide(gw_str(key, (size_t)snprintf(key, sizeof(key), "10.%u.%u.%u:anonymous",
                                                    i >> 16 & 255, i >> 8 & 255, i & 255)),
                       &v);
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

static void report_memory(void)
{
    struct mallinfo2 before = mallinfo2();
    spread_over_keys(ROUNDS);
    struct mallinfo2 after = mallinfo2();
    printf("%-28s %8.1f bytes\n", "memory of a key",
           (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / ROUNDS);
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
    report_memory();
    report("embedded, a million keys", spread_over_keys, ROUNDS);
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
