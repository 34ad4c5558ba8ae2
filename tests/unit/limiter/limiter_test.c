/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions with the embedded backend: the sequences that a Workers runtime gave for the same
 * algorithm (spec/oracle.md sections 1 to 5). */
#include "limiter/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "gateway/base/err.h"
#include "gateway/net/loop.h"
#include "limiter/state.h"

static const uint64_t t0 = 1700000000000;

struct bench {
    struct gw_clock clock;
    struct gw_loop *loop;
    struct limiter_world *world;
    struct limiter_worker *worker;
};

static void stop_loop(void *loop)
{
    gw_loop_stop(loop);
}

static int set_up(void **state)
{
    static struct bench b;
    static const struct config_limiter settings = {0};
    gw_clock_init(&b.clock, GW_CLOCK_VIRTUAL);
    b.loop = gw_loop_new(&b.clock);
    b.world = limiter_world_new(&settings, GW_CLOCK_VIRTUAL);
    b.worker = limiter_worker_new(b.world, b.loop);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    limiter_worker_close(b->worker, stop_loop, b->loop);
    gw_loop_run(b->loop);
    gw_loop_free(b->loop);
    limiter_world_free(b->world);
    return 0;
}

static struct limiter_verdict decide(struct bench *b, const struct limiter *limiter,
                                     const char *key, struct limiter_place place, uint64_t now_ms)
{
    struct limiter_verdict v;
    struct limiter_ask ask = {limiter, gw_str_z(key), place, now_ms, NULL};
    enum limiter_outcome outcome = limiter_decide(b->worker, &ask, NULL, &v);
    assert_int_equal(outcome, v.outcome);
    return v;
}

static const struct limiter_place fra0 = {{"FRA", 3}, 0};

static void twenty_in_a_row(void **state)
{
    static const enum limiter_store stores[] = {LIMITER_DURABLE_OBJECT, LIMITER_MEMORY};
    for (size_t s = 0; s < GW_COUNT(stores); s++) {
        struct limiter limiter = {.name = GW_STR("ai"), .rule = {15, 60000}, .store = stores[s]};
        for (uint32_t i = 1; i <= 20; i++) {
            struct limiter_verdict v = decide(*state, &limiter, "10.0.0.1:anonymous", fra0, t0);
            assert_int_equal(v.outcome, i <= 15 ? LIMITER_ADMIT : LIMITER_DENY);
            assert_int_equal(v.count, i <= 15 ? i : 15);
            assert_int_equal(v.limit, 15);
            assert_int_equal(v.retry_after_s, i <= 15 ? 0 : 60);
            assert_int_equal(v.reset_at_ms, t0 + 60000);
            assert_false(v.local || v.degraded || v.would_deny);
        }
    }
}

static void keys_are_independent(void **state)
{
    static const char *const keys[] = {"10.0.0.1:anonymous", "10.0.0.1:u1", "10.0.0.2:anonymous",
                                       "::1:anonymous"};
    struct limiter limiter = {.name = GW_STR("k"), .rule = {15, 60000}};
    for (size_t k = 0; k < GW_COUNT(keys); k++) {
        uint32_t admitted = 0;
        for (int i = 0; i < 17; i++)
            admitted += decide(*state, &limiter, keys[k], fra0, t0).outcome == LIMITER_ADMIT;
        assert_int_equal(admitted, 15);
    }
}

/* 80 requests round robin over four isolates. */
static void memory_counts_for_each_place(void **state)
{
    static const struct limiter_place places[] = {
        {{"FRA", 3}, 0}, {{"FRA", 3}, 1}, {{"AMS", 3}, 0}, {{"AMS", 3}, 1}};
    struct limiter memory = {.name = GW_STR("m"), .rule = {15, 60000}, .store = LIMITER_MEMORY};
    struct limiter strict = {.name = GW_STR("d"), .rule = {15, 60000}};
    uint32_t of_memory[4] = {0}, of_strict[4] = {0};
    for (size_t i = 0; i < 80; i++) {
        const struct limiter_place place = places[i % 4];
        of_memory[i % 4] += decide(*state, &memory, "k", place, t0).outcome == LIMITER_ADMIT;
        of_strict[i % 4] += decide(*state, &strict, "k", place, t0).outcome == LIMITER_ADMIT;
    }
    assert_memory_equal(of_memory, ((uint32_t[]){15, 15, 15, 15}), sizeof(of_memory));
    assert_memory_equal(of_strict, ((uint32_t[]){4, 4, 4, 3}), sizeof(of_strict));
}

