/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tags, the slot map and redirections, by the words of the Redis Cluster specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiter/crc16.h"
#include "limiter/redis_slots.h"

static unsigned plain(struct gw_str text)
{
    return crc16(text) % REDIS_SLOTS;
}

/* What is hashed: the tag if there is one. */
static void hash_tags(void **state)
{
    (void)state;
    static const struct {
        const char *key, *hashed;
    } cases[] = {
        {"{user1000}.following", "user1000"},
        {"{user1000}.followers", "user1000"},
        {"foo{}{bar}", "foo{}{bar}"}, /* the first pair counts, and it is empty */
        {"foo{{bar}}zap", "{bar"},
        {"foo{bar}{zap}", "bar"},
        {"foo{bar", "foo{bar"},
        {"foo}bar{", "foo}bar{"},
        {"}{a}", "a"},
        {"foo", "foo"},
        {"", ""},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_int_equal(redis_slot_of(gw_str_z(cases[i].key)), plain(gw_str_z(cases[i].hashed)));
    assert_int_equal(redis_slot_of(GW_STR("foo")), 12182);
}

static void storage_keys_get_their_tag(void **state)
{
    (void)state;
    static const struct {
        const char *own, *wire, *hashed;
    } cases[] = {
        {"rl:ai:203.0.113.7:anonymous", "rl:ai:{203.0.113.7:anonymous}", "203.0.113.7:anonymous"},
        {"rl:ai@FRA.0:203.0.113.7:u", "rl:ai@FRA.0:{203.0.113.7:u}", "203.0.113.7:u"},
        {"do:ai:203.0.113.7:u", "do:ai:{203.0.113.7:u}", "203.0.113.7:u"},
        {"rl:ai:2001:db8::1:u", "rl:ai:{2001:db8::1:u}", "2001:db8::1:u"},
        {"rl:ai:", "rl:ai:{}", "rl:ai:{}"},
        {"rl:ai:a}b", "rl:ai:{a}b}", "a"},
        {"rl:ai:{x}1", "rl:ai:{{x}1}", "{x"},
        {"rl:ai:*", "rl:ai:{*}", "*"},
        {"rl:ai@*:k", "rl:ai@*:{k}", "k"},
        {"foreign", "foreign", "foreign"},
        {"foreign:too", "foreign:too", "foreign:too"},
        {"", "", ""},
    };
    char out[64], back[64];
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_str wire = redis_tag(gw_str_z(cases[i].own), out);
        assert_true(gw_str_eq(wire, gw_str_z(cases[i].wire)));
        assert_int_equal(redis_slot_of(wire), plain(gw_str_z(cases[i].hashed)));
        assert_true(gw_str_eq(redis_untag(wire, back), gw_str_z(cases[i].own)));
    }
}

static void what_is_not_tagged_stays(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "rl:ai:k", "rl:ai:{k", "rl:ai:k}", "rl:ai:", "rl:{k}", "", "{"};
    char out[64];
    for (size_t i = 0; i < GW_COUNT(keys); i++)
        assert_true(gw_str_eq(redis_untag(gw_str_z(keys[i]), out), gw_str_z(keys[i])));
}

static void ranges(void **state)
{
    (void)state;
    static struct redis_slots map;
    redis_slots_clear(&map);
    assert_true(redis_slots_has(&map, REDIS_NO_NODE));
    assert_true(redis_slots_give(&map, 0, 5460, 0));
    assert_true(redis_slots_give(&map, 5461, 10922, 1));
    assert_true(redis_slots_give(&map, 10923, 16383, 2));
    assert_false(redis_slots_has(&map, REDIS_NO_NODE));
    assert_int_equal(map.owner[5460], 0);
    assert_int_equal(map.owner[5461], 1);
    assert_int_equal(map.owner[16383], 2);
    assert_false(redis_slots_give(&map, 5, 4, 3));
    assert_false(redis_slots_give(&map, 0, 16384, 3));
    assert_false(redis_slots_give(&map, UINT64_MAX, UINT64_MAX, 3));
    assert_false(redis_slots_has(&map, 3));
    assert_true(redis_slots_give(&map, 7, 7, 3));
    assert_int_equal(map.owner[6], 0);
    assert_int_equal(map.owner[7], 3);
    assert_int_equal(map.owner[8], 0);
    redis_slots_take(&map, 3);
    assert_int_equal(map.owner[7], REDIS_NO_NODE);
    assert_false(redis_slots_has(&map, 3));
}

static void redirections(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        bool ask;
        unsigned slot, port;
    } good[] = {
        {"MOVED 3999 127.0.0.1:6381", "127.0.0.1", false, 3999, 6381},
        {"ASK 16383 10.0.0.5:7001", "10.0.0.5", true, 16383, 7001},
        {"MOVED 0 ::1:6381", "::1", false, 0, 6381},
        {"MOVED 1 redis-1.example:6379", "redis-1.example", false, 1, 6379},
        {"MOVED 1 :6379", "", false, 1, 6379},
    };
    static const char *const bad[] = {
        "",
        "MOVED",
        "MOVED 1",
        "MOVED 16384 h:1",
        "MOVED -1 h:1",
        "MOVED 1 h",
        "MOVED 1 h:",
        "MOVED 1 h:0",
        "MOVED 1 h:65536",
        "MOVED 1 h:x",
        "MOVED  h:1",
        "moved 1 h:1",
        "ERR MOVED 1 h:1",
        "MOVEDX 1 h:1",
        "ASKING 1 h:1",
        "CLUSTERDOWN Hash slot not served",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    };
    struct redis_redirect r;
    for (size_t i = 0; i < GW_COUNT(good); i++) {
        assert_true(redis_redirect_read(gw_str_z(good[i].text), &r));
        assert_true(gw_str_eq(r.host, gw_str_z(good[i].host)));
        assert_int_equal(r.ask, good[i].ask);
        assert_int_equal(r.slot, good[i].slot);
        assert_int_equal(r.port, good[i].port);
    }
    for (size_t i = 0; i < GW_COUNT(bad); i++)
        assert_false(redis_redirect_read(gw_str_z(bad[i]), &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_tags),
        cmocka_unit_test(storage_keys_get_their_tag),
        cmocka_unit_test(what_is_not_tagged_stays),
        cmocka_unit_test(ranges),
        cmocka_unit_test(redirections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
