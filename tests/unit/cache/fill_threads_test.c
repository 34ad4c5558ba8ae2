/* SPDX-License-Identifier: Apache-2.0 */
/* Store and fills under many threads at once, as workers use them; meant for the thread sanitizer.
 * Every thread plays requests against few keys: whoever is told to lead plays the origin, badly at
 * times, whoever joins reads along, and somebody purges. Every byte read must belong to the
 * response it came with. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cache/reader.h"
#include "tests/unit/cache/store_fixture.h"

#define THREADS  4
#define REQUESTS 1500
#define KEYS     6

struct player {
    struct world *world;
    struct gw_rng rng;
    uint64_t hits, streamed, retries;
};

/* The smallest stand-in for an event loop: notify posts, the player sleeps until then. */
struct loop {
    struct cache_waiter waiter;
    pthread_mutex_t lock;
    pthread_cond_t posted;
    bool woken;
};

static _Atomic uint64_t next_seed = 1;
static _Atomic uint64_t next_now = NOW_MS;

static void on_notify(struct cache_waiter *w)
{
    struct loop *loop = gw_container_of(w, struct loop, waiter);
    pthread_mutex_lock(&loop->lock);
    loop->woken = true;
    pthread_cond_signal(&loop->posted);
    pthread_mutex_unlock(&loop->lock);
}

static void loop_init(struct loop *loop)
{
    *loop = (struct loop){.waiter.notify = on_notify};
    gw_list_init(&loop->waiter.link);
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->posted, NULL);
}

static void loop_release(struct loop *loop)
{
    pthread_mutex_destroy(&loop->lock);
    pthread_cond_destroy(&loop->posted);
}

static void sleep_until_told(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    while (!loop->woken)
        pthread_cond_wait(&loop->posted, &loop->lock);
    loop->woken = false;
    pthread_mutex_unlock(&loop->lock);
}

/* The seed of a body travels in its ETag. */
static uint64_t seed_of(const struct cache_object *o)
{
    struct gw_str etag = cache_object_text(o, o->head.etag);
    uint64_t seed = 0;
    assert_true(gw_str_u64(gw_str(etag.ptr + 1, etag.len - 2), UINT64_MAX, &seed));
    return seed;
}

static uint64_t body_len_of(uint64_t seed)
{
    static const uint64_t lengths[] = {0, 10, 3000, 40000, 300000};
    return lengths[seed % GW_COUNT(lengths)];
}

/* In steps, so that readers overtake the origin and wait for it. */
static void send_body(struct player *p, struct cache_fill *fill, uint64_t seed, uint64_t body_len)
{
    for (uint64_t at = 0; at < body_len;) {
        uint64_t to = gw_min_u64(body_len, at + 1 + gw_rng_below(&p->rng, body_len));
        feed(fill, seed, at, to);
        sched_yield();
        at = to;
    }
}

static void answer_head(struct cache_fill *fill, const char *fields, int64_t body_len,
                        uint64_t now_ms)
{
    struct gw_buf text;
    struct cache_lifetime life = {.ttl_s = 1, .sie_s = CACHE_SIE_UNLIMITED};
    struct cache_object_parts parts = parts_with(fields, body_len, life, &text);
    parts.now_ms = now_ms;
    cache_fill_head(fill, &parts);
    gw_buf_release(&text);
}

static void lead(struct player *p, struct cache_lookup *found, uint64_t now_ms)
{
    char fields[64];
    uint64_t seed = atomic_fetch_add(&next_seed, 1), body_len = body_len_of(seed);
    uint64_t dice = gw_rng_below(&p->rng, 100);
    sched_yield(); /* the origin takes its time: others join */
    snprintf(fields, sizeof(fields), "ETag: \"%llu\"", (unsigned long long)seed);
    if (found->object && dice < 20) {
        cache_fill_keep(found->fill, GW_ECLOSED);
        return;
    }
    if (dice < 30) {
        cache_fill_abort(found->fill, dice % 2 ? GW_ECANCELLED : GW_ETIMEOUT_CONNECT);
        return;
    }
    if (dice < 35) {
        cache_fill_pass(found->fill);
        return;
    }
    answer_head(found->fill, fields, dice < 70 ? (int64_t)body_len : -1, now_ms);
    if (dice < 45) {
        send_body(p, found->fill, seed, body_len / 2);
        cache_fill_abort(found->fill, GW_ETRUNCATED);
        return;
    }
    send_body(p, found->fill, seed, body_len);
    if (cache_fill_finish(found->fill) != 0)
        abort();
    if (cache_fill_state(found->fill, NULL) == CACHE_FILL_COMPLETE)
        check_object(cache_fill_object(found->fill), seed, body_len);
}

