/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that take time: the app's sequences on KV (spec/oracle.md sections 1 to 6), its tries of a
 * refused write, and Durable Objects that are far away or overloaded. */
#include "limiter/limiter.h"

#include <pthread.h>

#include "limiter/answer.h"
#include "tests/unit/limiter/world_fixture.h"

#define CALLS 64
static struct call calls[CALLS];

static const struct limiter_place fra = {{"FRA", 3}, 0}, ams = {{"AMS", 3}, 0};

static struct limiter kv_limiter(void)
{
    return (struct limiter){
        .name = GW_STR("ai"), .rule = {15, 60000}, .store = LIMITER_KV, .kv = kv_by_configuration};
}

static int set_up(void **state)
{
    static struct world w;
    world_open(&w);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world_close(*state);
    return 0;
}

/* The answer of a call that is decided at once. */
static struct limiter_verdict decide(struct world *w, const struct limiter *limiter,
                                     const char *key, struct limiter_place place)
{
    assert_true(world_ask(w, &calls[0], limiter, key, place));
    return calls[0].verdict;
}

/* ---- KV: the runtime's sequences ---- */

static void twenty_in_a_row(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    for (uint32_t i = 1; i <= 20; i++) {
        struct limiter_verdict v = decide(w, &limiter, "k", fra);
        assert_int_equal(v.outcome, i <= 15 ? LIMITER_ADMIT : LIMITER_DENY);
        assert_int_equal(v.count, i <= 15 ? i : 15);
        assert_int_equal(v.retry_after_s, i <= 15 ? 0 : 60);
        assert_int_equal(v.reset_at_ms, world_now(w) + 60000);
        assert_int_equal(v.kv.reads, i == 1);
        assert_int_equal(v.kv.copies, i > 1);
        assert_int_equal(v.kv.writes, i <= 15);
        assert_int_equal(v.kv.refused, 0);
    }
}

static void forty_at_once_all_pass(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    w->settings.kv.read_ms = 1;
    for (size_t i = 0; i < 40; i++)
        assert_false(world_ask(w, &calls[i], &limiter, "k", fra));
    world_advance(w, 1);
    world_settle(w);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(calls[i].verdict.outcome, LIMITER_ADMIT);
}

static void boundaries_are_those_of_the_runtime(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    static const struct {
        uint64_t at_ms;
        uint32_t retry_after_s, count;
    } cases[] = {{0, 60, 15},   {999, 60, 15}, {1000, 59, 15}, {58999, 2, 15}, {59999, 1, 15},
                 {60000, 0, 1}, {60000, 0, 2}, {60001, 0, 3},  {119999, 0, 4}, {120000, 0, 1}};
    for (uint32_t i = 1; i <= 15; i++)
        decide(w, &limiter, "k", fra);
    uint64_t now_ms = 0;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        world_advance(w, cases[i].at_ms - now_ms);
        now_ms = cases[i].at_ms;
        struct limiter_verdict v = decide(w, &limiter, "k", fra);
        assert_int_equal(v.retry_after_s, cases[i].retry_after_s);
        assert_int_equal(v.count, cases[i].count);
    }
}

static void keys_are_independent_and_isolates_are_not(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    static const char *const keys[] = {"10.0.0.1:anonymous", "10.0.0.1:u1", "::1:anonymous"};
    for (size_t k = 0; k < GW_COUNT(keys); k++) {
        uint32_t admitted = 0;
        for (uint32_t i = 0; i < 80; i++) {
            const struct limiter_place place = {GW_STR("FRA"), i % 4};
            admitted += decide(w, &limiter, keys[k], place).outcome == LIMITER_ADMIT;
        }
        assert_int_equal(admitted, 15);
    }
}

/* ---- KV: what edges see ---- */

