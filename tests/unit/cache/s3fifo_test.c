/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/s3fifo.h"

#include "tests/unit/cache/fixture.h"

#define KEYS     20000
#define CAPACITY 1000
#define REQUESTS 300000

/* A cache of objects of one byte each, by key: those not in it have queue NONE. */
struct simulation {
    struct cache_entry entries[KEYS * 2]; /* the second half is what scans ask for */
    struct cache_queues queues;
    size_t held, hits;
};

static void simulation_init(struct simulation *s)
{
    *s = (struct simulation){0};
    cache_queues_init(&s->queues, CAPACITY);
    struct gw_rng rng = {7};
    for (size_t i = 0; i < GW_COUNT(s->entries); i++) {
        s->entries[i].hash = (struct gw_hash128){gw_rng_next(&rng), gw_rng_next(&rng)};
        s->entries[i].bytes = 1;
        gw_list_init(&s->entries[i].link);
    }
}

static void request_s3fifo(struct simulation *s, size_t key)
{
    struct cache_entry *e = &s->entries[key];
    if (e->queue != CACHE_QUEUE_NONE) {
        cache_queues_hit(e);
        s->hits++;
        return;
    }
    if (s->held == CAPACITY)
        assert_non_null(cache_queues_evict(&s->queues));
    else
        s->held++;
    cache_queues_add(&s->queues, e);
}

/* The same with LRU, over the same links. */
static void request_lru(struct simulation *s, size_t key)
{
    struct cache_entry *e = &s->entries[key];
    if (e->queue != CACHE_QUEUE_NONE) {
        gw_list_remove(&e->link);
        s->hits++;
    } else if (s->held == CAPACITY) {
        struct gw_list *victim = gw_list_pop(&s->queues.main);
        gw_list_entry(victim, struct cache_entry, link)->queue = CACHE_QUEUE_NONE;
    } else {
        s->held++;
    }
    e->queue = CACHE_QUEUE_MAIN;
    gw_list_push(&s->queues.main, &e->link);
}

/* Zipf popularity: the key of rank i is asked for in proportion to 1/i. */
static size_t draw_key(struct gw_rng *rng, const double *sums)
{
    double u = (double)(gw_rng_next(rng) >> 11) / (double)(1ULL << 53) * sums[KEYS - 1];
    size_t low = 0, high = KEYS - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sums[middle] <= u)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Share of hits among the popular keys, with or without a long scan of objects that are asked for
 * once in between. */
static double hit_ratio(void (*request)(struct simulation *, size_t), bool scans)
{
    static double sums[KEYS];
    struct simulation *s = gw_alloc(sizeof(*s));
    struct gw_rng rng = {42};
    size_t scanned = 0, asked = 0;
    for (size_t i = 0; i < KEYS; i++)
        sums[i] = (i ? sums[i - 1] : 0) + 1.0 / (double)(i + 1);
    simulation_init(s);
    for (size_t i = 0; i < REQUESTS; i++) {
        if (scans && i % 10000 < 3000) {
            request(s, KEYS + scanned++ % KEYS);
            continue;
        }
        request(s, draw_key(&rng, sums));
        asked++;
    }
    double ratio = (double)s->hits / (double)asked;
    cache_queues_release(&s->queues);
    free(s);
    return ratio;
}

static void test_scans_do_less_harm_than_to_lru(void **state)
{
    (void)state;
    double s3 = hit_ratio(request_s3fifo, true), lru = hit_ratio(request_lru, true);
    print_message("with scans: S3-FIFO %.3f, LRU %.3f\n", s3, lru);
    assert_true(s3 > lru + 0.05);
    s3 = hit_ratio(request_s3fifo, false);
    lru = hit_ratio(request_lru, false);
    print_message("without: S3-FIFO %.3f, LRU %.3f\n", s3, lru);
    assert_true(s3 > lru);
}

static struct cache_entry *entry(struct simulation *s, size_t i)
{
    return &s->entries[i];
}

static void test_order(void **state)
{
    (void)state;
    struct simulation *s = gw_alloc(sizeof(*s));
    simulation_init(s);
    s->queues.evicted = true; /* past the warm-up */
    for (size_t i = 0; i < 4; i++)
        cache_queues_add(&s->queues, entry(s, i));
    cache_queues_hit(entry(s, 0));
    cache_queues_hit(entry(s, 1));
    cache_queues_hit(entry(s, 1));
    /* One hit is not enough for the main queue, two are. */
    assert_ptr_equal(cache_queues_evict(&s->queues), entry(s, 0));
    assert_ptr_equal(cache_queues_evict(&s->queues), entry(s, 2));
    assert_int_equal(entry(s, 1)->queue, CACHE_QUEUE_MAIN);
    /* Its ghost brings the first one straight there. */
    cache_queues_add(&s->queues, entry(s, 0));
    assert_int_equal(entry(s, 0)->queue, CACHE_QUEUE_MAIN);
    cache_queues_add(&s->queues, entry(s, 5));
    assert_int_equal(entry(s, 5)->queue, CACHE_QUEUE_SMALL);
    while (cache_queues_evict(&s->queues))
        continue;
    assert_int_equal(s->queues.small_bytes + s->queues.main_bytes, 0);
    assert_int_equal(s->queues.small_count + s->queues.main_count, 0);
    cache_queues_release(&s->queues);
    free(s);
}

static void test_replace_keeps_the_place(void **state)
{
    (void)state;
    struct simulation *s = gw_alloc(sizeof(*s));
    simulation_init(s);
    for (size_t i = 0; i < 3; i++)
        cache_queues_add(&s->queues, entry(s, i));
    entry(s, 9)->bytes = 5;
    cache_queues_replace(&s->queues, entry(s, 0), entry(s, 9));
    assert_int_equal(s->queues.small_bytes + s->queues.main_bytes, 7);
    assert_ptr_equal(cache_queues_evict(&s->queues), entry(s, 9));
    while (cache_queues_evict(&s->queues))
        continue;
    cache_queues_release(&s->queues);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scans_do_less_harm_than_to_lru),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_replace_keeps_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
