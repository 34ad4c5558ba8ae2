/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that take time, with their state in Redis. */
#include "limiter/limiter.h"

#include "tests/unit/limiter/redis_fixture.h"

#include "gateway/base/hash.h"

static const struct limiter kv = {.name = {"ai", 2},
                                  .rule = {15, 60000},
                                  .store = LIMITER_KV,
                                  .kv = {-1, -1, -1, -1, -1, -1, -1, -1, 1}};

static struct config_limiter kv_settings(enum config_backend_kind kind,
                                         enum config_kv_write_limit limit)
{
    struct config_limiter s = unix_settings(CONFIG_FAIL_MEMORY);
    s.backend.kind = kind;
    s.kv.cache_ttl_s = 30;
    s.kv.negative_cache = true;
    s.kv.write_limit = limit;
    s.kv.writes_per_key_per_second = 2;
    s.kv.seed = 7;
    return s;
}

static void open_up(struct bench *b, const struct config_limiter *settings,
                    enum gw_clock_mode clock)
{
    open_bench(b, settings, clock);
    run_until(b, is_up);
    if (settings->backend.kind == CONFIG_BACKEND_REDIS)
        run_until(b, is_subscribed);
    run_until(b, a_turn_has_passed);
}

static struct limiter_verdict decide_from(struct bench *b, size_t worker,
                                          const struct limiter *limiter, const char *edge,
                                          const char *key)
{
    const struct limiter_ask question = {
        limiter, gw_str_z(key), {gw_str_z(edge), 0}, gw_loop_now(b->loop).wall_ms, NULL};
    put_question(b, worker, 0, &question);
    wanted = 1;
    /* Whoever waits for its next try gets the time for it; the others do not mind. */
    if (!calls[0].done && b->clock.mode == GW_CLOCK_VIRTUAL)
        assert_true(gw_clock_advance(&b->clock, 45));
    run_until(b, all_decided);
    return calls[0].verdict;
}

/* ---- the scripts say what kv_key.c says ---- */

static void assert_equal_verdicts(const struct limiter_verdict *here,
                                  const struct limiter_verdict *there)
{
    assert_int_equal(there->outcome, here->outcome);
    assert_int_equal(there->count, here->count);
    assert_int_equal(there->reset_at_ms, here->reset_at_ms);
    assert_int_equal(there->fault, here->fault);
    assert_memory_equal(&there->kv, &here->kv, sizeof(here->kv));
    assert_false(there->degraded);
}

static void compare(const struct config_limiter *here_settings,
                    const struct config_limiter *there_settings, uint64_t seed)
{
    static const char *const edges[] = {"FRA", "AMS", "WAW"}, *const keys[] = {"a", "b"};
    struct gw_rng rng = {seed};
    struct bench here, there;
    say("FLUSHALL");
    open_up(&here, here_settings, GW_CLOCK_VIRTUAL);
    open_up(&there, there_settings, GW_CLOCK_VIRTUAL);
    there.clock.start = here.clock.start;
    for (int i = 0; i < 400; i++) {
        const char *edge = edges[gw_rng_below(&rng, 3)], *key = keys[gw_rng_below(&rng, 2)];
        uint64_t start_ms = gw_loop_now(here.loop).wall_ms;
        struct limiter_verdict v = decide_from(&here, 0, &kv, edge, key);
        struct limiter_verdict w = decide_from(&there, i % 2, &kv, edge, key);
        assert_equal_verdicts(&v, &w);
        uint64_t pause_ms = 45 + gw_rng_below(&rng, gw_rng_below(&rng, 4) ? 500 : 20000);
        assert_true(
            gw_clock_advance(&here.clock, start_ms + pause_ms - gw_loop_now(here.loop).wall_ms));
        assert_true(
            gw_clock_advance(&there.clock, start_ms + pause_ms - gw_loop_now(there.loop).wall_ms));
    }
    close_bench(&here);
    close_bench(&there);
}

