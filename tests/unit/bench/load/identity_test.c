/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/identity.h"

static struct gw_cidr block(const char *text)
{
    struct gw_cidr c;
    assert_true(gw_cidr_parse(gw_str_z(text), true, &c));
    return c;
}

static void test_addresses(void **state)
{
    static const struct {
        const char *blocks[2];
        uint32_t index;
        const char *address;
    } cases[] = {{{"203.0.113.0/24"}, 0, "203.0.113.1"},
                 {{"203.0.113.0/24"}, 253, "203.0.113.254"},
                 {{"203.0.113.77/24"}, 0, "203.0.113.1"},
                 {{"198.51.100.7"}, 0, "198.51.100.7"},
                 {{"198.51.100.6/31"}, 1, "198.51.100.7"},
                 {{"198.51.100.7", "203.0.113.0/24"}, 1, "203.0.113.1"},
                 {{"10.0.0.0/8"}, 999999, "10.15.66.64"},
                 {{"2001:db8::/32"}, 65535, "2001:db8::1:0"}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_cidr blocks[2];
        size_t count = 0;
        char text[GW_IP_TEXT_MAX];
        for (; count < 2 && cases[i].blocks[count]; count++)
            blocks[count] = block(cases[i].blocks[count]);
        struct identity_group g = {.has_address = true, .blocks = blocks, .block_count = count};
        size_t len = identity_address(&g, cases[i].index, text);
        assert_true(gw_str_eq(gw_str(text, len), gw_str_z(cases[i].address)));
    }
}

static void test_capacity(void **state)
{
    const struct gw_cidr blocks[] = {block("203.0.113.0/24"), block("198.51.100.7"),
                                     block("2001:db8::/127")};
    (void)state;
    assert_int_equal(identity_capacity(blocks, 1), 254);
    assert_int_equal(identity_capacity(blocks, 2), 255);
    assert_int_equal(identity_capacity(blocks, 3), 257);
    struct identity_group g = {.has_address = true, .blocks = blocks, .block_count = 2};
    char text[GW_IP_TEXT_MAX];
    assert_int_equal(identity_address(&g, 255, text), 0);
    g.has_address = false;
    assert_int_equal(identity_address(&g, 0, text), 0);
}

/* Every visitor sees every edge and isolate equally often, whatever its number. */
static void test_places_go_round(void **state)
{
    static const struct gw_str edges[] = {{"FRA", 3}, {"AMS", 3}};
    static const uint16_t cycle[] = {0, 1};
    const struct identity_group g = {
        .edges = edges, .edge_count = 2, .cycle = cycle, .cycle_length = 2, .isolates = 2};
    (void)state;
    for (uint32_t index = 0; index < 5; index++) {
        unsigned seen[2][2] = {{0}};
        for (uint64_t round = 0; round < 8; round++) {
            struct identity_place p = identity_place(&g, index, round);
            seen[p.edge.ptr == edges[1].ptr][p.isolate]++;
        }
        for (int i = 0; i < 4; i++)
            assert_int_equal(seen[i / 2][i % 2], 2);
    }
}

static void test_sticky_visitors_stay(void **state)
{
    static const struct gw_str edges[] = {{"FRA", 3}, {"AMS", 3}};
    static const uint16_t cycle[] = {0, 0, 1};
    const struct identity_group g = {.edges = edges,
                                     .edge_count = 2,
                                     .cycle = cycle,
                                     .cycle_length = 3,
                                     .isolates = 4,
                                     .sticky = true};
    (void)state;
    for (uint32_t index = 0; index < 12; index++) {
        struct identity_place first = identity_place(&g, index, 0);
        assert_ptr_equal(first.edge.ptr, edges[cycle[index % 3]].ptr);
        assert_int_equal(first.isolate, index / 3);
        struct identity_place later = identity_place(&g, index, 1000);
        assert_ptr_equal(first.edge.ptr, later.edge.ptr);
        assert_int_equal(first.isolate, later.isolate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_places_go_round), cmocka_unit_test(test_sticky_visitors_stay)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
