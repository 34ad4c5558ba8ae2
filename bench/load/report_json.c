/* SPDX-License-Identifier: Apache-2.0 */
/* The report for programs. Times are microseconds; the histograms hold every bucket, so that two
 * reports can be merged or compared; `--compare` reads "series" and "totals". */
#include <inttypes.h>

#include "bench/load/report_parts.h"
#include "config/json.h"
#include "gateway/base/json_out.h"
#include "gateway/http/date.h"

#define U64 "%" PRIu64

static void add_environment(const struct report_environment *e, struct gw_buf *out)
{
    char started[DATE_ISO_LEN];
    date_format_iso((int64_t)e->started_ms, started);
    gw_json_object(out, "environment");
    gw_json_text(out, "version", e->version);
    gw_json_text(out, "command", e->command);
    gw_json_text(out, "started", gw_str(started, sizeof(started)));
    gw_json_text(out, "host", gw_str_z(e->host));
    gw_json_text(out, "system", gw_str_z(e->system));
    gw_buf_printf(
        out, ",\"cpus\":%u,\"load_average\":%.2f,\"memory_bytes\":" U64 ",\"cpu_seconds\":%.3f}",
        e->cpus, e->load_average, e->memory_bytes, e->cpu_seconds);
}

static void add_histogram(const char *name, const struct histogram *h, bool buckets,
                          struct gw_buf *out)
{
    uint64_t us, count;
    size_t at = 0;
    gw_json_object(out, name);
    gw_buf_printf(out, "\"count\":" U64 ",\"mean\":%.1f,\"min\":" U64 ",\"max\":" U64, h->total,
                  histogram_mean(h), h->min_us, h->max_us);
    for (size_t i = 0; i < report_percent_count; i++)
        gw_buf_printf(out, ",\"p%g\":" U64, report_percents[i],
                      histogram_at(h, report_percents[i]));
    if (buckets) {
        gw_json_list(out, "buckets");
        while (histogram_next(h, &at, &us, &count)) {
            gw_json_next(out);
            gw_buf_printf(out, "[" U64 "," U64 "]", us, count);
        }
        gw_buf_char(out, ']');
    }
    gw_buf_char(out, '}');
}

static void add_counts(const struct stats_group *g, struct gw_buf *out)
{
    gw_json_u64(out, "requests", g->requests);
    gw_json_u64(out, "answers", g->answers);
    gw_json_object(out, "status");
    for (unsigned i = STATS_STATUS_MIN; i <= STATS_STATUS_MAX; i++) {
        char status[16];
        snprintf(status, sizeof(status), "%u", i);
        if (g->status[i - STATS_STATUS_MIN])
            gw_json_u64(out, status, g->status[i - STATS_STATUS_MIN]);
    }
    gw_buf_char(out, '}');
    gw_json_object(out, "cache");
    for (unsigned i = 1; i < LOAD_CACHE_COUNT; i++)
        if (g->cache[i])
            gw_json_u64(out, load_cache_name((enum load_cache)i).ptr, g->cache[i]);
    gw_buf_printf(out,
                  "},\"errors\":{\"connect\":" U64 ",\"closed\":" U64 ",\"timeout\":" U64
                  ",\"protocol\":" U64 "},\"refused\":{\"limiter\":" U64 ",\"rule\":" U64
                  ",\"other\":" U64 "},\"first_429\":" U64 ",\"broken_retry_after\":" U64,
                  g->errors[LOAD_ERROR_CONNECT], g->errors[LOAD_ERROR_CLOSED],
                  g->errors[LOAD_ERROR_TIMEOUT], g->errors[LOAD_ERROR_PROTOCOL],
                  g->refusals[LOAD_REFUSAL_LIMITER], g->refusals[LOAD_REFUSAL_RULE],
                  g->refusals[LOAD_REFUSAL_OTHER], g->first_429, g->broken_retry_after);
}

static void add_group(const struct stats_group *g, bool buckets, struct gw_buf *out)
{
    add_counts(g, out);
    add_histogram("response_us", &g->response, buckets, out);
    add_histogram("service_us", &g->service, buckets, out);
}

static void add_generator(const struct report *r, struct gw_buf *out)
{
    const struct stats *s = &r->result->stats;
    gw_json_object(out, "generator");
    gw_buf_printf(out,
                  "\"taken\":" U64 ",\"dropped\":" U64 ",\"late\":" U64 ",\"waited\":" U64
                  ",\"connections\":%u,\"opened\":" U64 ",\"left\":" U64
                  ",\"rate_per_s\":%.3f,\"schedule_error_percent\":%.4f",
                  s->taken, s->dropped, s->late, r->result->lanes.waited, r->result->lanes.most,
                  r->result->lanes.opened, r->result->left_under_way, report_rate(r),
                  stats_schedule_error(s));
    add_histogram("lag_us", &s->lag, false, out);
    gw_buf_char(out, '}');
}

