/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "gateway/base/metrics.h"

/* The text of a scrape; the caller frees it. */
static char *scrape(struct metrics *m)
{
    struct gw_buf out;
    gw_buf_init(&out, 8 << 20);
    metrics_write(m, &out);
    assert_false(out.overflow);
    char *text = gw_str_dupz(gw_buf_str(&out));
    gw_buf_release(&out);
    return text;
}

/* The value behind `series ` at the start of a line, or -1. */
static long long value_of(const char *text, const char *series)
{
    struct gw_str rest = gw_str_z(text), line, name = gw_str_z(series);
    long long value = -1;
    while (gw_str_next(&rest, '\n', &line))
        if (gw_str_starts(line, name) && line.len > name.len && line.ptr[name.len] == ' ')
            sscanf(line.ptr + name.len, "%lld", &value);
    return value;
}

static long long scraped(struct metrics *m, const char *series)
{
    char *text = scrape(m);
    long long value = value_of(text, series);
    free(text);
    return value;
}

static void test_counters_sum_over_workers(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(3, GW_STR("1.2.3"));
    uint16_t zone = metrics_intern(m, GW_STR("hub-evolution.com"));
    uint16_t fra = metrics_intern(m, GW_STR("FRA")), get = metrics_intern(m, GW_STR("GET"));
    for (unsigned w = 0; w < 3; w++) {
        metrics_inc(metrics_worker(m, w), METRIC_REQUESTS, zone, fra, get, 200);
        metrics_inc(metrics_worker(m, w), METRIC_DO_REQUESTS);
    }
    metrics_inc(metrics_worker(m, 1), METRIC_REQUESTS, zone, fra, get, 429);
    metrics_add(metrics_worker(m, 2), METRIC_DO_REQUESTS, (struct metrics_labels){{0}}, 39);
    char *text = scrape(m);
#define REQUESTS(code)                                                                             \
    "nearedge_requests_total{zone=\"hub-evolution.com\",edge=\"FRA\",method=\"GET\",code=\"" code  \
    "\"}"
    assert_int_equal(value_of(text, REQUESTS("200")), 3);
    assert_int_equal(value_of(text, REQUESTS("429")), 1);
    assert_int_equal(value_of(text, "nearedge_do_requests_total"), 42);
    assert_int_equal(value_of(text, "nearedge_origin_requests_total"),
                     0); /* shown from the start */
    assert_int_equal(value_of(text, "nearedge_build_info{version=\"1.2.3\"}"), 1);
    free(text);
    metrics_free(m);
    metrics_free(NULL);
}

static void test_every_family_has_help_and_type(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(1, GW_STR("0"));
    char *text = scrape(m), want[300];
    const char *at = text;
#define X(id, kind, name, help, ...)                                                               \
    snprintf(want, sizeof(want), "# HELP %s %s\n# TYPE %s ", name, help, name);                    \
    at = strstr(at, want); /* in the order of the list */                                          \
    assert_non_null(at);
    METRIC_FAMILIES(X)
#undef X
    assert_non_null(strstr(text, "# TYPE nearedge_request_duration_seconds histogram\n"));
    assert_non_null(strstr(text, "# TYPE nearedge_requests_total counter\n"));
    assert_non_null(strstr(text, "# TYPE nearedge_connections gauge\n"));
    assert_true(value_of(text, "process_resident_memory_bytes") > 100000);
    assert_true(value_of(text, "process_open_fds") >= 3);
    assert_true(value_of(text, "process_start_time_seconds") > 1600000000);
    assert_true(value_of(text, "process_cpu_seconds_total") >= 0);
    free(text);
    metrics_free(m);
}

static int64_t answer(void *ctx)
{
    return *(int64_t *)ctx;
}

