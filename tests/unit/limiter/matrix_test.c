/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/matrix.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct limiter limiter = {.name = GW_STR("ai"),
                                       .rule = {3, 1000},
                                       .store = LIMITER_DURABLE_OBJECT,
                                       .compare = 1u << LIMITER_MEMORY};
static const struct limiter_place fra = {GW_STR("FRA"), 0}, ams = {GW_STR("AMS"), 1};

struct fixture {
    struct matrix *matrix;
    struct matrix_tally *tally;
    struct matrix_counts counts;
};

static int setup(void **state)
{
    struct fixture *f = gw_zalloc(sizeof(*f));
    f->matrix = matrix_new();
    f->tally = matrix_open(f->matrix, &limiter);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    matrix_free(f->matrix);
    free(f);
    return 0;
}

static struct matrix_arrival arrive(struct fixture *f, const char *key, uint64_t now_ms)
{
    return matrix_arrive(f->tally, gw_str_z(key), &fra, now_ms);
}

static void judge(const struct matrix_arrival *a, char verdict)
{
    const struct matrix_verdict v = {.store = LIMITER_MEMORY,
                                     .admitted = verdict == 'a',
                                     .failed = verdict == 'f',
                                     .waited_ms = a->number};
    matrix_judge(a, &v);
}

static const struct matrix_column *read_column(struct fixture *f)
{
    matrix_read(f->tally, &f->counts);
    return &f->counts.columns[LIMITER_MEMORY];
}

/* Verdicts of one window as letters: a(dmitted), r(efused), f(ailed). */
static void windows_tell_where_refusals_fall(void **state)
{
    static const struct {
        const char *verdicts;
        uint64_t admitted, refused, failed, refusing;
        uint32_t first, mixed;
    } cases[] = {{"aaarr", 3, 2, 0, 1, 4, 0},  {"aaaaa", 5, 0, 0, 0, 0, 0},
                 {"araaar", 4, 2, 0, 1, 2, 3}, {"rrrra", 1, 4, 0, 1, 1, 4},
                 {"afffr", 1, 1, 3, 1, 5, 0},  {"afffa", 2, 0, 3, 0, 0, 0}};
    struct fixture *f = *state;
    for (size_t c = 0; c < GW_COUNT(cases); c++) {
        matrix_clear(f->tally);
        for (const char *v = cases[c].verdicts; *v; v++) {
            struct matrix_arrival a = arrive(f, "k", 5000 * (c + 1));
            judge(&a, *v);
        }
        const struct matrix_column *column = read_column(f);
        assert_int_equal(column->admitted, cases[c].admitted);
        assert_int_equal(column->refused, cases[c].refused);
        assert_int_equal(column->failed, cases[c].failed);
        assert_int_equal(column->windows_refusing, cases[c].refusing);
        assert_int_equal(column->first_refusal, cases[c].first);
        assert_int_equal(column->first_refusals, cases[c].first);
        assert_int_equal(column->mixed_max, cases[c].mixed);
        assert_int_equal(column->mixed, cases[c].mixed);
        assert_int_equal(f->counts.exact, 3);
        assert_int_equal(f->counts.windows, 1);
    }
}

static void answers_may_come_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct matrix_arrival a[6];
    for (size_t i = 0; i < 6; i++)
        a[i] = arrive(f, "k", 1);
    static const struct {
        unsigned at;
        char verdict;
    } order[] = {{4, 'r'}, {2, 'a'}, {5, 'a'}, {1, 'r'}, {0, 'a'}, {3, 'a'}};
    for (size_t i = 0; i < GW_COUNT(order); i++)
        judge(&a[order[i].at], order[i].verdict);
    const struct matrix_column *c = read_column(f);
    assert_int_equal(c->first_refusal, 2);
    assert_int_equal(c->first_refusals, 2);
    assert_int_equal(c->mixed, 4); /* from the 2nd to the 6th */
    assert_int_equal(matrix_wait_at(c, 50), 3);
    assert_int_equal(matrix_wait_at(c, 99), 6);
    assert_int_equal(c->waited_ms, 21);
}

/* The window is the exact one: its end belongs to the next. */
static void windows_open_and_end_like_a_strong_stores(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t at;
        uint32_t number;
    } calls[] = {{100, 1}, {1099, 2}, {1100, 1}, {1500, 2}, {2100, 1}};
    for (size_t i = 0; i < GW_COUNT(calls); i++)
        assert_int_equal(arrive(f, "k", calls[i].at).number, calls[i].number);
    assert_int_equal(arrive(f, "other", 2100).number, 1);
    matrix_read(f->tally, &f->counts);
    assert_int_equal(f->counts.windows, 4);
    assert_int_equal(f->counts.arrivals, 6);
    assert_int_equal(f->counts.exact, 6);
    assert_int_equal(f->counts.span_ms, 999 + 400);
    assert_int_equal(f->counts.reached[1], 4);
    assert_int_equal(f->counts.reached[2], 2);
    assert_int_equal(f->counts.first_ms, 100);
    assert_int_equal(f->counts.last_ms, 2100);
}

/* A verdict that comes when its window is over counts, and marks no other window. */
static void late_verdicts_mark_nothing(void **state)
{
    struct fixture *f = *state;
    struct matrix_arrival late = arrive(f, "k", 1);
    struct matrix_arrival next = arrive(f, "k", 2000);
    judge(&late, 'r');
    judge(&next, 'a');
    assert_int_equal(read_column(f)->refused, 1);
    assert_int_equal(f->counts.columns[LIMITER_MEMORY].first_refusal, 0);
}

