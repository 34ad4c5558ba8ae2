/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis that dies, hangs, refuses or asks for a password: the failure policy answers. */
#include "limiter/limiter.h"

#include "tests/unit/limiter/redis_fixture.h"

#include <netinet/in.h>

static const struct limiter ai = {.name = {"ai", 2}, .rule = {15, 60000}};

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

static struct bench *closing;

static void close_from_done(struct limiter_call *call, const struct limiter_verdict *verdict)
{
    on_decided(call, verdict);
    limiter_worker_close(closing->workers[0], on_closed, closing);
}

/* Of a call that ends because its connection is given up. */
static void a_done_callback_may_close_the_worker(void **state)
{
    (void)state;
    struct bench b;
    open_ready(&b, CONFIG_FAIL_ALLOW, GW_CLOCK_SYSTEM);
    kill(server.pid, SIGSTOP);
    ask(&b, 0, 0, &ai, "k", t0);
    closing = &b;
    calls[0].call.done = close_from_done;
    wanted = 1;
    run_until(&b, all_decided);
    kill(server.pid, SIGCONT);
    assert_by_policy(&calls[0].verdict, CONFIG_FAIL_ALLOW);
    limiter_worker_close(b.workers[1], on_closed, &b);
    run_until(&b, both_closed);
    gw_loop_free(b.loop);
    limiter_world_free(b.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_server_is_replaced_by_the_policy),
        cmocka_unit_test(a_silent_server_meets_the_deadline),
        cmocka_unit_test(refusals_outlive_the_server),
        cmocka_unit_test(passwords),
        cmocka_unit_test(a_refused_tcp_connection_is_noticed),
        cmocka_unit_test(closing_answers_what_waits),
        cmocka_unit_test(a_done_callback_may_close_the_worker),
    };
    return cmocka_run_group_tests(tests, start_group, stop_group);
}