static void test_gauges(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(2, GW_STR("0"));
    assert_int_equal(scraped(m, "nearedge_backend_up"), -1); /* unknown is not "down" */
    metrics_set(m, METRIC_BACKEND_UP, 0);
    assert_int_equal(scraped(m, "nearedge_backend_up"), 0);
    metrics_set(m, METRIC_BACKEND_UP, 1);
    assert_int_equal(scraped(m, "nearedge_backend_up"), 1);

    int64_t bytes = 1LL << 40;
    metrics_set_callback(m, METRIC_CACHE_BYTES, answer, &bytes);
    assert_true(scraped(m, "nearedge_cache_bytes") == bytes);

    struct metrics_labels none = {{0}};
    metrics_add(metrics_worker(m, 0), METRIC_CONNECTIONS, none, 5);
    metrics_add(metrics_worker(m, 1), METRIC_CONNECTIONS, none, 2);
    metrics_add(metrics_worker(m, 1), METRIC_CONNECTIONS, none, -4); /* accepted elsewhere */
    assert_int_equal(scraped(m, "nearedge_connections"), 3);
    metrics_free(m);
}

static void test_histogram(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(2, GW_STR("0"));
    static const uint64_t us[] = {0, 500, 501, 1000, 9999999, 10000000, 10000001, 3600000000};
    for (size_t i = 0; i < GW_COUNT(us); i++)
        metrics_observe_us(metrics_worker(m, i % 2), METRIC_ORIGIN_DURATION, us[i]);
    char *text = scrape(m);
#define BUCKET(le) "nearedge_origin_request_duration_seconds_bucket{le=\"" le "\"}"
    assert_int_equal(value_of(text, BUCKET("0.0005")), 2); /* bounds are inclusive */
    assert_int_equal(value_of(text, BUCKET("0.001")), 4);
    assert_int_equal(value_of(text, BUCKET("5")), 4);
    assert_int_equal(value_of(text, BUCKET("10")), 6);
    assert_int_equal(value_of(text, BUCKET("+Inf")), 8);
    assert_int_equal(value_of(text, "nearedge_origin_request_duration_seconds_count"), 8);
    assert_non_null(strstr(text, "nearedge_origin_request_duration_seconds_sum 3630.002001\n"));
    assert_int_equal(value_of(text, "nearedge_request_duration_seconds_count"), 0);
    free(text);
    metrics_free(m);
}

static void test_label_values(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(1, GW_STR("a\"b\\c\nd\xff\xc3\xa4"));
    char *text = scrape(m);
    assert_non_null(strstr(text, "nearedge_build_info{version=\"a\\\"b\\\\c\\nd?\xc3\xa4\"} 1\n"));
    free(text);
    assert_int_equal(metrics_intern(m, GW_STR("FRA")), metrics_intern(m, GW_STR("FRA")));
    assert_int_not_equal(metrics_intern(m, GW_STR("FRA")), metrics_intern(m, GW_STR("AMS")));
    assert_int_equal(metrics_intern(m, GW_STR("other")), METRICS_TEXT_OTHER);
    metrics_inc(metrics_worker(m, 0), METRIC_CACHE_REQUESTS, 16383); /* never handed out */
    metrics_inc(metrics_worker(m, 0), METRIC_CACHE_REQUESTS, metrics_intern(m, GW_STR_EMPTY));
    assert_int_equal(scraped(m, "nearedge_cache_requests_total{status=\"other\"}"), 1);
    assert_int_equal(scraped(m, "nearedge_cache_requests_total{status=\"\"}"), 1);
    metrics_free(m);
}

static void test_a_value_written_beside_the_tables(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"/etc/ssl/a.pem", "\"/etc/ssl/a.pem\""},
        {"a\"b\\c\nd\xff", "\"a\\\"b\\\\c\\nd?\""},
    };
    char long_text[METRICS_LABEL_LENGTH + 50];
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        metrics_write_value(&out, gw_str_z(cases[i][0]));
        assert_true(gw_str_eq(gw_buf_str(&out), gw_str_z(cases[i][1])));
        gw_buf_clear(&out);
    }
    memset(long_text, 'x', sizeof(long_text));
    metrics_write_value(&out, gw_str(long_text, sizeof(long_text)));
    assert_int_equal(out.len, METRICS_LABEL_LENGTH + 2);
    gw_buf_release(&out);
}

