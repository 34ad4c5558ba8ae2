/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "gateway/base/err.h"
#include "gateway/upstream/servers.h"

struct world {
    struct config_origin items[4];
    struct config_origin origin;
    struct servers *servers;
};

static void world_init(struct world *w, size_t count)
{
    *w = (struct world){
        .origin = {.servers = w->items,
                   .server_count = count,
                   .max_fails = 1,
                   .fail_timeout_ms = 10000,
                   .health = {.rise = 2, .fall = 3},
                   .retry = {.tries = 2, .budget_percent = 20, .min_per_second = 3}}};
    for (size_t i = 0; i < count; i++)
        w->items[i].weight = 1;
}

static void world_start(struct world *w)
{
    w->servers = servers_new(&w->origin);
}

/* Origins that need no more than servers of equal weight. */
static void world_open(struct world *w, size_t count)
{
    world_init(w, count);
    world_start(w);
}

/* Two servers, of which two failures put one out. */
static void world_open_patient(struct world *w)
{
    world_init(w, 2);
    w->origin.max_fails = 2;
    world_start(w);
}

static void world_release(struct world *w)
{
    servers_free(w->servers);
}

/* The servers of `count` requests that all go well, as digits. */
static const char *turns(struct world *w, size_t count, uint64_t now_ms)
{
    static char out[64];
    for (size_t i = 0; i < count; i++) {
        size_t server = servers_first(w->servers, now_ms);
        out[i] = (char)('0' + server);
        servers_report(w->servers, server, 0, 200, now_ms);
        servers_leave(w->servers, server);
    }
    out[count] = '\0';
    return out;
}

static struct servers_view view_of(const struct world *w, size_t server, uint64_t now_ms)
{
    struct servers_view view;
    servers_view(w->servers, server, now_ms, &view);
    return view;
}

static bool is_up(const struct world *w, size_t server, uint64_t now_ms)
{
    return view_of(w, server, now_ms).up;
}

/* One more request for server 0, of two: this one or, when the other's has ended, the next. */
static void reach_the_first(struct world *w, uint64_t now_ms)
{
    if (servers_first(w->servers, now_ms) == 0)
        return;
    servers_leave(w->servers, 1);
    assert_int_equal(servers_first(w->servers, now_ms), 0);
}

static void refuse(struct world *w, size_t server, uint64_t now_ms)
{
    servers_report(w->servers, server, -ECONNREFUSED, 0, now_ms);
}

static void test_weights(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 3);
    w.items[0].weight = 5;
    world_start(&w);
    assert_string_equal(turns(&w, 7, 0), "0010200");
    world_release(&w);
}

static void test_least_connections_by_weight(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 2);
    w.origin.balance = CONFIG_LEAST_CONNECTIONS;
    w.items[0].weight = 2;
    world_start(&w);
    char order[7] = {0};
    for (size_t i = 0; i < 6; i++) /* none of them ends */
        order[i] = (char)('0' + servers_first(w.servers, 0));
    size_t first = 0;
    for (size_t i = 0; i < 6; i++)
        first += order[i] == '0';
    assert_int_equal(first, 4);
    servers_leave(w.servers, 1);
    servers_leave(w.servers, 1);
    assert_int_equal(servers_first(w.servers, 0), 1);
    world_release(&w);
}

static void test_failures_within_the_window(void **state)
{
    (void)state;
    struct world w;
    world_open_patient(&w);
    refuse(&w, 0, 1000);
    assert_true(is_up(&w, 0, 1000));
    refuse(&w, 0, 11001); /* the first one is too old to count */
    assert_true(is_up(&w, 0, 11001));
    refuse(&w, 0, 12000);
    struct servers_view view = view_of(&w, 0, 12000);
    assert_false(view.up);
    assert_true(view.ejected);
    assert_int_equal(view.ejected_for_ms, 10000);
    assert_int_equal(view.failures, 3);
    assert_int_equal(view.ejections, 1);
    assert_string_equal(turns(&w, 3, 21999), "111");
    world_release(&w);
}

/* One request finds out, the others wait for it. */
static void test_trial(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 2);
    refuse(&w, 0, 0);
    reach_the_first(&w, 10000);
    assert_int_equal(servers_first(w.servers, 10000), 1);
    assert_int_equal(servers_first(w.servers, 10000), 1);
    servers_report(w.servers, 0, 0, 200, 10001);
    servers_leave(w.servers, 0);
    const char *order = turns(&w, 4, 10002);
    assert_non_null(strchr(order, '0'));
    world_release(&w);
}