static void the_scripts_agree_with_the_process(void **state)
{
    (void)state;
    for (int limit = CONFIG_KV_STRICT; limit <= CONFIG_KV_OFF; limit++) {
        for (uint32_t propagation_ms = 0; propagation_ms <= 8000; propagation_ms += 4000) {
            struct config_limiter here = kv_settings(CONFIG_BACKEND_EMBEDDED, limit);
            struct config_limiter there = kv_settings(CONFIG_BACKEND_REDIS, limit);
            here.kv.propagation_ms = there.kv.propagation_ms = propagation_ms;
            compare(&here, &there, (uint64_t)limit + propagation_ms);
        }
    }
}

/* ---- two processes, one world ---- */

static bool four_are_subscribed(struct bench *b)
{
    (void)b;
    return subscribers() == 4;
}

static void two_processes_share_values(void **state)
{
    (void)state;
    struct config_limiter settings = kv_settings(CONFIG_BACKEND_REDIS, CONFIG_KV_OFF);
    struct bench b[2];
    say("FLUSHALL");
    for (size_t i = 0; i < 2; i++) {
        open_bench(&b[i], &settings, GW_CLOCK_SYSTEM);
        run_until(&b[i], is_up);
    }
    for (uint32_t i = 1; i <= 15; i++) /* from one edge: the copies are one process's own */
        assert_int_equal(decide_from(&b[0], i % 2, &kv, "FRA", "k").count, i);
    struct limiter_verdict v = decide_from(&b[1], 0, &kv, "AMS", "k");
    assert_int_equal(v.outcome, LIMITER_DENY);
    assert_int_equal(v.kv.reads, 1);
    assert_in_range(v.retry_after_s, 50, 60);
    assert_non_null(strstr(say("HGET rl:ai:k c"), "15"));
    unsigned long ttl = strtoul(strchr(say("PTTL rl:ai:k"), ':') + 1, NULL, 10);
    assert_in_range(ttl, 60000, 75000);

    run_until(&b[1], four_are_subscribed);
    run_until(&b[1], a_turn_has_passed);
    const struct limiter_state_item item = {GW_STR("ai"), 15, 60000, LIMITER_KV, 0};
    assert_int_equal(reset(&b[0], 0, &item, "k"), 0);
    assert_true(job.state.found);
    assert_int_equal(decide_from(&b[0], 0, &kv, "FRA", "k").count, 1);
    do { /* the message has to get there */
        run_until(&b[1], a_turn_has_passed);
        v = decide_from(&b[1], 0, &kv, "AMS", "k");
    } while (v.outcome != LIMITER_ADMIT);
    close_bench(&b[0]);
    close_bench(&b[1]);
}

static void values_are_listed(void **state)
{
    (void)state;
    struct config_limiter settings = kv_settings(CONFIG_BACKEND_REDIS, CONFIG_KV_OFF);
    const struct limiter_state_item item = {GW_STR("ai"), 15, 60000, LIMITER_KV, 0};
    struct bench b;
    say("FLUSHALL");
    open_up(&b, &settings, GW_CLOCK_VIRTUAL);
    uint64_t reset_ms = decide_from(&b, 0, &kv, "FRA", "10.0.0.1:u").reset_at_ms;
    decide_from(&b, 0, &kv, "FRA", "10.0.0.1:u");
    char expect[256];
    snprintf(expect, sizeof(expect),
             "{\"success\":true,\"data\":{\"state\":{\"ai\":{\"maxRequests\":15,\"windowMs\":60000,"
             "\"entries\":[{\"key\":\"10.0.0.1:u\",\"count\":2,\"resetAt\":%llu}]}}}}",
             (unsigned long long)reset_ms);
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    job = (struct job){.state.done = on_job, .loop = b.loop};
    limiter_state_list(b.workers[0], &job.state, &item, 1, &out);
    run_until(&b, job_is_done);
    assert_true(gw_str_eq(gw_buf_str(&out), gw_str_z(expect)));
    gw_buf_release(&out);
    close_bench(&b);
}