static void test_both_tables_are_bounded(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(1, GW_STR("0"));
    struct metrics_worker *w = metrics_worker(m, 0);
    char name[400];
    memset(name, 'x', sizeof(name));
    for (int i = 0; i < METRICS_TEXT_MAX + 10; i++) {
        snprintf(name, 20, "rule-%d", i);
        uint16_t id = metrics_intern(m, gw_str(name, sizeof(name)));
        assert_true(id >= METRICS_TEXT_FIRST);
        assert_int_equal(id == METRICS_TEXT_OTHER, i >= METRICS_TEXT_MAX - 2);
    }
    enum { EXTRA = 7 };
    /* One series is nearedge_build_info. */
    for (uint16_t i = 0; i < METRICS_SERIES_MAX - 1 + EXTRA; i++)
        for (int twice = 0; twice < 2; twice++)
            metrics_inc(w, METRIC_RULE_MATCHES, 1, (uint16_t)(METRICS_TEXT_FIRST + i));
    char *text = scrape(m);
    assert_int_equal(value_of(text, "nearedge_metrics_overflow_total"), 2 * EXTRA);
    size_t lines = 0;
    for (const char *at = text; (at = strstr(at, "\nnearedge_rule_matches_total{")); at++) {
        assert_non_null(strstr(at, "\"} 2\n"));
        lines++;
    }
    assert_int_equal(lines, METRICS_SERIES_MAX - 1);
    free(text);
    metrics_free(m);
}

static void test_order_is_stable(void **state)
{
    (void)state;
    struct metrics *a = metrics_new(2, GW_STR("0")), *b = metrics_new(2, GW_STR("0"));
    for (uint16_t i = 0; i < 300; i++) {
        metrics_inc(metrics_worker(a, i % 2), METRIC_CACHE_REQUESTS, i);
        metrics_inc(metrics_worker(b, 0), METRIC_CACHE_REQUESTS, (uint16_t)(299 - i));
    }
    char *one = scrape(a), *two = scrape(b);
    *strstr(one, "# HELP process_") = *strstr(two, "# HELP process_") = '\0';
    assert_string_equal(one, two);
    free(one);
    free(two);
    metrics_free(a);
    metrics_free(b);
}

#define ROUNDS 20000

struct writer {
    struct metrics *m;
    unsigned index;
};

static void *write_much(void *arg)
{
    const struct writer *self = arg;
    struct metrics_worker *w = metrics_worker(self->m, self->index);
    char name[20];
    for (int i = 0; i < ROUNDS; i++) {
        metrics_inc(w, METRIC_ORIGIN_REQUESTS);
        metrics_observe_us(w, METRIC_REQUEST_DURATION, 100);
        if (i % 64 == 0) {
            snprintf(name, sizeof(name), "n%d", i);
            metrics_inc(w, METRIC_RULE_MATCHES, 1, metrics_intern(self->m, gw_str_z(name)));
        }
    }
    return NULL;
}

/* Scrapes while workers write: what is seen only grows, and at the end nothing is lost. */
static void test_scrape_while_writing(void **state)
{
    (void)state;
    struct metrics *m = metrics_new(2, GW_STR("0"));
    struct writer writers[2] = {{m, 0}, {m, 1}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, write_much, &writers[i]);
    long long seen = 0;
    for (int i = 0; i < 20; i++) {
        long long now = scraped(m, "nearedge_origin_requests_total");
        assert_true(now >= seen);
        seen = now;
        metrics_set(m, METRIC_CONFIG_RELOAD, i % 2);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(scraped(m, "nearedge_origin_requests_total"), 2 * ROUNDS);
    assert_int_equal(scraped(m, "nearedge_request_duration_seconds_count"), 2 * ROUNDS);
    assert_int_equal(scraped(m, "nearedge_rule_matches_total{phase=\"1\",rule=\"n64\"}"), 2);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters_sum_over_workers),
        cmocka_unit_test(test_every_family_has_help_and_type),
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_label_values),
        cmocka_unit_test(test_a_value_written_beside_the_tables),
        cmocka_unit_test(test_both_tables_are_bounded),
        cmocka_unit_test(test_order_is_stable),
        cmocka_unit_test(test_scrape_while_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