/* Counters belong to a name: a reload brings other objects, and another limit. */
static void a_reload_keeps_the_count(void **state)
{
    struct limiter before = {.name = GW_STR("r"), .rule = {2, 60000}}, after = before;
    after.rule.limit = 3;
    assert_int_equal(decide(*state, &before, "k", fra0, t0).count, 1);
    assert_int_equal(decide(*state, &before, "k", fra0, t0).count, 2);
    assert_int_equal(decide(*state, &before, "k", fra0, t0).outcome, LIMITER_DENY);
    assert_int_equal(decide(*state, &after, "k", fra0, t0).count, 3);
    assert_int_equal(decide(*state, &after, "k", fra0, t0).outcome, LIMITER_DENY);
    after.rule.limit = 1;
    struct limiter_verdict v = decide(*state, &after, "k", fra0, t0 + 1);
    assert_int_equal(v.outcome, LIMITER_DENY);
    assert_int_equal(v.count, 3);
}

/* Workers take the time at different moments: one may see a window that another opened "later". */
static void skew_does_not_lengthen_the_wait(void **state)
{
    struct limiter limiter = {.name = GW_STR("sk"), .rule = {1, 60000}};
    decide(*state, &limiter, "k", fra0, t0);
    assert_int_equal(decide(*state, &limiter, "k", fra0, t0 - 3).retry_after_s, 60);
    limiter.rule.window_ms = 1000; /* a reload; the old window goes on */
    assert_int_equal(decide(*state, &limiter, "k", fra0, t0).retry_after_s, 60);
}

static void shadow_reports_and_off_does_not_count(void **state)
{
    struct limiter limiter = {.name = GW_STR("s"), .rule = {1, 1000}, .mode = LIMITER_SHADOW};
    assert_false(decide(*state, &limiter, "k", fra0, t0).would_deny);
    struct limiter_verdict v = decide(*state, &limiter, "k", fra0, t0);
    assert_int_equal(v.outcome, LIMITER_ADMIT);
    assert_true(v.would_deny);
    assert_int_equal(v.retry_after_s, 1);
    limiter.mode = LIMITER_OFF;
    v = decide(*state, &limiter, "k", fra0, t0);
    assert_int_equal(v.outcome, LIMITER_ADMIT);
    assert_int_equal(v.count, 0);
    limiter.mode = LIMITER_ENFORCE;
    assert_int_equal(decide(*state, &limiter, "k", fra0, t0).outcome, LIMITER_DENY);
}

/* ---- many threads ---- */

struct crowd {
    struct bench *bench;
    uint32_t admitted[8]; /* by key */
};

static void *run_crowd(void *ctx)
{
    struct crowd *c = ctx;
    struct limiter limiter = {.name = GW_STR("t"), .rule = {1000, 60000}};
    for (int i = 0; i < 8000; i++) {
        char key[] = "k0";
        key[1] = (char)('0' + i % 8);
        c->admitted[i % 8] += decide(c->bench, &limiter, key, fra0, t0).outcome == LIMITER_ADMIT;
    }
    return NULL;
}