static void consume(struct cache_reader *r, const struct gw_str *pieces, size_t count)
{
    uint64_t seed = seed_of(cache_fill_object(r->fill));
    for (size_t i = 0; i < count; i++) {
        check_bytes(pieces[i], seed, r->at.offset);
        cache_reader_advance(r, pieces[i].len);
    }
}

static enum cache_read read_along(struct player *p, struct cache_reader *r)
{
    struct loop loop;
    struct gw_str pieces[4];
    enum cache_read answer;
    loop_init(&loop);
    for (;;) {
        size_t count = 4;
        uint32_t version;
        answer = cache_reader_read(r, pieces, &count, &version);
        if (answer == CACHE_READ_DATA)
            consume(r, pieces, count);
        else if (answer != CACHE_READ_WAIT)
            break;
        else if (!cache_fill_wait(r->fill, &loop.waiter, version))
            continue;
        else if (gw_rng_below(&p->rng, 10) == 0)
            cache_fill_unwait(r->fill, &loop.waiter); /* its own client is impatient */
        else
            sleep_until_told(&loop);
        loop.woken = false;
    }
    cache_fill_unwait(r->fill, &loop.waiter);
    loop_release(&loop);
    return answer;
}

static void join(struct player *p, struct cache_lookup *found)
{
    struct cache_reader reader;
    if (!cache_reader_open(&reader, found->fill))
        return;
    enum cache_read answer = read_along(p, &reader);
    struct cache_object *o = cache_fill_object(found->fill);
    if (answer == CACHE_READ_END) {
        assert_int_equal(reader.at.offset, body_len_of(seed_of(o)));
        p->streamed++;
    } else if (cache_fill_state(found->fill, NULL) == CACHE_FILL_REFRESHED) {
        check_object(o, seed_of(o), body_len_of(seed_of(o)));
    } else {
        p->retries++;
    }
    cache_reader_close(&reader);
}

static void *play(void *argument)
{
    struct player *p = argument;
    for (int i = 0; i < REQUESTS; i++) {
        char name[16];
        struct cache_lookup found;
        snprintf(name, sizeof(name), "/%u", (unsigned)gw_rng_below(&p->rng, KEYS));
        struct cache_place place = place_named(p->world, name);
        uint64_t now = atomic_fetch_add(&next_now, 3);
        switch (cache_store_begin(p->world->store, &place, now, &found)) {
        case CACHE_HIT:
            check_object(found.object, seed_of(found.object), body_len_of(seed_of(found.object)));
            p->hits++;
            break;
        case CACHE_LEADER:
            lead(p, &found, now);
            break;
        case CACHE_JOIN:
            join(p, &found);
            break;
        }
        cache_fill_unref(found.fill);
        cache_object_unref(found.object);
        uint64_t dice = gw_rng_below(&p->rng, 200);
        if (dice == 0)
            cache_purge_everything(p->world->store, GW_STR("zone"));
        else if (dice < 5)
            cache_purge_key(p->world->store, &place, dice % 2, now);
    }
    return NULL;
}

static void run(uint64_t max_size)
{
    struct world w;
    pthread_t threads[THREADS];
    struct player players[THREADS];
    uint64_t hits = 0, streamed = 0;
    world_init(&w, max_size);
    for (size_t i = 0; i < THREADS; i++) {
        players[i] = (struct player){.world = &w, .rng = {i + 1}};
        assert_int_equal(pthread_create(&threads[i], NULL, play, &players[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        hits += players[i].hits;
        streamed += players[i].streamed;
    }
    assert_true(hits > 0);
    print_message("%u hits, %u streamed along\n", (unsigned)hits, (unsigned)streamed);
    world_release(&w);
}

static void test_requests_in_parallel(void **state)
{
    (void)state;
    run(64 * MIB);
}

/* Room for little more than one object: fills lose the right to be stored while they run. */
static void test_requests_without_room(void **state)
{
    (void)state;
    run(400 * KIB);
}

int main(void)
{
    /* An assertion that fails in a thread cannot jump back into the runner. */
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_in_parallel),
        cmocka_unit_test(test_requests_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
