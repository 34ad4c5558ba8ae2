/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/fill.h"

#include "tests/unit/cache/store_fixture.h"

struct told {
    struct cache_waiter waiter;
    int times;
};

static void on_notify(struct cache_waiter *w)
{
    gw_container_of(w, struct told, waiter)->times++;
}

static struct told told_new(void)
{
    return (struct told){.waiter.notify = on_notify};
}

static struct cache_lookup begin(struct world *w, const char *name, uint64_t now_ms,
                                 enum cache_found expected)
{
    struct cache_place place = place_named(w, name);
    struct cache_lookup found;
    assert_int_equal(cache_store_begin(w->store, &place, now_ms, &found), expected);
    return found;
}

static void drop(struct cache_lookup *found)
{
    cache_fill_unref(found->fill);
    cache_object_unref(found->object);
}

/* Reads all there is; returns the answer that ended it. */
static enum cache_read drain(struct cache_reader *r, uint64_t seed)
{
    struct gw_str pieces[4];
    for (;;) {
        size_t count = 4;
        enum cache_read answer = cache_reader_read(r, pieces, &count, NULL);
        if (answer != CACHE_READ_DATA)
            return answer;
        for (size_t i = 0; i < count; i++) {
            check_bytes(pieces[i], seed, r->at.offset);
            cache_reader_advance(r, pieces[i].len);
        }
    }
}

static void test_one_fetch_for_all(void **state)
{
    (void)state;
    static const int64_t announced[] = {1000, -1, 600000};
    static const uint64_t lengths[] = {1000, 1000, 600000};
    for (size_t i = 0; i < GW_COUNT(lengths); i++) {
        struct world w;
        struct cache_reader reader;
        uint32_t version;
        world_init(&w, 64 * MIB);
        struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
        struct cache_lookup joined = begin(&w, "/a", NOW_MS, CACHE_JOIN);
        assert_ptr_equal(leader.fill, joined.fill);
        assert_null(leader.object);
        assert_true(cache_reader_open(&reader, joined.fill));
        assert_int_equal(cache_fill_state(joined.fill, &version), CACHE_FILL_WAITING);
        struct told told = told_new();
        gw_list_init(&told.waiter.link);
        assert_true(cache_fill_wait(joined.fill, &told.waiter, version));

        head_of(leader.fill, "ETag: \"x\"", announced[i], 60);
        assert_int_equal(told.times, 1);
        assert_int_equal(cache_fill_state(joined.fill, NULL), CACHE_FILL_STREAMING);
        assert_int_equal(drain(&reader, 1), CACHE_READ_WAIT);
        feed(leader.fill, 1, 0, lengths[i] / 2);
        assert_int_equal(told.times, 1);
        assert_false(cache_fill_wait(joined.fill, &told.waiter, version));
        assert_int_equal(drain(&reader, 1), CACHE_READ_WAIT);
        assert_int_equal(reader.at.offset, lengths[i] / 2);
        feed(leader.fill, 1, lengths[i] / 2, lengths[i]);
        assert_int_equal(cache_fill_finish(leader.fill), 0);
        assert_int_equal(drain(&reader, 1), CACHE_READ_END);
        cache_reader_close(&reader);

        struct cache_lookup hit = begin(&w, "/a", NOW_MS + 1, CACHE_HIT);
        assert_ptr_equal(hit.object, cache_fill_object(joined.fill));
        check_object(hit.object, 1, lengths[i]);
        assert_int_equal(hit.object->inline_body != NULL, lengths[i] == 1000);
        drop(&leader);
        drop(&joined);
        drop(&hit);
        world_release(&w);
    }
}