/* An edge that has looked in vain goes on seeing nothing; so does one with an old copy. */
static void copies_go_stale(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    limiter.rule.window_ms = 3600000;
    assert_int_equal(decide(w, &limiter, "k", ams).count, 1);
    for (uint32_t i = 2; i <= 5; i++)
        assert_int_equal(decide(w, &limiter, "k", ams).count, i);
    assert_int_equal(decide(w, &limiter, "k", fra).count, 6); /* cold: reads the central value */
    assert_int_equal(decide(w, &limiter, "k", ams).count, 6); /* does not know: last write wins */
    world_advance(w, 59999);
    assert_int_equal(decide(w, &limiter, "k", fra).kv.copies, 1);
    world_advance(w, 60000); /* both copies have ended: each write made a new one */
    struct limiter_verdict v = decide(w, &limiter, "k", ams);
    assert_int_equal(v.kv.reads, 1);
    assert_int_equal(v.count, 8);
}

static void a_miss_is_kept_too(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    for (int keeps = 0; keeps < 2; keeps++) {
        const char *key = keeps ? "kept" : "not kept";
        w->settings.kv.negative_cache = keeps;
        w->settings.kv.write_ms = 10;
        world_ask(w, &calls[1], &limiter, key, ams); /* a miss; its write is under way … */
        world_ask(w, &calls[2], &limiter, key, fra);
        world_advance(w, 5);
        world_ask(w, &calls[3], &limiter, key, fra); /* … when this looks */
        assert_int_equal(calls[3].decided, false);
        world_advance(w, 10);
        world_settle(w);
        assert_int_equal(calls[3].verdict.kv.copies, keeps);
        assert_int_equal(calls[3].verdict.kv.reads, !keeps);
    }
}

static void a_write_takes_its_time_to_travel(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    w->settings.kv.propagation_ms = 10000;
    for (uint32_t i = 1; i <= 15; i++)
        decide(w, &limiter, "k", fra);
    world_advance(w, 9999);
    assert_int_equal(decide(w, &limiter, "k", fra).outcome, LIMITER_DENY);
    assert_int_equal(decide(w, &limiter, "k", ams).count, 1); /* sees nothing of it */
    world_advance(w, 5001); /* half as long again, for a place that has not looked yet */
    assert_int_equal(decide(w, &limiter, "k", (struct limiter_place){GW_STR("WAW"), 0}).outcome,
                     LIMITER_DENY);
}

/* ---- KV: latencies ---- */

static void reads_and_writes_take_time(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    limiter.rule.limit = 1;
    w->settings.kv.read_ms = 30;
    w->settings.kv.write_ms = 20;
    uint64_t start_ms = world_now(w);
    assert_false(world_ask(w, &calls[0], &limiter, "k", fra));
    world_advance(w, 49);
    world_turn(w);
    assert_false(calls[0].decided);
    world_advance(w, 1);
    world_settle(w);
    assert_int_equal(calls[0].verdict.outcome, LIMITER_ADMIT);
    assert_int_equal(calls[0].verdict.reset_at_ms, start_ms + 60000); /* `now` is that of entry */

    assert_false(world_ask(w, &calls[1], &limiter, "k", fra)); /* a refusal does not write */
    world_advance(w, 30);
    world_settle(w);
    assert_int_equal(calls[1].verdict.outcome, LIMITER_DENY);
    assert_int_equal(calls[1].verdict.retry_after_s, 60);
}

/* What the app has sent is counted although its client has gone. */
static void cancelled_calls_are_counted_and_silent(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    w->settings.kv.write_ms = 20;
    world_ask(w, &calls[0], &limiter, "k", fra);
    limiter_cancel(&calls[0].call);
    calls[0].decided = true; /* on_call_decided would object */
    w->waiting--;
    world_advance(w, 20);
    world_turn(w);
    w->settings.kv.write_ms = 0;
    assert_int_equal(decide(w, &limiter, "k", fra).count, 2);
}

static void closing_answers_what_waits(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter kv = kv_limiter();
    struct limiter object = {.name = GW_STR("o"), .rule = {1, 1000}};
    w.settings.kv.write_ms = 20;
    w.settings.durable_object.latency_ms = 20;
    world_ask(&w, &calls[0], &kv, "k", fra);
    world_ask(&w, &calls[1], &object, "k", fra);
    world_ask(&w, &calls[2], &object, "k", fra);
    limiter_cancel(&calls[2].call);
    w.waiting--;
    world_close(&w);
    for (size_t i = 0; i < 2; i++) {
        assert_true(calls[i].decided);
        assert_int_equal(calls[i].verdict.outcome, LIMITER_ADMIT); /* policy "memory" */
        assert_true(calls[i].verdict.degraded);
    }
}

