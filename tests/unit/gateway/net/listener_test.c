/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "gateway/net/listener.h"

static const struct gw_ip loopback = {GW_IP_V4, {127, 0, 0, 1}};
static const struct gw_ip everywhere = {GW_IP_V4, {0}};
static struct gw_clock clock_of_tests;

static void on_accept(void *ctx, struct conn *c)
{
    (void)ctx;
    conn_close(c);
}

static struct listener *open_at(struct gw_loop *loop, struct net_address at)
{
    int err = 0;
    struct listener *l = listener_open(loop, &at, on_accept, NULL, &err);
    assert_int_equal(err, 0);
    return l;
}

static void a_listener_is_found_wherever_it_is_bound(void **state)
{
    (void)state;
    static const struct gw_ip *const bound[] = {&loopback, &everywhere};
    for (size_t i = 0; i < GW_COUNT(bound); i++) {
        struct gw_loop *loop = gw_loop_new(&clock_of_tests);
        struct listener *first = open_at(loop, net_address_ip(bound[i], 0));
        struct net_address at = listener_address(first);
        uint16_t port = net_address_port(&at);
        struct net_address one = net_address_ip(&loopback, port);
        struct net_address all = net_address_ip(&everywhere, port);
        assert_int_equal(listener_probe(&one), -EADDRINUSE);
        assert_int_equal(listener_probe(&all), -EADDRINUSE);
        listener_close(open_at(loop, at)); /* a worker of the same process is welcome */
        listener_close(first);
        gw_loop_free(loop);
        assert_int_equal(listener_probe(&one), 0);
        assert_int_equal(listener_probe(&all), 0);
    }
}

static void a_port_of_the_kernels_choice_is_free(void **state)
{
    (void)state;
    struct net_address any = net_address_ip(&loopback, 0), path;
    assert_int_equal(net_address_unix(GW_STR("/tmp/nobody-is-here"), &path), 0);
    assert_int_equal(listener_probe(&any), 0);
    assert_int_equal(listener_probe(&path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_found_wherever_it_is_bound),
        cmocka_unit_test(a_port_of_the_kernels_choice_is_free),
    };
    gw_clock_init(&clock_of_tests, GW_CLOCK_SYSTEM);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
