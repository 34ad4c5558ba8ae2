/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions with a real redis-server: exact counts, and the admin's view of them. */
#include "limiter/limiter.h"

#include "tests/unit/limiter/redis_fixture.h"

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

/* ---- the admin's view ---- */

static bool second_worker_admits(struct bench *b)
{
    ask(b, 1, 0, &ai, "10.0.0.1:u*", gw_kernel_wall_ms());
    return !calls[0].done || calls[0].verdict.outcome == LIMITER_ADMIT;
}

static void a_reset_reaches_every_worker(void **state)
{
    (void)state;
    const struct limiter_state_item item = {GW_STR("ai"), 15, 60000, LIMITER_DURABLE_OBJECT, 0};
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
    const struct limiter_state_item items[] = {
        {GW_STR("m"), 5, 60000, LIMITER_MEMORY, 0},
        {GW_STR("ai"), 15, 60000, LIMITER_DURABLE_OBJECT, 0}};
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
        cmocka_unit_test(a_reset_reaches_every_worker),
        cmocka_unit_test(memory_counters_are_listed_and_reset),
    };
    return cmocka_run_group_tests(tests, start_group, stop_group);
}