static void there_is_an_end_to_waiting_calls(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    static struct call many[LIMITER_DECISIONS_MAX];
    w->settings.kv.read_ms = 1;
    for (size_t i = 0; i < LIMITER_DECISIONS_MAX; i++)
        assert_false(world_ask(w, &many[i], &limiter, "k", fra));
    assert_true(world_ask(w, &calls[0], &limiter, "k", fra));
    assert_int_equal(calls[0].verdict.outcome, LIMITER_ERROR);
    assert_int_equal(calls[0].verdict.fault, LIMITER_OBJECT_QUEUE);
    world_advance(w, 1);
    world_settle(w);
    assert_false(world_ask(w, &calls[0], &limiter, "k", fra));
}

/* ---- KV: refused writes ---- */

/* With a clock that stands still a refusal that is certain does not wait for its tries; one that
 * the last try may turn does. */
static void a_refused_write_is_tried_again(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    w->settings.kv.write_limit = CONFIG_KV_STRICT;
    assert_int_equal(decide(w, &limiter, "k", fra).outcome, LIMITER_ADMIT);
    struct limiter_verdict v = decide(w, &limiter, "k", fra);
    assert_int_equal(v.outcome, LIMITER_ERROR);
    assert_int_equal(v.fault, LIMITER_KV_WRITE_LIMIT);
    assert_int_equal(v.kv.refused, 3);
    assert_int_equal(v.kv.writes, 0);
    world_advance(w, 954);
    assert_int_equal(decide(w, &limiter, "k", fra).outcome, LIMITER_ERROR); /* last try at 999 */
    world_advance(w, 1);
    assert_false(world_ask(w, &calls[1], &limiter, "k", fra)); /* … at 1000 */
    world_advance(w, 44);
    world_turn(w);
    assert_false(calls[1].decided);
    world_advance(w, 1);
    world_settle(w);
    v = calls[1].verdict;
    assert_int_equal(v.outcome, LIMITER_ADMIT);
    assert_int_equal(v.count, 2);
    assert_int_equal(v.kv.refused, 2);
    assert_int_equal(v.kv.writes, 1);
    assert_int_equal(v.fault, LIMITER_NO_FAULT);
}

/* Two that wait for the same second: one jump of the clock, and still one write. */
static void a_jump_does_not_pass_over_what_happens_in_it(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    w->settings.kv.write_limit = CONFIG_KV_STRICT;
    decide(w, &limiter, "k", fra);
    world_advance(w, 960);
    for (size_t i = 1; i <= 2; i++)
        assert_false(world_ask(w, &calls[i], &limiter, "k", fra));
    world_advance(w, 45);
    /* Who asks before the loop has turned finds what happened meanwhile. */
    w->settings.kv.write_limit = CONFIG_KV_OFF;
    assert_int_equal(decide(w, &limiter, "k", fra).count, 3);
    world_advance(w, 100000);
    world_settle(w);
    assert_int_equal(calls[1].verdict.outcome, LIMITER_ADMIT);
    assert_int_equal(calls[1].verdict.kv.refused, 2);
    assert_int_equal(calls[2].verdict.outcome, LIMITER_ERROR);
    assert_int_equal(decide(w, &limiter, "k", fra).count, 1);
}

static void assert_fault(const struct limiter_verdict *v, const char *message)
{
    char scratch[LIMITER_ANSWER_SIZE], expect[256];
    assert_int_equal(v->outcome, LIMITER_ERROR);
    struct limiter_answer answer = limiter_answer(NULL, v, scratch);
    int len = snprintf(
        expect, sizeof(expect),
        "{\"success\":false,\"error\":{\"type\":\"server_error\",\"message\":\"%s\"}}", message);
    assert_int_equal(answer.status, 500);
    if (!gw_str_eq(answer.body, gw_str(expect, (size_t)len)))
        print_error("%.*s\n", GW_STR_ARG(answer.body));
    assert_true(gw_str_eq(answer.body, gw_str(expect, (size_t)len)));
}