static void many_threads_share_exact_counters(void **state)
{
    struct crowd crowds[4] = {0};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        crowds[i].bench = *state;
        assert_int_equal(pthread_create(&threads[i], NULL, run_crowd, &crowds[i]), 0);
    }
    uint32_t total[8] = {0};
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        for (size_t k = 0; k < 8; k++)
            total[k] += crowds[i].admitted[k];
    }
    for (size_t k = 0; k < 8; k++)
        assert_int_equal(total[k], 1000);
    struct limiter_health health;
    limiter_world_health(((struct bench *)*state)->world, &health);
    assert_true(health.up && !health.redis && health.keys >= 8);
    assert_int_equal(health.evictions, 0);
}

/* ---- the admin's view ---- */

struct job {
    struct limiter_state state; /* first: done gets it back */
    struct gw_loop *loop;
    int err;
};

static void on_job(struct limiter_state *s, int err)
{
    struct job *job = (struct job *)s;
    job->err = err;
    gw_loop_stop(job->loop);
}

static void assert_list(struct bench *b, const struct limiter_state_item *items, size_t count,
                        const char *expect)
{
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    struct job job = {.state.done = on_job, .loop = b->loop, .err = 1};
    limiter_state_list(b->worker, &job.state, items, count, &out);
    assert_int_equal(job.err, 1); /* never at once */
    gw_loop_run(b->loop);
    assert_int_equal(job.err, 0);
    if (!gw_str_eq(gw_buf_str(&out), gw_str_z(expect)))
        print_error("%.*s\n", GW_STR_ARG(gw_buf_str(&out)));
    assert_true(gw_str_eq(gw_buf_str(&out), gw_str_z(expect)));
    gw_buf_release(&out);
}

static bool reset(struct bench *b, const struct limiter_state_item *item, const char *key)
{
    struct job job = {.state.done = on_job, .loop = b->loop};
    limiter_state_reset(b->worker, &job.state, item, gw_str_z(key));
    gw_loop_run(b->loop);
    assert_int_equal(job.err, 0);
    return job.state.found;
}

static void state_lists_and_forgets(void **state)
{
    struct bench *b = *state;
    struct limiter strict = {.name = GW_STR("st"), .rule = {2, 60000}};
    struct limiter memory = {.name = GW_STR("me"), .rule = {2, 60000}, .store = LIMITER_MEMORY};
    const struct limiter_state_item items[] = {{GW_STR("st"), 2, 60000, LIMITER_DURABLE_OBJECT, 0},
                                               {GW_STR("me"), 2, 60000, LIMITER_MEMORY, 0},
                                               {GW_STR("none"), 0, 0, LIMITER_DURABLE_OBJECT, 0}};
    decide(b, &strict, "10.0.0.1:anonymous", fra0, t0);
    decide(b, &strict, "10.0.0.1:anonymous", fra0, t0);
    decide(b, &memory, "::1:u\"", fra0, t0);
    assert_list(b, items, 3,
                "{\"success\":true,\"data\":{\"state\":{"
                "\"st\":{\"maxRequests\":2,\"windowMs\":60000,\"entries\":["
                "{\"key\":\"10.0.0.1:anonymous\",\"count\":2,\"resetAt\":1700000060000}]},"
                "\"me\":{\"maxRequests\":2,\"windowMs\":60000,\"entries\":["
                "{\"key\":\"::1:u\\\"\",\"count\":1,\"resetAt\":1700000060000,"
                "\"edge\":\"FRA\",\"isolate\":0}]},"
                "\"none\":{\"maxRequests\":0,\"windowMs\":0,\"entries\":[]}}}}");
    assert_int_equal(decide(b, &strict, "10.0.0.1:anonymous", fra0, t0).outcome, LIMITER_DENY);
    assert_false(reset(b, &items[0], "10.0.0.9:anonymous"));
    assert_true(reset(b, &items[0], "10.0.0.1:anonymous"));
    assert_int_equal(decide(b, &strict, "10.0.0.1:anonymous", fra0, t0).count, 1);

    decide(b, &memory, "::1:u\"", (struct limiter_place){GW_STR("AMS"), 3}, t0);
    assert_true(reset(b, &items[1], "::1:u\""));
    assert_false(reset(b, &items[1], "::1:u\""));
    assert_list(b, &items[1], 1,
                "{\"success\":true,\"data\":{\"state\":{\"me\":{\"maxRequests\":2,"
                "\"windowMs\":60000,\"entries\":[]}}}}");
}

