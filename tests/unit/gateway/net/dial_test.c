/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "gateway/net/dial.h"

static struct net_address address(const char *text, uint16_t port)
{
    struct gw_ip ip;
    assert_true(gw_ip_parse(gw_str_z(text), &ip));
    return net_address_ip(&ip, port);
}

/* ---- order ---- */

static void test_families_take_turns(void **state)
{
    (void)state;
    static const struct {
        const char *families, *order; /* as indexes */
    } cases[] = {
        {"6664", "0312"}, {"4446", "0312"}, {"6644", "0213"},       {"4", "0"},
        {"666", "012"},   {"4664", "0132"}, {"6444444", "0123456"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct resolver_answer answer = {.count = strlen(cases[i].families)};
        uint8_t order[RESOLVER_ADDRESSES_MAX];
        for (size_t k = 0; k < answer.count; k++)
            answer.addresses[k] =
                cases[i].families[k] == '6' ? address("::1", 1) : address("127.0.0.1", 1);
        dial_order(&answer, order);
        for (size_t k = 0; k < answer.count; k++)
            assert_int_equal(order[k], cases[i].order[k] - '0');
    }
}

/* ---- races ---- */

struct race {
    struct gw_loop *loop;
    struct dial dial;
    struct resolver_answer answer;
    struct conn *won;
    int err;
    unsigned told;
    uint64_t took_ms;
};

static void on_done(struct dial *dial, struct conn *c, int err)
{
    struct race *race = gw_container_of(dial, struct race, dial);
    race->won = c;
    race->err = err;
    race->told++;
    gw_loop_stop(race->loop);
}

static int listen_on(const char *ip, int backlog, uint16_t *port)
{
    struct net_address at = address(ip, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &at.any, at.len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, &at.any, &at.len), 0);
    *port = net_address_port(&at);
    return fd;
}

/* A listener whose backlog is full answers nothing: a connection to it hangs. */
static void fill(const char *ip, uint16_t port, int *fds, size_t count)
{
    struct net_address at = address(ip, port);
    for (size_t i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_true(connect(fds[i], &at.any, at.len) == 0 || errno == EINPROGRESS);
        usleep(2000);
    }
}

static void run(struct race *race)
{
    static struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    race->loop = gw_loop_new(&clock);
    race->dial = (struct dial){.done = on_done};
    uint64_t begun = gw_kernel_mono_ms();
    dial_start(&race->dial, race->loop, &race->answer);
    race->answer = (struct resolver_answer){0}; /* a newer one may take its place meanwhile */
    assert_int_equal(race->told, 0);
    gw_loop_run(race->loop);
    race->took_ms = gw_kernel_mono_ms() - begun;
    assert_int_equal(race->told, 1);
}

static void end(struct race *race)
{
    if (race->won)
        conn_abandon(race->won);
    gw_loop_free(race->loop);
}

static void test_the_next_is_tried_when_one_hangs(void **state)
{
    (void)state;
    uint16_t dead, alive;
    int fds[6];
    int hung = listen_on("127.0.0.2", 0, &dead), good = listen_on("127.0.0.1", 5, &alive);
    fill("127.0.0.2", dead, fds, GW_COUNT(fds));
    struct race race = {
        .answer = {.count = 2,
                   .addresses = {address("127.0.0.2", dead), address("127.0.0.1", alive)}}};
    run(&race);
    assert_int_equal(race.err, 0);
    assert_int_equal(net_address_port(conn_peer(race.won)), alive);
    assert_in_range(race.took_ms, DIAL_STAGGER_MS - 5, DIAL_STAGGER_MS + 500);
    end(&race);
    for (size_t i = 0; i < GW_COUNT(fds); i++)
        close(fds[i]);
    close(hung);
    close(good);
}

static void test_the_next_is_tried_at_once_when_one_fails(void **state)
{
    (void)state;
    uint16_t closed, alive;
    close(listen_on("127.0.0.2", 1, &closed));
    int good = listen_on("127.0.0.1", 5, &alive);
    struct race race = {
        .answer = {.count = 2,
                   .addresses = {address("127.0.0.2", closed), address("127.0.0.1", alive)}}};
    run(&race);
    assert_int_equal(race.err, 0);
    assert_true(race.took_ms < DIAL_STAGGER_MS);
    end(&race);
    close(good);
}

static void test_all_fail(void **state)
{
    (void)state;
    uint16_t closed;
    close(listen_on("127.0.0.1", 1, &closed));
    struct race race = {
        .answer = {.count = 3,
                   .addresses = {address("127.0.0.1", closed), address("127.0.0.2", closed),
                                 address("127.0.0.3", closed)}}};
    run(&race);
    assert_null(race.won);
    assert_int_equal(race.err, -ECONNREFUSED);
    end(&race);
}

static void test_cancelled_ones_say_nothing(void **state)
{
    (void)state;
    static struct gw_clock clock;
    uint16_t port;
    int good = listen_on("127.0.0.1", 5, &port);
    struct race race = {
        .answer = {.count = 2,
                   .addresses = {address("127.0.0.1", port), address("127.0.0.1", port)}}};
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    race.loop = gw_loop_new(&clock);
    race.dial = (struct dial){.done = on_done};
    dial_start(&race.dial, race.loop, &race.answer);
    dial_cancel(&race.dial);
    dial_cancel(&race.dial);
    gw_loop_free(race.loop);
    assert_int_equal(race.told, 0);
    close(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families_take_turns),
        cmocka_unit_test(test_the_next_is_tried_when_one_hangs),
        cmocka_unit_test(test_the_next_is_tried_at_once_when_one_fails),
        cmocka_unit_test(test_all_fail),
        cmocka_unit_test(test_cancelled_ones_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
