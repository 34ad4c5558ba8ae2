/* SPDX-License-Identifier: Apache-2.0 */
/* What counting costs a request: one series again and again, a few hundred in turn (the working set
 * of a busy worker), a duration, and a scrape of full tables. */
#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/base/metrics.h"

#define ROUNDS 20000000
#define SPREAD 256

static void report(const char *what, uint64_t since_us, uint64_t rounds)
{
    double us = (double)(gw_kernel_mono_us() - since_us);
    printf("%-34s %9.2f ns\n", what, us * 1000 / (double)rounds);
}

static void bench_scrape(struct metrics *m)
{
    for (uint16_t i = 0; i < METRICS_SERIES_MAX; i++)
        metrics_inc(metrics_worker(m, 0), METRIC_RULE_MATCHES, 1, i);
    struct gw_buf out;
    gw_buf_init(&out, 8 << 20);
    uint64_t start = gw_kernel_mono_us();
    for (int i = 0; i < 100; i++) {
        gw_buf_clear(&out);
        metrics_write(m, &out);
    }
    report("scrape of full tables", start, 100);
    gw_buf_release(&out);
}

int main(void)
{
    struct metrics *m = metrics_new(1, GW_STR("bench"));
    struct metrics_worker *w = metrics_worker(m, 0);
    uint16_t zone = metrics_intern(m, GW_STR("bench.test"));
    uint16_t edge = metrics_intern(m, GW_STR("FRA")), get = metrics_intern(m, GW_STR("GET"));

    uint64_t start = gw_kernel_mono_us();
    for (int i = 0; i < ROUNDS; i++)
        metrics_inc(w, METRIC_REQUESTS, zone, edge, get, 200);
    report("increment, one series", start, ROUNDS);

    start = gw_kernel_mono_us();
    for (int i = 0; i < ROUNDS; i++)
        metrics_inc(w, METRIC_REQUESTS, zone, edge, get, (uint16_t)(200 + i % SPREAD));
    report("increment, 256 series in turn", start, ROUNDS);

    start = gw_kernel_mono_us();
    for (int i = 0; i < ROUNDS; i++)
        metrics_observe_us(w, METRIC_REQUEST_DURATION, (uint64_t)(i % 3000));
    report("duration into a histogram", start, ROUNDS);

    bench_scrape(m);
    metrics_free(m);
    return 0;
}