/* Its client goes away: the question stays open for the next one. */
static void test_trial_without_a_verdict(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 2);
    refuse(&w, 0, 0);
    reach_the_first(&w, 10000);
    servers_leave(w.servers, 0);
    assert_non_null(strchr(turns(&w, 4, 10000), '0'));
    world_release(&w);
}

/* A tunnel that began before the failure keeps the server busy for days. */
static void test_trial_beside_a_tunnel(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 2);
    reach_the_first(&w, 0);
    refuse(&w, 0, 0);
    reach_the_first(&w, 10000);
    servers_leave(w.servers, 0); /* without a verdict */
    assert_null(strchr(turns(&w, 4, 19999), '0'));
    assert_non_null(strchr(turns(&w, 4, 20000), '0'));
    world_release(&w);
}

/* The loops of two workers read the clock apart. */
static void test_a_clock_a_little_behind(void **state)
{
    (void)state;
    struct world w;
    world_open_patient(&w);
    refuse(&w, 0, 1001);
    refuse(&w, 0, 1000);
    assert_true(view_of(&w, 0, 1001).ejected);
    world_release(&w);
}

static void test_statuses_that_count(void **state)
{
    (void)state;
    uint32_t statuses[] = {503};
    struct world w;
    world_init(&w, 2);
    w.origin.fail_status = statuses;
    w.origin.fail_status_count = 1;
    world_start(&w);
    servers_report(w.servers, 0, 0, 500, 0);
    assert_true(is_up(&w, 0, 0));
    servers_report(w.servers, 0, 0, 503, 0);
    struct servers_view view = view_of(&w, 0, 0);
    assert_false(view.up);
    assert_string_equal(view.reason, "status 503");
    world_release(&w);
}

static void test_backup_and_all_down(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 3);
    w.items[2].backup = true;
    world_start(&w);
    assert_string_equal(turns(&w, 4, 0), "0101");
    refuse(&w, 0, 0);
    refuse(&w, 1, 0);
    assert_string_equal(turns(&w, 2, 0), "22");
    refuse(&w, 2, 0);
    /* All are out: each in its turn, and the one that answers is back. */
    size_t a = servers_first(w.servers, 0), b = servers_first(w.servers, 0),
           c = servers_first(w.servers, 0);
    assert_true(a != b && b != c && a != c);
    servers_report(w.servers, 1, 0, 200, 0);
    assert_string_equal(turns(&w, 3, 0), "111");
    world_release(&w);
}

static void test_one_server_is_never_out(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 1);
    for (size_t i = 0; i < 10; i++)
        refuse(&w, 0, 0);
    struct servers_view view = view_of(&w, 0, 0);
    assert_true(view.up);
    assert_int_equal(view.failures, 10);
    assert_int_equal(servers_first(w.servers, 0), 0);
    assert_int_equal(servers_next(w.servers, 1, 0), SERVERS_NONE);
    world_release(&w);
}

static void test_probes_need_a_row(void **state)
{
    (void)state;
    static const struct {
        const char *probes, *up; /* '+' and '-'; the verdict after each */
    } cases[] = {
        {"+---", "1110"},     /* fall: three */
        {"+--+--", "111111"}, /* a good one begins the row anew */
        {"-", "0"},           /* the first verdict needs no row */
        {"-++", "001"},       /* rise: two */
        {"-+-++", "00001"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        world_open(&w, 2);
        for (size_t k = 0; cases[i].probes[k]; k++) {
            servers_probed(w.servers, 0, cases[i].probes[k] == '+', "why");
            assert_int_equal(is_up(&w, 0, 0), cases[i].up[k] == '1');
        }
        world_release(&w);
    }
}

static void test_next_avoids_what_was_tried(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 3);
    refuse(&w, 1, 0);
    assert_int_equal(servers_first(w.servers, 0), 0);
    assert_int_equal(servers_next(w.servers, 1u << 0, 0), 2);
    assert_int_equal(servers_next(w.servers, 1u << 0 | 1u << 2, 0), SERVERS_NONE);
    assert_int_equal(servers_retries(w.servers), 1);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_least_connections_by_weight),
        cmocka_unit_test(test_failures_within_the_window),
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_trial_without_a_verdict),
        cmocka_unit_test(test_trial_beside_a_tunnel),
        cmocka_unit_test(test_a_clock_a_little_behind),
        cmocka_unit_test(test_statuses_that_count),
        cmocka_unit_test(test_backup_and_all_down),
        cmocka_unit_test(test_one_server_is_never_out),
        cmocka_unit_test(test_probes_need_a_row),
        cmocka_unit_test(test_next_avoids_what_was_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