static void a_reset_begins_the_keys_window_anew(void **state)
{
    struct fixture *f = *state;
    arrive(f, "k", 1);
    arrive(f, "other", 1);
    matrix_forget(f->matrix, GW_STR("ai"), GW_STR("k"));
    matrix_forget(f->matrix, GW_STR("unknown"), GW_STR("other"));
    assert_int_equal(arrive(f, "k", 2).number, 1);
    assert_int_equal(arrive(f, "other", 2).number, 2);
}

static void clearing_keeps_open_windows(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++)
        arrive(f, "k", 1);
    matrix_skip(f->tally);
    matrix_clear(f->tally);
    struct matrix_arrival a = arrive(f, "k", 2);
    assert_int_equal(a.number, 5);
    matrix_read(f->tally, &f->counts);
    assert_int_equal(f->counts.arrivals, 1);
    assert_int_equal(f->counts.exact, 0);
    assert_int_equal(f->counts.skipped, 0);
    assert_int_equal(f->counts.places, 1);
}

static void places_are_told_apart(void **state)
{
    struct fixture *f = *state;
    const struct limiter_place other = {GW_STR("FRA"), 1};
    const struct limiter_place *places[] = {&fra, &ams, &other};
    for (size_t i = 0; i < 6; i++)
        matrix_arrive(f->tally, GW_STR("k"), places[i % 3], 1);
    matrix_read(f->tally, &f->counts);
    assert_int_equal(f->counts.places, 3);
    assert_int_equal(f->counts.edges, 2);
    assert_true(f->counts.in_turn);
    arrive(f, "k", 1);
    arrive(f, "k", 1);
    matrix_read(f->tally, &f->counts);
    assert_false(f->counts.in_turn);
    for (uint32_t i = 0; i < 2 * MATRIX_PLACES_MAX; i++)
        matrix_arrive(f->tally, GW_STR("k"), &(struct limiter_place){GW_STR("AMS"), i}, 1);
    matrix_read(f->tally, &f->counts);
    assert_int_equal(f->counts.places, MATRIX_PLACES_MAX);
}

#define THREADS 4
#define TURNS   5000

static void *arrive_and_judge(void *ctx)
{
    struct fixture *f = ctx;
    for (uint32_t i = 0; i < TURNS; i++) {
        struct matrix_arrival a = arrive(f, "k", 1);
        judge(&a, a.number <= 3 ? 'a' : 'r');
    }
    return NULL;
}

static void workers_share_a_tally(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, arrive_and_judge, f), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const struct matrix_column *c = read_column(f);
    assert_int_equal(f->counts.arrivals, THREADS * TURNS);
    assert_int_equal(c->admitted, 3);
    assert_int_equal(c->refused, THREADS * TURNS - 3);
    assert_int_equal(c->first_refusal, 4);
    assert_int_equal(c->first_refusals, 4);
    assert_int_equal(c->mixed, 0);
}

static void another_rule_is_another_tally(void **state)
{
    struct fixture *f = *state;
    struct limiter other = limiter;
    other.rule.limit = 4;
    assert_ptr_equal(matrix_open(f->matrix, &limiter), f->tally);
    assert_null(matrix_find(f->matrix, &other));
    struct matrix_tally *t = matrix_open(f->matrix, &other);
    assert_ptr_not_equal(t, f->tally);
    assert_true(matrix_fits(t, &other) && !matrix_fits(t, &limiter));
    for (uint32_t i = 0; i < MATRIX_LIMITERS_MAX - 2; i++) {
        other.rule.limit = 100 + i;
        assert_non_null(matrix_open(f->matrix, &other));
    }
}

/* The one asked last is the one that stays. */
static void old_tallies_make_room(void **state)
{
    struct fixture *f = *state;
    struct limiter other = limiter;
    for (uint32_t i = 0; i < MATRIX_LIMITERS_MAX - 1; i++) {
        other.rule.limit = 100 + i;
        struct matrix_tally *t = matrix_open(f->matrix, &other);
        (void)matrix_arrive(t, GW_STR("k"), &fra, 10 + i);
    }
    struct matrix_arrival early = arrive(f, "k", 9);
    other.rule.limit = 5;
    assert_ptr_equal(matrix_open(f->matrix, &other), f->tally);
    assert_null(matrix_find(f->matrix, &limiter));
    judge(&early, 'a'); /* comes too late to be anybody's */
    matrix_read(f->tally, &f->counts);
    assert_int_equal(f->counts.arrivals, 0);
    assert_int_equal(f->counts.columns[LIMITER_MEMORY].admitted, 0);
    assert_int_equal(arrive(f, "k", 9).number, 1);
}

static void verdicts_of_what_was_cleared_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct matrix_arrival early = arrive(f, "k", 1);
    matrix_clear(f->tally);
    judge(&early, 'r');
    struct matrix_arrival a = arrive(f, "k", 2);
    judge(&a, 'a');
    const struct matrix_column *c = read_column(f);
    assert_int_equal(c->refused, 0);
    assert_int_equal(c->first_refusals, 0);
    assert_int_equal(c->admitted, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(windows_tell_where_refusals_fall),
        TEST(answers_may_come_in_any_order),
        TEST(windows_open_and_end_like_a_strong_stores),
        TEST(late_verdicts_mark_nothing),
        TEST(a_reset_begins_the_keys_window_anew),
        TEST(clearing_keeps_open_windows),
        TEST(places_are_told_apart),
        TEST(workers_share_a_tally),
        TEST(another_rule_is_another_tally),
        TEST(old_tallies_make_room),
        TEST(verdicts_of_what_was_cleared_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
