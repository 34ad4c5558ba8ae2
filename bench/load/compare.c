/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/compare.h"

#include <math.h>

#include "bench/load/units.h"

#define Z_LIMIT      2.5758 /* two-sided, p = 0.01 */
#define SHARE_POINTS 1.0    /* as COMPARE_EFFECT_PERCENT for latencies: the least that matters */
#define VALUES_MAX   STATS_INTERVALS_MAX

/* ---- tests ---- */

struct ranked {
    double value;
    bool second;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Equal values share the mean of their ranks, and shrink the variance by what the ties take. */
double compare_rank_sum(const double *a, size_t a_count, const double *b, size_t b_count)
{
    size_t all = a_count + b_count;
    struct ranked *list = gw_alloc((all + 1) * sizeof(*list));
    double sum = 0, ties = 0, n = (double)all;
    for (size_t i = 0; i < all; i++)
        list[i] =
            i < a_count ? (struct ranked){a[i], false} : (struct ranked){b[i - a_count], true};
    qsort(list, all, sizeof(*list), by_value);
    for (size_t i = 0, end; i < all; i = end) {
        for (end = i; end < all && list[end].value == list[i].value; end++)
            ;
        double equal = (double)(end - i), rank = (double)(i + 1 + end) / 2;
        ties += equal * equal * equal - equal;
        for (size_t k = i; k < end; k++)
            sum += list[k].second ? rank : 0;
    }
    free(list);
    double na = (double)a_count, nb = (double)b_count;
    double mean = nb * (n + 1) / 2;
    double variance = n > 1 ? na * nb / 12 * ((n + 1) - ties / (n * (n - 1))) : 0;
    return variance > 0 ? (sum - mean) / sqrt(variance) : 0;
}

double compare_proportions(double hits_a, double all_a, double hits_b, double all_b)
{
    if (all_a <= 0 || all_b <= 0)
        return 0;
    double pooled = (hits_a + hits_b) / (all_a + all_b);
    double error = sqrt(pooled * (1 - pooled) * (1 / all_a + 1 / all_b));
    return error > 0 ? (hits_b / all_b - hits_a / all_a) / error : 0;
}

/* ---- reports ---- */

static double number(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v && json_type(v) == JSON_NUMBER ? json_number(v) : 0;
}

/* Intervals in which nothing was answered have no latency. */
static size_t collect(const struct json *report, const char *key, double *values)
{
    size_t count = 0;
    const struct json *i = json_first(json_get(report, "series"));
    for (; i && count < VALUES_MAX; i = json_next(i))
        if (number(i, "max") > 0)
            values[count++] = number(i, key);
    return count;
}

static double median(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) /* at most a thousand, nearly sorted or not */
        for (size_t k = i; k && values[k - 1] > values[k]; k--) {
            double swap = values[k];
            values[k] = values[k - 1];
            values[k - 1] = swap;
        }
    return count ? values[count / 2] : 0;
}

static void add_row(struct gw_buf *out, const char *label, const char *verdict)
{
    gw_buf_printf(out, "  %-12s %-8s ", label, verdict);
}

static void compare_latency(const struct json *old, const struct json *new, const char *key,
                            struct gw_buf *out)
{
    double a[VALUES_MAX], b[VALUES_MAX];
    size_t na = collect(old, key, a), nb = collect(new, key, b);
    double z = compare_rank_sum(a, na, b, nb), ma = median(a, na), mb = median(b, nb);
    bool few = na < COMPARE_INTERVALS_MIN || nb < COMPARE_INTERVALS_MIN;
    bool small = fabs(mb - ma) <= ma * COMPARE_EFFECT_PERCENT / 100;
    const char *verdict = few || small || fabs(z) < Z_LIMIT ? "noise" : z > 0 ? "worse" : "better";
    add_row(out, key, verdict);
    units_add_us(out, ma);
    gw_buf_add(out, GW_STR(" → "));
    units_add_us(out, mb);
    gw_buf_printf(out, " (median of %zu and %zu intervals, z %.1f%s)\n", na, nb, z,
                  few ? ", too few intervals" : "");
}

static double count_of(const struct json *report, int low, int high)
{
    double sum = 0;
    char code[8];
    const struct json *status = json_get(json_get(report, "totals"), "status");
    for (int i = low; i <= high; i++) {
        snprintf(code, sizeof(code), "%d", i);
        sum += number(status, code);
    }
    return sum;
}

static double failures(const struct json *report)
{
    const struct json *totals = json_get(report, "totals");
    return count_of(report, 500, 599) + number(totals, "requests") - number(totals, "answers");
}

static double refusals(const struct json *report)
{
    return count_of(report, 429, 429);
}

static double hits(const struct json *report)
{
    return number(json_get(json_get(report, "totals"), "cache"), "HIT");
}

/* `good` is 1 where more is better, −1 where less is, 0 where it is only another. */
static void compare_share(const struct json *old, const struct json *new, const char *label,
                          double (*count)(const struct json *report), int good, struct gw_buf *out)
{
    double all_a = number(json_get(old, "totals"), "requests");
    double all_b = number(json_get(new, "totals"), "requests");
    double a = count(old), b = count(new), z = compare_proportions(a, all_a, b, all_b);
    double share_a = all_a > 0 ? 100 * a / all_a : 0, share_b = all_b > 0 ? 100 * b / all_b : 0;
    bool noise = fabs(z) < Z_LIMIT || fabs(share_b - share_a) <= SHARE_POINTS;
    const char *verdict = noise          ? "noise"
                          : good == 0    ? "differs"
                          : z * good > 0 ? "better"
                                         : "worse";
    add_row(out, label, verdict);
    gw_buf_printf(out, "%.3g%% → %.3g%% (of %.0f and %.0f requests, z %.1f)\n", share_a, share_b,
                  all_a, all_b, z);
}

bool compare_reports(const char *old_path, struct gw_str new_report, struct gw_buf *out,
                     struct gw_diags *diags)
{
    static const char *const latencies[] = {"p50", "p90", "p99"};
    const struct gw_source source = {"report", new_report};
    struct json_doc *old = json_read(old_path, old_path, diags);
    struct json_doc *new = json_parse(&source, diags);
    bool fine =
        old && new &&json_get(json_root(old), "series") && json_get(json_root(old), "totals");
    if (old && !fine)
        gw_diag_file(diags, GW_DIAG_ERROR, old_path, "is no report of nearedge load --json");
    if (fine) {
        const struct json *a = json_root(old), *b = json_root(new);
        gw_buf_printf(out,
                      "compared with %s: a latency differs when a rank-sum test over the intervals "
                      "says p < 0.01\nand the medians are more than %d%% apart, a share when it "
                      "has p < 0.01 and is more than a point apart\n",
                      old_path, COMPARE_EFFECT_PERCENT);
        for (size_t i = 0; i < GW_COUNT(latencies); i++)
            compare_latency(a, b, latencies[i], out);
        compare_share(a, b, "failed", failures, -1, out);
        compare_share(a, b, "429", refusals, 0, out);
        compare_share(a, b, "cache hits", hits, 1, out);
    }
    json_doc_free(old);
    json_doc_free(new);
    return fine;
}