static void test_length_is_added(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 64 * MIB);
    struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    head_of(leader.fill, "Cache-Control: max-age=60\nCache-Tag: one, two\nETag: \"x\"", -1, 60);
    feed(leader.fill, 1, 0, 12345);
    assert_int_equal(cache_fill_finish(leader.fill), 0);
    drop(&leader);
    struct cache_lookup hit = begin(&w, "/a", NOW_MS, CACHE_HIT);
    const struct cache_object *o = hit.object;
    assert_true(gw_str_eq(cache_object_head(o, o->head.length_at, o->head.end),
                          GW_STR("Content-Length: 12345\r\n")));
    assert_true(gw_str_eq(cache_object_text(o, o->head.tags), GW_STR("one, two")));
    assert_true(gw_str_eq(cache_object_text(o, o->head.etag), GW_STR("\"x\"")));
    assert_true(gw_str_eq(cache_object_text(o, o->head.cache_control), GW_STR("max-age=60")));
    assert_true(gw_str_eq(cache_object_text(o, o->head.browser_control),
                          GW_STR("Cache-Control: no-store\r\n")));
    assert_true(gw_str_eq(cache_object_text(o, o->target), GW_STR("/a")));
    drop(&hit);
    world_release(&w);
}

static void test_uncacheable_is_remembered(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 64 * MIB);
    struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    struct cache_lookup joined = begin(&w, "/a", NOW_MS, CACHE_JOIN);
    struct told told = told_new();
    gw_list_init(&told.waiter.link);
    assert_true(cache_fill_wait(joined.fill, &told.waiter, 0));
    cache_fill_pass(leader.fill);
    assert_int_equal(told.times, 1);
    assert_int_equal(cache_fill_state(joined.fill, NULL), CACHE_FILL_PASS);
    drop(&joined);
    drop(&leader);
    /* Now nobody waits for anybody, and one that can be stored after all is. */
    struct cache_lookup first = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    struct cache_lookup second = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    assert_ptr_not_equal(first.fill, second.fill);
    cache_fill_pass(first.fill);
    head_of(second.fill, "", 0, 60);
    assert_int_equal(cache_fill_finish(second.fill), 0);
    drop(&first);
    drop(&second);
    struct cache_lookup hit = begin(&w, "/a", NOW_MS, CACHE_HIT);
    drop(&hit);
    world_release(&w);
}

static void test_leader_gives_up(void **state)
{
    (void)state;
    static const struct {
        int error;
        bool after_head;
        enum cache_fill_state expected;
    } cases[] = {{GW_ECANCELLED, false, CACHE_FILL_RETRY},
                 {GW_ETIMEOUT_CONNECT, false, CACHE_FILL_FAILED},
                 {GW_ETRUNCATED, true, CACHE_FILL_FAILED},
                 {GW_ECANCELLED, true, CACHE_FILL_FAILED}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        struct cache_reader reader;
        world_init(&w, 64 * MIB);
        struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
        struct cache_lookup joined = begin(&w, "/a", NOW_MS, CACHE_JOIN);
        assert_true(cache_reader_open(&reader, joined.fill));
        if (cases[i].after_head) {
            head_of(leader.fill, "", 5000, 60);
            feed(leader.fill, 1, 0, 100);
        }
        cache_fill_abort(leader.fill, cases[i].error);
        assert_int_equal(cache_fill_state(joined.fill, NULL), cases[i].expected);
        assert_int_equal(cache_fill_error(joined.fill), cases[i].error);
        assert_int_equal(drain(&reader, 1), CACHE_READ_FAILED);
        assert_int_equal(reader.at.offset, cases[i].after_head ? 100 : 0);
        cache_reader_close(&reader);
        assert_false(is_stored(&w, "/a"));
        struct cache_lookup again = begin(&w, "/a", NOW_MS, CACHE_LEADER);
        cache_fill_pass(again.fill);
        drop(&again);
        drop(&joined);
        drop(&leader);
        world_release(&w);
    }
}

static void test_wrong_length_is_not_stored(void **state)
{
    (void)state;
    static const uint64_t sent[] = {0, 999, 1001};
    for (size_t i = 0; i < GW_COUNT(sent); i++) {
        struct world w;
        world_init(&w, 64 * MIB);
        struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
        head_of(leader.fill, "", 1000, 60);
        feed(leader.fill, 1, 0, sent[i]);
        assert_int_equal(cache_fill_finish(leader.fill), GW_ETRUNCATED);
        assert_int_equal(cache_fill_state(leader.fill, NULL), CACHE_FILL_FAILED);
        assert_false(is_stored(&w, "/a"));
        drop(&leader);
        world_release(&w);
    }
}