static void kv_refuses_in_its_own_words(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    char key[LIMITER_KEY_MAX + 1];
    memset(key, 'k', sizeof(key));
    key[LIMITER_KEY_MAX - 5] = '\0'; /* with "rl:ai:" 513 bytes */
    struct limiter_verdict v = decide(w, &limiter, key, fra);
    assert_fault(&v,
                 "KV PUT failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.");
    assert_int_equal(decide(w, &limiter, key + 1, fra).outcome, LIMITER_ADMIT);

    limiter.kv.clamp_ttl = 0;
    assert_int_equal(decide(w, &limiter, "k", fra).outcome, LIMITER_ADMIT);
    world_advance(w, 2000);
    assert_int_equal(decide(w, &limiter, "k", fra).outcome, LIMITER_ADMIT); /* 58 + 2 seconds */
    world_advance(w, 1000);
    v = decide(w, &limiter, "k", fra);
    assert_fault(&v, "KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at "
                     "least 60.");
    limiter.kv.clamp_ttl = 1;
    assert_int_equal(decide(w, &limiter, "k", fra).count, 3);

    w->settings.kv.write_limit = CONFIG_KV_STRICT;
    decide(w, &limiter, "k", fra);
    v = decide(w, &limiter, "k", fra);
    assert_fault(&v, "KV PUT failed: 429 Too Many Requests");
}

static void shadow_reports_errors_and_admits(void **state)
{
    struct world *w = *state;
    struct limiter limiter = kv_limiter();
    limiter.mode = LIMITER_SHADOW;
    limiter.rule.limit = 2;
    w->settings.kv.write_limit = CONFIG_KV_STRICT;
    assert_false(decide(w, &limiter, "k", fra).would_deny);
    struct limiter_verdict v = decide(w, &limiter, "k", fra);
    assert_int_equal(v.outcome, LIMITER_ADMIT);
    assert_true(v.would_deny);
    assert_int_equal(v.fault, LIMITER_KV_WRITE_LIMIT);
    world_advance(w, 1000);
    assert_false(decide(w, &limiter, "k", fra).would_deny);
    v = decide(w, &limiter, "k", fra);
    assert_true(v.would_deny && v.outcome == LIMITER_ADMIT && v.fault == LIMITER_NO_FAULT);
    assert_int_equal(v.retry_after_s, 59);
}

/* ---- Durable Objects ---- */

static void an_object_is_half_a_round_trip_away(void **state)
{
    struct world *w = *state;
    struct limiter limiter = {.name = GW_STR("far"), .rule = {15, 60000}};
    w->settings.durable_object.latency_ms = 101;
    uint64_t start_ms = world_now(w);
    for (size_t i = 0; i < 40; i++)
        assert_false(world_ask(w, &calls[i], &limiter, "k", fra));
    world_advance(w, 100);
    world_turn(w);
    assert_false(calls[0].decided);
    world_advance(w, 1);
    world_settle(w);
    for (size_t i = 0; i < 40; i++) {
        const struct limiter_verdict *v = &calls[i].verdict;
        assert_int_equal(v->outcome, i < 15 ? LIMITER_ADMIT : LIMITER_DENY);
        assert_int_equal(v->reset_at_ms, start_ms + 50 + 60000); /* the object's own clock */
        assert_int_equal(v->retry_after_s, i < 15 ? 0 : 60);
    }
}

static void an_object_can_be_overloaded(void **state)
{
    struct world *w = *state;
    struct limiter limiter = {.name = GW_STR("busy"), .rule = {3, 60000}};
    w->settings.durable_object.requests_per_second = 5;
    for (uint32_t i = 0; i < 8; i++) {
        struct limiter_verdict v = decide(w, &limiter, "k", fra);
        assert_int_equal(v.outcome, i < 3 ? LIMITER_ADMIT : i < 5 ? LIMITER_DENY : LIMITER_ERROR);
        if (i >= 5)
            assert_fault(&v, "Durable Object is overloaded");
    }
    assert_int_equal(decide(w, &limiter, "other", fra).outcome, LIMITER_ADMIT);
    world_advance(w, 1000);
    assert_int_equal(decide(w, &limiter, "k", fra).outcome, LIMITER_DENY);
}

/* ---- the binding: as the runtime's simulation, with one machine ---- */