static void add_phases(const struct report *r, struct gw_buf *out)
{
    gw_json_list(out, "phases");
    for (size_t i = 0; i < r->plan->phase_count; i++) {
        gw_json_object(out, NULL);
        gw_json_text(out, "name", r->plan->phases[i].name);
        gw_buf_printf(out, ",\"seconds\":%.3f", r->result->phase_seconds[i]);
        add_group(&r->result->stats.phases[i], false, out);
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, ']');
    gw_json_list(out, "requests");
    for (size_t i = 0; i < r->plan->request_count; i++) {
        gw_json_object(out, NULL);
        gw_json_text(out, "name", r->plan->requests[i].name);
        add_group(&r->result->stats.requests[i], false, out);
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, ']');
}

static void add_series(const struct report *r, struct gw_buf *out)
{
    const struct stats *s = &r->result->stats;
    gw_buf_printf(out, ",\"interval_s\":%.1f,\"series\":[", (double)s->interval_us / 1e6);
    for (size_t i = 0; i < s->interval_count; i++) {
        const struct stats_interval *v = &s->intervals[i];
        gw_json_next(out);
        gw_buf_printf(out,
                      "{\"at\":%.1f,\"ok\":" U64 ",\"429\":" U64 ",\"4xx\":" U64 ",\"5xx\":" U64
                      ",\"errors\":" U64 ",\"hits\":" U64 ",\"cache\":" U64 ",\"p50\":" U64
                      ",\"p90\":" U64 ",\"p99\":" U64 ",\"max\":" U64 "}",
                      v->start_s, v->ok, v->limited, v->client, v->server, v->errors, v->cache_hits,
                      v->cache_answers, v->p50_us, v->p90_us, v->p99_us, v->max_us);
    }
    gw_buf_char(out, ']');
}

static void add_identities(const struct report *r, struct gw_buf *out)
{
    uint32_t rows[REPORT_ROWS_MAX];
    size_t all, count = report_identities(r, rows, &all);
    gw_json_object(out, "identities");
    gw_json_u64(out, "count", r->plan->identities);
    gw_json_u64(out, "active", all);
    gw_json_list(out, "most");
    for (size_t i = 0; i < count; i++) {
        const struct stats_identity *t = &r->result->stats.identities[rows[i]];
        gw_json_next(out);
        gw_buf_printf(out, "{\"identity\":%u,\"address\":\"", rows[i]);
        report_add_identity(r->plan, rows[i], out);
        gw_buf_printf(out, "\",\"requests\":%u,\"ok\":%u,\"429\":%u,\"other\":%u}", t->requests,
                      t->ok, t->limited, t->other);
    }
    gw_buf_add(out, GW_STR("]}"));
}

static void add_items(const struct report *r, struct gw_buf *out)
{
    static const char *const outcomes[] = {
        [EXPECT_HELD] = "held", [EXPECT_FAILED] = "failed", [EXPECT_UNKNOWN] = "unknown"};
    gw_json_list(out, "expectations");
    for (size_t i = 0; i < r->outcome->count; i++) {
        const struct outcome_item *item = &r->outcome->items[i];
        gw_json_object(out, NULL);
        gw_json_text(out, "expect", item->text);
        if (item->phase != EXPECT_NONE)
            gw_json_text(out, "phase", r->plan->phases[item->phase].name);
        gw_json_text(out, "kind", gw_str_z(item->kind));
        gw_json_text(out, "outcome", gw_str_z(outcomes[item->outcome]));
        gw_json_text(out, "seen", item->seen);
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, ']');
    gw_json_list(out, "notes");
    for (size_t i = 0; i < r->plan->note_count; i++)
        gw_json_text(out, NULL, r->plan->notes[i]);
    gw_buf_char(out, ']');
}

/* As the admin listener said it. */
static void add_matrix(const struct report *r, struct gw_buf *out)
{
    const struct json *data = json_get(r->matrix, "data");
    if (!data) {
        gw_json_null(out, "limiter_matrix");
        return;
    }
    gw_json_name(out, "limiter_matrix");
    json_write(data, out);
}

void report_json(const struct report *r, struct gw_buf *out)
{
    gw_json_object(out, NULL);
    gw_json_u64(out, "format", 1);
    gw_json_text(out, "name", r->plan->name);
    gw_json_text(out, "target", r->plan->host_header);
    gw_json_text(out, "verdict", gw_str_z(load_verdict_name(r->outcome->verdict)));
    gw_json_text(out, "why", r->outcome->why);
    gw_buf_printf(out, ",\"exit_code\":%d,\"seed\":" U64 ",\"duration_s\":%.3f",
                  load_verdict_exit(r->outcome->verdict), r->plan->seed,
                  (double)r->result->duration_us / 1e6);
    add_environment(r->environment, out);
    add_generator(r, out);
    gw_json_object(out, "totals");
    add_group(&r->result->stats.whole, true, out);
    gw_buf_char(out, '}');
    add_phases(r, out);
    add_series(r, out);
    add_identities(r, out);
    add_items(r, out);
    add_matrix(r, out);
    gw_buf_add(out, GW_STR("}\n"));
}