/* A body that outgrows the limit goes on to its readers through a window. */
static void test_too_large_streams_on(void **state)
{
    (void)state;
    struct world w;
    struct cache_reader reader, late;
    struct told leader_told = told_new();
    struct gw_buf text;
    gw_list_init(&leader_told.waiter.link);
    world_init(&w, 64 * MIB);
    struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    assert_true(cache_reader_open(&reader, leader.fill));
    struct cache_object_parts parts = parts_with("", -1, (struct cache_lifetime){60, 0, 0}, &text);
    parts.body_max = 2 * MIB;
    cache_fill_head(leader.fill, &parts);
    gw_buf_release(&text);
    assert_int_equal(feed(leader.fill, 1, 0, 2 * MIB), CACHE_APPEND_OK);
    assert_int_equal(feed(leader.fill, 1, 2 * MIB, 2 * MIB + 8192), CACHE_APPEND_FULL);
    assert_true(cache_fill_resume(leader.fill, &leader_told.waiter));
    assert_int_equal(drain(&reader, 1), CACHE_READ_WAIT);
    assert_int_equal(leader_told.times, 1);
    assert_false(cache_reader_open(&late, leader.fill)); /* its start is gone */
    cache_reader_close(&late);

    uint64_t sent = 2 * MIB + 8192;
    for (int i = 0; i < 100; i++, sent += MIB / 2) {
        assert_int_equal(feed(leader.fill, 1, sent, sent + MIB / 2), CACHE_APPEND_OK);
        assert_int_equal(drain(&reader, 1), CACHE_READ_WAIT);
        struct cache_stats stats;
        cache_store_stats(w.store, &stats);
        assert_true(stats.memory < 2 * MIB);
    }
    struct cache_lookup other = begin(&w, "/a", NOW_MS, CACHE_LEADER); /* nobody joins it */
    cache_fill_pass(other.fill);
    drop(&other);
    assert_int_equal(cache_fill_finish(leader.fill), 0);
    /* "Complete" would promise an object with all of the body. */
    assert_int_equal(cache_fill_state(leader.fill, NULL), CACHE_FILL_STREAMING);
    assert_int_equal(drain(&reader, 1), CACHE_READ_END);
    assert_int_equal(reader.at.offset, sent);
    cache_reader_close(&reader);
    assert_false(is_stored(&w, "/a"));
    drop(&leader);
    world_release(&w);
}

static void test_nobody_wants_it(void **state)
{
    (void)state;
    struct world w;
    struct gw_buf text;
    world_init(&w, 64 * MIB);
    struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    struct cache_object_parts parts = parts_with("", -1, (struct cache_lifetime){60, 0, 0}, &text);
    parts.body_max = 10000;
    cache_fill_head(leader.fill, &parts);
    gw_buf_release(&text);
    assert_int_equal(feed(leader.fill, 1, 0, 10000), CACHE_APPEND_OK);
    assert_int_equal(feed(leader.fill, 1, 10000, 10001), CACHE_APPEND_UNWANTED);
    cache_fill_abort(leader.fill, GW_ECANCELLED);
    drop(&leader);
    world_release(&w);
}

static void test_304_renews(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {100, 300000}; /* in one piece and shared */
    for (size_t i = 0; i < GW_COUNT(lengths); i++) {
        struct world w;
        struct gw_buf text;
        world_init(&w, 64 * MIB);
        store_whole(&w, "/a", "ETag: \"x\"", lengths[i], 10);
        uint64_t later = NOW_MS + 11000;
        struct cache_lookup leader = begin(&w, "/a", later, CACHE_LEADER);
        struct cache_lookup joined = begin(&w, "/a", later, CACHE_JOIN);
        assert_non_null(leader.object);
        assert_ptr_equal(leader.object, joined.object);
        struct cache_object_parts parts = parts_with("ETag: \"x\"\nX-New: 1", (int64_t)lengths[i],
                                                     (struct cache_lifetime){30, 0, 0}, &text);
        parts.now_ms = later;
        cache_fill_refresh(leader.fill, &parts);
        gw_buf_release(&text);
        assert_int_equal(cache_fill_state(joined.fill, NULL), CACHE_FILL_REFRESHED);
        struct cache_object *renewed = cache_fill_object(joined.fill);
        check_object(renewed, lengths[i], lengths[i]);
        assert_int_equal(renewed->stored_ms, NOW_MS);
        assert_int_equal(renewed->confirmed_ms, later);
        drop(&joined);
        drop(&leader);
        struct cache_lookup hit = begin(&w, "/a", later + 30000, CACHE_HIT);
        drop(&hit);
        world_release(&w);
    }
}