static uint64_t listed_end(struct bench *b, const struct limiter *limiter)
{
    const struct limiter_state_item item = {limiter->name, 15, 60000, limiter->store, 0};
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    job = (struct job){.state.done = on_job, .loop = b->loop};
    limiter_state_list(b->workers[0], &job.state, &item, 1, &out);
    run_until(b, job_is_done);
    gw_buf_char(&out, '\0');
    const char *end = strstr(out.data, "\"resetAt\":");
    assert_non_null(end);
    uint64_t end_ms = strtoull(end + strlen("\"resetAt\":"), NULL, 10);
    gw_buf_release(&out);
    return end_ms;
}

/* The calendar was set by two hours since the process began: Redis goes by it, the process does
 * not. */
static void listed_ends_are_dates(void **state)
{
    (void)state;
    const struct limiter object = {.name = GW_STR("o"), .rule = {15, 60000}};
    for (int kind = CONFIG_BACKEND_EMBEDDED; kind <= CONFIG_BACKEND_REDIS; kind++) {
        struct config_limiter settings = kv_settings(kind, CONFIG_KV_OFF);
        struct bench b;
        say("FLUSHALL");
        open_up(&b, &settings, GW_CLOCK_SYSTEM);
        b.clock.start.wall_ms -= 2 * 3600000;
        run_until(&b, a_turn_has_passed); /* the loop reads it anew */
        decide_from(&b, 0, &kv, "FRA", "k");
        decide_from(&b, 0, &object, "FRA", "k");
        uint64_t now_ms = gw_kernel_wall_ms();
        assert_in_range(listed_end(&b, &kv), now_ms + 30000, now_ms + 60000);
        assert_in_range(listed_end(&b, &object), now_ms + 30000, now_ms + 60000);
        close_bench(&b);
    }
}

/* ---- failures ---- */

static void without_redis_the_policy_answers(void **state)
{
    (void)state;
    for (int failure = CONFIG_FAIL_MEMORY; failure <= CONFIG_FAIL_DENY; failure++) {
        struct config_limiter settings = kv_settings(CONFIG_BACKEND_REDIS, CONFIG_KV_OFF);
        settings.on_backend_failure = failure;
        struct bench b;
        say("FLUSHALL");
        open_up(&b, &settings, GW_CLOCK_SYSTEM);
        kill(server.pid, SIGSTOP); /* so that no answer is faster than the kill */
        ask(&b, 0, 0, &kv, "under way", gw_kernel_wall_ms());
        wanted = 1;
        gw_loop_stop(b.loop);
        gw_loop_run(b.loop); /* it is sent */
        stop_server(SIGKILL);
        run_until(&b, all_decided);
        assert_by_policy(&calls[0].verdict, failure);
        run_until(&b, is_down);
        ask(&b, 0, 0, &kv, "at once", gw_kernel_wall_ms());
        assert_true(calls[0].done);
        assert_by_policy(&calls[0].verdict, failure);
        start_server("");
        run_until(&b, is_up);
        assert_false(decide_from(&b, 0, &kv, "FRA", "back").degraded);
        close_bench(&b);
    }
}

/* What lies under the key is not ours, or not what we have written. */
static void foreign_values_do_no_harm(void **state)
{
    (void)state;
    struct config_limiter settings = kv_settings(CONFIG_BACKEND_REDIS, CONFIG_KV_OFF);
    struct bench b;
    say("FLUSHALL");
    open_up(&b, &settings, GW_CLOCK_SYSTEM);
    say("SET rl:ai:text foreign\r\nHSET rl:ai:broken v nonsense s x n y b z\r\n"
        "HSET rl:ai:counter c 9 r 1");
    assert_true(decide_from(&b, 0, &kv, "FRA", "text").degraded);
    assert_true(is_up(&b));
    assert_int_equal(decide_from(&b, 0, &kv, "FRA", "broken").count, 1);
    assert_int_equal(decide_from(&b, 0, &kv, "FRA", "counter").count, 1);
    assert_true(is_up(&b));
    close_bench(&b);
}