/* KV lists the central value, as the app does; a binding its edges. A reset reaches every copy. */
static void values_and_edges_are_listed_too(void **state)
{
    struct bench *b = *state;
    struct limiter kv = {.name = GW_STR("kv"),
                         .rule = {2, 60000},
                         .store = LIMITER_KV,
                         .kv = {60, 0, 0, 0, 1, 1, 1, CONFIG_KV_OFF, 1}};
    struct limiter binding = {.name = GW_STR("bi"), .rule = {2, 60000}, .store = LIMITER_BINDING};
    const struct limiter_state_item items[] = {{GW_STR("kv"), 2, 60000, LIMITER_KV, 0},
                                               {GW_STR("bi"), 2, 60000, LIMITER_BINDING, 0}};
    const struct limiter_place ams = {GW_STR("AMS"), 1};
    uint64_t now_ms = gw_loop_now(b->loop).wall_ms;
    for (int i = 0; i < 2; i++) {
        decide(b, &kv, "k", fra0, now_ms);
        decide(b, &binding, "k", fra0, now_ms);
    }
    assert_int_equal(decide(b, &kv, "k", ams, now_ms).outcome, LIMITER_DENY);
    assert_true(gw_clock_advance(&b->clock, 250)); /* the edge hears of it */
    assert_int_equal(decide(b, &binding, "k", fra0, now_ms + 250).outcome, LIMITER_DENY);
    char expect[512];
    snprintf(expect, sizeof(expect),
             "{\"success\":true,\"data\":{\"state\":{"
             "\"kv\":{\"maxRequests\":2,\"windowMs\":60000,\"entries\":["
             "{\"key\":\"k\",\"count\":2,\"resetAt\":%llu}]},"
             "\"bi\":{\"maxRequests\":2,\"windowMs\":60000,\"entries\":["
             "{\"key\":\"k\",\"count\":2,\"resetAt\":%llu,\"edge\":\"FRA\"}]}}}}",
             (unsigned long long)now_ms + 60000, (unsigned long long)now_ms + 60000);
    assert_list(b, items, 2, expect);
    assert_true(reset(b, &items[0], "k"));
    assert_true(reset(b, &items[1], "k"));
    assert_int_equal(decide(b, &kv, "k", ams, now_ms + 250).count, 1);
    assert_int_equal(decide(b, &binding, "k", fra0, now_ms + 250).count, 1);
}

static void a_list_that_is_too_large_leaves_nothing(void **state)
{
    struct bench *b = *state;
    struct limiter limiter = {.name = GW_STR("big"), .rule = {2, 60000}};
    const struct limiter_state_item item = {GW_STR("big"), 2, 60000, LIMITER_DURABLE_OBJECT, 0};
    for (char c = 'a'; c <= 'z'; c++)
        decide(b, &limiter, (char[]){c, '\0'}, fra0, t0);
    struct gw_buf out;
    gw_buf_init(&out, 300);
    gw_buf_add(&out, GW_STR("before"));
    struct job job = {.state.done = on_job, .loop = b->loop};
    limiter_state_list(b->worker, &job.state, &item, 1, &out);
    gw_loop_run(b->loop);
    assert_int_equal(job.err, GW_ELIMIT);
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("before")));
    gw_buf_release(&out);

    gw_buf_init(&out, 4096);
    limiter_state_list(b->worker, &job.state, &item, 1, &out);
    limiter_state_cancel(&job.state); /* done never runs: tear_down turns the loop once more */
    job.err = 7;
    gw_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(twenty_in_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_are_independent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_counts_for_each_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_keeps_the_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(skew_does_not_lengthen_the_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shadow_reports_and_off_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_threads_share_exact_counters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(state_lists_and_forgets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_and_edges_are_listed_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_is_too_large_leaves_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