static void test_stale_is_kept(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 64 * MIB);
    store_whole(&w, "/a", "ETag: \"x\"", 100, 10);
    struct cache_lookup leader = begin(&w, "/a", NOW_MS + 11000, CACHE_LEADER);
    cache_fill_keep(leader.fill, GW_ECLOSED);
    assert_int_equal(cache_fill_error(leader.fill), GW_ECLOSED);
    assert_ptr_equal(cache_fill_object(leader.fill), leader.object);
    drop(&leader);
    /* An uncacheable answer, or none, leaves the stale object where it is. */
    leader = begin(&w, "/a", NOW_MS + 11000, CACHE_LEADER);
    assert_non_null(leader.object);
    cache_fill_pass(leader.fill);
    drop(&leader);
    leader = begin(&w, "/a", NOW_MS + 11000, CACHE_LEADER);
    assert_non_null(leader.object);
    cache_fill_abort(leader.fill, GW_ETIMEOUT_READ);
    drop(&leader);
    world_release(&w);
}

static void test_purged_while_fetched(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct world w;
        world_init(&w, 64 * MIB);
        struct cache_place place = place_named(&w, "/a");
        struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
        head_of(leader.fill, "", 100, 60);
        if (how == 0)
            assert_false(cache_purge_key(w.store, &place, CACHE_PURGE_REMOVE, NOW_MS));
        else if (how == 1)
            cache_purge_match(w.store, &(struct cache_match){.prefix = GW_STR("/a")},
                              CACHE_PURGE_REMOVE, NOW_MS);
        else
            cache_purge_everything(w.store, GW_STR("zone"));
        /* Who asks after the purge does not get what was fetched before it. */
        struct cache_lookup after = begin(&w, "/a", NOW_MS, CACHE_LEADER);
        feed(leader.fill, 1, 0, 100);
        assert_int_equal(cache_fill_finish(leader.fill), 0);
        check_object(cache_fill_object(leader.fill), 1, 100);
        assert_false(is_stored(&w, "/a"));
        cache_fill_pass(after.fill);
        drop(&after);
        drop(&leader);
        world_release(&w);
    }
}

static void test_unwait(void **state)
{
    (void)state;
    struct world w;
    struct told told = told_new();
    uint32_t version;
    gw_list_init(&told.waiter.link);
    world_init(&w, 64 * MIB);
    struct cache_lookup leader = begin(&w, "/a", NOW_MS, CACHE_LEADER);
    cache_fill_state(leader.fill, &version);
    assert_true(cache_fill_wait(leader.fill, &told.waiter, version));
    cache_fill_unwait(leader.fill, &told.waiter);
    cache_fill_unwait(leader.fill, &told.waiter);
    cache_fill_pass(leader.fill);
    assert_int_equal(told.times, 0);
    drop(&leader);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_fetch_for_all),
        cmocka_unit_test(test_length_is_added),
        cmocka_unit_test(test_uncacheable_is_remembered),
        cmocka_unit_test(test_leader_gives_up),
        cmocka_unit_test(test_wrong_length_is_not_stored),
        cmocka_unit_test(test_too_large_streams_on),
        cmocka_unit_test(test_nobody_wants_it),
        cmocka_unit_test(test_304_renews),
        cmocka_unit_test(test_stale_is_kept),
        cmocka_unit_test(test_purged_while_fetched),
        cmocka_unit_test(test_unwait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