static void closing_answers_what_waits(void **state)
{
    (void)state;
    struct config_limiter settings = kv_settings(CONFIG_BACKEND_REDIS, CONFIG_KV_OFF);
    settings.kv.write_ms = 60000;
    struct bench b;
    say("FLUSHALL");
    open_up(&b, &settings, GW_CLOCK_VIRTUAL);
    ask(&b, 0, 0, &kv, "waits for its time", gw_loop_now(b.loop).wall_ms);
    run_until(&b, a_turn_has_passed);
    kill(server.pid, SIGSTOP);
    ask(&b, 0, 1, &kv, "sent", gw_loop_now(b.loop).wall_ms);
    gw_loop_stop(b.loop);
    gw_loop_run(b.loop);
    ask(&b, 1, 2, &kv, "not sent", gw_loop_now(b.loop).wall_ms);
    close_bench(&b);
    kill(server.pid, SIGCONT);
    for (size_t i = 0; i < 3; i++) {
        assert_true(calls[i].done);
        assert_int_equal(calls[i].verdict.outcome, LIMITER_ADMIT);
        assert_true(calls[i].verdict.degraded);
    }
}

/* ---- the other stores ---- */

static void an_objects_load_is_counted_by_all(void **state)
{
    (void)state;
    struct config_limiter settings = unix_settings(CONFIG_FAIL_DENY);
    settings.durable_object.requests_per_second = 20;
    settings.durable_object.latency_ms = 10;
    const struct limiter object = {.name = GW_STR("o"), .rule = {15, 60000}};
    unsigned by_outcome[LIMITER_WAIT + 1] = {0};
    struct bench b;
    say("FLUSHALL");
    open_up(&b, &settings, GW_CLOCK_VIRTUAL);
    uint64_t now_ms = gw_loop_now(b.loop).wall_ms;
    for (size_t i = 0; i < CALLS; i++)
        ask(&b, i % 2, i, &object, "k", now_ms);
    wanted = CALLS;
    assert_true(gw_clock_advance(&b.clock, 10));
    run_until(&b, all_decided);
    for (size_t i = 0; i < CALLS; i++)
        by_outcome[calls[i].verdict.outcome]++;
    assert_int_equal(by_outcome[LIMITER_ADMIT], 15);
    assert_int_equal(by_outcome[LIMITER_DENY], 5);
    assert_int_equal(by_outcome[LIMITER_ERROR], 20);
    close_bench(&b);
}

static bool counter_is_three(struct bench *b)
{
    (void)b;
    return strstr(say("HGET rl:b@FRA.0:k c"), "3");
}

static void a_binding_tells_redis_later(void **state)
{
    (void)state;
    struct config_limiter settings = unix_settings(CONFIG_FAIL_MEMORY);
    const struct limiter binding = {
        .name = GW_STR("b"), .rule = {3, 10000}, .store = LIMITER_BINDING};
    struct bench b;
    say("FLUSHALL");
    open_up(&b, &settings, GW_CLOCK_VIRTUAL);
    uint64_t now_ms = gw_loop_now(b.loop).wall_ms;
    for (uint32_t i = 1; i <= 4; i++) {
        ask(&b, i % 2, 0, &binding, "k", now_ms);
        assert_true(calls[0].done);
        assert_int_equal(calls[0].verdict.outcome, i <= 3 ? LIMITER_ADMIT : LIMITER_DENY);
    }
    assert_false(counter_is_three(&b));
    assert_true(gw_clock_advance(&b.clock, 250));
    run_until(&b, counter_is_three);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scripts_agree_with_the_process),
        cmocka_unit_test(two_processes_share_values),
        cmocka_unit_test(values_are_listed),
        cmocka_unit_test(listed_ends_are_dates),
        cmocka_unit_test(without_redis_the_policy_answers),
        cmocka_unit_test(foreign_values_do_no_harm),
        cmocka_unit_test(closing_answers_what_waits),
        cmocka_unit_test(an_objects_load_is_counted_by_all),
        cmocka_unit_test(a_binding_tells_redis_later),
    };
    return cmocka_run_group_tests(tests, start_group, stop_group);
}