static void a_binding_refuses_as_the_app_does(void **state)
{
    struct world *w = *state;
    struct limiter limiter = {.name = GW_STR("b"), .rule = {15, 60000}, .store = LIMITER_BINDING};
    for (uint32_t i = 1; i <= 20; i++) {
        struct limiter_verdict v = decide(w, &limiter, "k", fra);
        assert_int_equal(v.outcome, i <= 15 ? LIMITER_ADMIT : LIMITER_DENY);
        assert_int_equal(v.retry_after_s, i <= 15 ? 0 : 60);
    }
    assert_int_equal(decide(w, &limiter, "k", ams).count, 1);
    world_advance(w, 1000); /* the edge has been told: another machine knows */
    assert_int_equal(decide(w, &limiter, "k", (struct limiter_place){GW_STR("FRA"), 1}).outcome,
                     LIMITER_DENY);
    world_advance(w, 59000);
    assert_int_equal(decide(w, &limiter, "k", fra).count, 1);
}

/* ---- many workers ---- */

struct crowd {
    struct limiter_world *limiters;
    const struct gw_clock *clock;
    enum limiter_store store;
    uint32_t admitted;
};

static void *run_crowd(void *ctx)
{
    struct crowd *c = ctx;
    struct gw_loop *loop = gw_loop_new(c->clock);
    struct limiter_worker *worker = limiter_worker_new(c->limiters, loop);
    struct limiter limiter = kv_limiter();
    limiter.rule.limit = 500;
    limiter.store = c->store;
    struct config_limiter settings = default_settings;
    settings.kv.write_limit = CONFIG_KV_OFF;
    for (int i = 0; i < 2000; i++) {
        const char *key = i % 2 ? "k1" : "k2";
        struct limiter_verdict v;
        struct limiter_ask ask = {&limiter, gw_str_z(key), i % 3 ? fra : ams,
                                  gw_loop_now(loop).wall_ms, &settings};
        c->admitted += limiter_decide(worker, &ask, NULL, &v) == LIMITER_ADMIT;
    }
    limiter_worker_close(worker, stop_loop, loop);
    gw_loop_run(loop);
    gw_loop_free(loop);
    return NULL;
}

/* Threads race as isolates do; nobody is refused before the limit, and nothing breaks. */
static void many_workers_share_an_edge(void **state)
{
    struct world *w = *state;
    static const enum limiter_store stores[] = {LIMITER_KV, LIMITER_BINDING};
    for (size_t s = 0; s < GW_COUNT(stores); s++) {
        struct crowd crowds[4];
        pthread_t threads[4];
        uint32_t admitted = 0;
        for (size_t i = 0; i < 4; i++) {
            crowds[i] = (struct crowd){w->limiters, &w->clock, stores[s], 0};
            assert_int_equal(pthread_create(&threads[i], NULL, run_crowd, &crowds[i]), 0);
        }
        for (size_t i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            admitted += crowds[i].admitted;
        }
        assert_in_range(admitted, 2 * 500, 4 * 2000);
    }
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(twenty_in_a_row),
        WORLD_TEST(forty_at_once_all_pass),
        WORLD_TEST(boundaries_are_those_of_the_runtime),
        WORLD_TEST(keys_are_independent_and_isolates_are_not),
        WORLD_TEST(copies_go_stale),
        WORLD_TEST(a_miss_is_kept_too),
        WORLD_TEST(a_write_takes_its_time_to_travel),
        WORLD_TEST(reads_and_writes_take_time),
        WORLD_TEST(cancelled_calls_are_counted_and_silent),
        cmocka_unit_test(closing_answers_what_waits),
        WORLD_TEST(there_is_an_end_to_waiting_calls),
        WORLD_TEST(a_refused_write_is_tried_again),
        WORLD_TEST(a_jump_does_not_pass_over_what_happens_in_it),
        WORLD_TEST(kv_refuses_in_its_own_words),
        WORLD_TEST(shadow_reports_errors_and_admits),
        WORLD_TEST(an_object_is_half_a_round_trip_away),
        WORLD_TEST(an_object_can_be_overloaded),
        WORLD_TEST(a_binding_refuses_as_the_app_does),
        WORLD_TEST(many_workers_share_an_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
