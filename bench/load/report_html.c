/* SPDX-License-Identifier: Apache-2.0 */
/* One page that opens from a disk, on a phone, in the dark. Everything is inline; nothing runs. */
#include <inttypes.h>
#include <math.h>

#include "bench/load/chart.h"
#include "bench/load/matrix.h"
#include "bench/load/report_parts.h"
#include "bench/load/units.h"
#include "gateway/http/date.h"

#define CURVE_POINTS 200
#define BARS_MAX     400 /* intervals beyond are added to their neighbours */

static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n"
    ":root{--bg:#fff;--fg:#1c2024;--dim:#60646c;--rule:#e2e4e8;--card:#f6f7f9;--c1:#2f6fde;"
    "--c2:#0f9d80;--c3:#c77d0a;--c4:#d13b3b;--c5:#8a63d2;--ok:#0f8a5f;--bad:#c62f2f}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#121416;--fg:#e8eaed;--dim:#9aa0a8;"
    "--rule:#2b2f34;--card:#1b1e22;--c1:#6ea3ff;--c2:#46c9a8;--c3:#e8a640;--c4:#ff7272;"
    "--c5:#b497f0;--ok:#4ccf9b;--bad:#ff7b7b}}\n"
    "*{box-sizing:border-box}body{margin:0 "
    "auto;max-width:62rem;padding:1.2rem;background:var(--bg);"
    "color:var(--fg);font:15px/1.5 system-ui,sans-serif}h1{font-size:1.35rem;margin:0 0 .2rem;"
    "overflow-wrap:anywhere}h2{font-size:1.05rem;margin:2rem 0 .5rem}code{font:13px/1.5 "
    "ui-monospace,monospace;overflow-wrap:anywhere}.dim{color:var(--dim)}.badge{display:inline-"
    "block;"
    "padding:.1rem .6rem;border-radius:1rem;font-weight:600;border:1px solid}.passed,.done,.held"
    "{color:var(--ok)}.failed{color:var(--bad)}.inconclusive,.interrupted,.unknown{color:var(--c3)}"
    "\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;"
    "margin:1rem 0}.card{background:var(--card);border-radius:.5rem;padding:.6rem .8rem}.card b"
    "{display:block;font-size:1.15rem}figure{margin:1rem "
    "0}figcaption{font-weight:600;margin-bottom:"
    ".2rem}svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font:11px system-ui}"
    ".end{text-anchor:end}.mid{text-anchor:middle}.grid{stroke:var(--rule)}.line{fill:none;"
    "stroke-width:1.6}.key{font-weight:400;margin-left:.9rem;white-space:nowrap}.key:before{"
    "content:\"\";display:"
    "inline-block;width:.7rem;height:.7rem;border-radius:.15rem;margin-right:.3rem;background:"
    "currentColor}\n"
    ".s1{stroke:var(--c1);color:var(--c1)}.s2{stroke:var(--c2);color:var(--c2)}.s3{stroke:var(--c3)"
    ";"
    "color:var(--c3)}.s4{stroke:var(--c4);color:var(--c4)}.s5{stroke:var(--c5);color:var(--c5)}.bar"
    "{stroke:none;fill:currentColor}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%"
    ";"
    "font-variant-numeric:tabular-nums}th,td{padding:.3rem "
    ".6rem;text-align:right;border-bottom:1px "
    "solid var(--rule);white-space:nowrap}th:first-child,td:first-child,.text td,.text "
    "th{text-align:left}"
    ".text td{white-space:normal}th{color:var(--dim);font-weight:500}\n"
    /* On a phone the drawing shrinks to half its size, but its words must not. */
    "@media(max-width:40rem){svg{overflow:visible}svg text{font-size:19px}}\n"
    "</style>\n";

/* ---- the head ---- */

static void add_card(struct gw_buf *out, const char *label, const char *fmt, ...) GW_PRINTF(3, 4);
static void add_card(struct gw_buf *out, const char *label, const char *fmt, ...)
{
    va_list args;
    gw_buf_add(out, GW_STR("<div class=\"card\"><b>"));
    va_start(args, fmt);
    gw_buf_vprintf(out, fmt, args);
    va_end(args);
    gw_buf_printf(out, "</b><span class=\"dim\">%s</span></div>\n", label);
}

static void add_time_card(struct gw_buf *out, const char *label, const struct histogram *h,
                          double percent)
{
    char space[32];
    struct gw_buf text = gw_buf_over(space, sizeof(space));
    units_add_us(&text, (double)histogram_at(h, percent));
    add_card(out, label, "%.*s", GW_STR_ARG(gw_buf_str(&text)));
}

static void add_title(const struct report *r, struct gw_buf *out)
{
    const char *verdict = load_verdict_name(r->outcome->verdict);
    char started[DATE_ISO_LEN];
    const struct report_environment *e = r->environment;
    date_format_iso((int64_t)e->started_ms, started);
    gw_buf_add(out, GW_STR("<title>Load test: "));
    report_add_escaped(r->plan->name, out);
    gw_buf_add(out, GW_STR("</title></head><body>\n<h1>"));
    report_add_escaped(r->plan->name, out);
    gw_buf_printf(out, "</h1>\n<p><span class=\"badge %s\">%s</span> ", verdict, verdict);
    report_add_escaped(r->outcome->why, out);
    gw_buf_add(out, GW_STR("</p>\n<p class=\"dim\">"));
    report_add_escaped(gw_str(started, sizeof(started)), out);
    gw_buf_add(out, GW_STR(" · nearedge "));
    report_add_escaped(e->version, out);
    gw_buf_add(out, GW_STR(" · "));
    report_add_escaped(gw_str_z(e->host), out);
    gw_buf_add(out, GW_STR(" · "));
    report_add_escaped(gw_str_z(e->system), out);
    gw_buf_printf(out,
                  " · %u CPUs, load %.2f · generator %.1f s CPU, %" PRIu64 " MiB</p>\n<p><code>",
                  e->cpus, e->load_average, e->cpu_seconds, e->memory_bytes >> 20);
    report_add_escaped(e->command, out);
    gw_buf_add(out, GW_STR("</code></p>\n"));
}

static void add_cards(const struct report *r, struct gw_buf *out)
{
    const struct stats *s = &r->result->stats;
    const struct stats_group *g = &s->whole;
    double hits = report_hit_percent(g);
    gw_buf_add(out, GW_STR("<div class=\"cards\">\n"));
    add_card(out, "requests sent", "%" PRIu64, s->taken - s->dropped);
    if (report_rate(r) > 0)
        add_card(out, "a second", "%.4g", report_rate(r));
    add_time_card(out, "response p50", &g->response, 50);
    add_time_card(out, "response p99", &g->response, 99);
    add_time_card(out, "service p99", &g->service, 99);
    add_card(out, "refused with 429", "%" PRIu64, g->status[429 - STATS_STATUS_MIN]);
    add_card(out, "5xx and unanswered", "%" PRIu64,
             stats_status(g, 500, 599) + g->requests - g->answers);
    if (hits >= 0)
        add_card(out, "cache hits", "%.3g %%", hits);
    add_card(out, "late · dropped by the generator", "%" PRIu64 " · %" PRIu64, s->late, s->dropped);
    add_time_card(out, "generator lag p99", &s->lag, 99);
    gw_buf_add(out, GW_STR("</div>\n"));
}

/* ---- charts ---- */

static void label_seconds(double x, struct gw_buf *out)
{
    gw_buf_printf(out, "%.4g s", x);
}

/* 0, 1, 2, 3 are 0 %, 90 %, 99 %, 99.9 %: each step is a tenth of what is left. */
static void label_percentile(double x, struct gw_buf *out)
{
    gw_buf_printf(out, "%.6g %%", 100 * (1 - pow(10, -x)));
}

enum {
    COLUMN_P50,
    COLUMN_P90,
    COLUMN_P99,
    COLUMN_MAX,
    COLUMN_HITS,
    COLUMN_OK,
    COLUMN_LIMITED,
    COLUMN_CLIENT,
    COLUMN_SERVER,
    COLUMN_ERRORS,
    COLUMNS
};

struct columns {
    double x[BARS_MAX], values[COLUMNS][BARS_MAX];
    size_t count;
    bool any_cache;
};

/* Neighbours that share a bar: counts add up, of latencies the worst is shown. */
static void add_interval(struct columns *c, size_t at, const struct stats_interval *i)
{
    const double worst[] = {(double)i->p50_us, (double)i->p90_us, (double)i->p99_us,
                            (double)i->max_us};
    const double counts[] = {(double)i->ok, (double)i->limited, (double)i->client,
                             (double)i->server, (double)i->errors};
    for (size_t k = 0; k < GW_COUNT(worst); k++)
        c->values[COLUMN_P50 + k][at] = fmax(c->values[COLUMN_P50 + k][at], worst[k]);
    for (size_t k = 0; k < GW_COUNT(counts); k++)
        c->values[COLUMN_OK + k][at] += counts[k];
    if (i->cache_answers) {
        c->values[COLUMN_HITS][at] = 100.0 * (double)i->cache_hits / (double)i->cache_answers;
        c->any_cache = true;
    }
}

static void collect(const struct stats *s, struct columns *c)
{
    size_t share = (s->interval_count + BARS_MAX - 1) / BARS_MAX;
    for (size_t i = 0; i < s->interval_count; i++) {
        c->x[i / share] = s->intervals[i / share * share].start_s;
        add_interval(c, i / share, &s->intervals[i]);
        c->count = i / share + 1;
    }
}

static void add_over_time(const struct report *r, struct gw_buf *out)
{
    struct columns *c = gw_zalloc(sizeof(*c));
    collect(&r->result->stats, c);
    const struct chart_series latencies[] = {{"p50", "s1", c->values[COLUMN_P50]},
                                             {"p90", "s2", c->values[COLUMN_P90]},
                                             {"p99", "s3", c->values[COLUMN_P99]},
                                             {"max", "s4", c->values[COLUMN_MAX]}};
    const struct chart_series statuses[] = {{"1xx–3xx", "s2", c->values[COLUMN_OK]},
                                            {"429", "s3", c->values[COLUMN_LIMITED]},
                                            {"other 4xx", "s1", c->values[COLUMN_CLIENT]},
                                            {"5xx", "s4", c->values[COLUMN_SERVER]},
                                            {"unanswered", "s5", c->values[COLUMN_ERRORS]}};
    const struct chart_series hits[] = {{"HIT", "s1", c->values[COLUMN_HITS]}};
    struct chart chart = {"Response time", CHART_TIME,          c->x,         c->count,
                          latencies,       GW_COUNT(latencies), label_seconds};
    chart_lines(&chart, out);
    chart = (struct chart){"Answers", CHART_COUNT,        c->x,         c->count,
                           statuses,  GW_COUNT(statuses), label_seconds};
    chart_stack(&chart, out);
    chart = (struct chart){"Cache hits, percent of answers with a cache status",
                           CHART_PERCENT,
                           c->x,
                           c->count,
                           hits,
                           1,
                           label_seconds};
    if (c->any_cache)
        chart_lines(&chart, out);
    free(c);
}

static void add_curve(const struct report *r, struct gw_buf *out)
{
    const struct stats_group *g = &r->result->stats.whole;
    double x[CURVE_POINTS], response[CURVE_POINTS], service[CURVE_POINTS];
    double end = fmin(6, fmax(1, log10((double)g->response.total + 1)));
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        x[i] = end * (double)i / (CURVE_POINTS - 1);
        double percent = 100 * (1 - pow(10, -x[i]));
        response[i] = (double)histogram_at(&g->response, percent);
        service[i] = (double)histogram_at(&g->service, percent);
    }
    const struct chart_series series[] = {{"response time", "s1", response},
                                          {"service time", "s2", service}};
    const struct chart chart = {"Percentiles",   CHART_TIME, x, CURVE_POINTS, series, 2,
                                label_percentile};
    if (g->response.total)
        chart_lines(&chart, out);
}

/* ---- tables ---- */

static void add_items(const struct report *r, struct gw_buf *out)
{
    static const char *const classes[] = {
        [EXPECT_HELD] = "held", [EXPECT_FAILED] = "failed", [EXPECT_UNKNOWN] = "unknown"};
    if (!r->outcome->count)
        return;
    gw_buf_add(out, GW_STR("<h2>Expectations</h2><div class=\"wide\"><table class=\"text\">"
                           "<tr><th></th><th>expected</th><th>seen</th><th>where</th></tr>\n"));
    for (size_t i = 0; i < r->outcome->count; i++) {
        const struct outcome_item *item = &r->outcome->items[i];
        gw_buf_printf(out, "<tr><td class=\"%s\">%s</td><td><code>", classes[item->outcome],
                      classes[item->outcome]);
        report_add_escaped(item->text, out);
        gw_buf_add(out, GW_STR("</code></td><td>"));
        report_add_escaped(item->seen, out);
        gw_buf_add(out, GW_STR("</td><td class=\"dim\">"));
        report_add_escaped(
            item->phase == EXPECT_NONE ? GW_STR("all") : r->plan->phases[item->phase].name, out);
        gw_buf_add(out, GW_STR("</td></tr>\n"));
    }
    gw_buf_add(out, GW_STR("</table></div>\n"));
}

static void add_group_row(struct gw_str name, const struct stats_group *g, struct gw_buf *out)
{
    static const double columns[] = {50, 99, 100};
    gw_buf_add(out, GW_STR("<tr><td>"));
    report_add_escaped(name, out);
    gw_buf_printf(out, "</td><td>%" PRIu64 "</td>", g->requests);
    for (size_t i = 0; i < GW_COUNT(columns); i++) {
        gw_buf_add(out, GW_STR("<td>"));
        units_add_us(out, (double)histogram_at(&g->response, columns[i]));
        gw_buf_add(out, GW_STR("</td>"));
    }
    gw_buf_add(out, GW_STR("<td>"));
    report_add_answers(g, out);
    gw_buf_add(out, GW_STR("</td><td>"));
    report_add_refusals(g, out);
    if (g->first_429)
        gw_buf_printf(out, ", first as %" PRIu64, g->first_429);
    gw_buf_add(out, GW_STR("</td></tr>\n"));
}

static void begin_groups(struct gw_buf *out, const char *title)
{
    gw_buf_printf(out,
                  "<h2>%s</h2><div class=\"wide\"><table><tr><th></th><th>requests</th><th>p50</th>"
                  "<th>p99</th><th>max</th><th>answers</th><th>429 by</th></tr>\n",
                  title);
}

static void add_groups(const struct report *r, struct gw_buf *out)
{
    begin_groups(out, "Requests and who refused them");
    for (size_t i = 0; i < r->plan->request_count && i < REPORT_ROWS_MAX; i++)
        if (r->result->stats.requests[i].requests)
            add_group_row(r->plan->requests[i].name, &r->result->stats.requests[i], out);
    gw_buf_add(out, GW_STR("</table></div>\n"));
    begin_groups(out, "Phases");
    for (size_t i = 0; i < r->plan->phase_count && i < REPORT_ROWS_MAX; i++)
        add_group_row(r->plan->phases[i].name, &r->result->stats.phases[i], out);
    gw_buf_add(out, GW_STR("</table></div>\n"));
}

static void add_identities(const struct report *r, struct gw_buf *out)
{
    uint32_t rows[REPORT_ROWS_MAX];
    size_t all, count = report_identities(r, rows, &all);
    gw_buf_printf(out,
                  "<h2>Identities</h2><p class=\"dim\">%zu of %" PRIu32 " sent something%s.</p>"
                  "<div class=\"wide\"><table><tr><th></th><th>requests</th><th>1xx–3xx</th>"
                  "<th>429</th><th>other</th></tr>\n",
                  all, r->plan->identities, all > count ? "; those with most requests" : "");
    for (size_t i = 0; i < count; i++) {
        const struct stats_identity *t = &r->result->stats.identities[rows[i]];
        gw_buf_add(out, GW_STR("<tr><td>"));
        report_add_identity(r->plan, rows[i], out);
        gw_buf_printf(out, "</td><td>%u</td><td>%u</td><td>%u</td><td>%u</td></tr>\n", t->requests,
                      t->ok, t->limited, t->other);
    }
    gw_buf_add(out, GW_STR("</table></div>\n"));
}

static void add_notes(const struct report *r, struct gw_buf *out)
{
    if (!r->plan->note_count)
        return;
    gw_buf_add(out, GW_STR("<h2>Notes</h2><ul>\n"));
    for (size_t i = 0; i < r->plan->note_count; i++) {
        gw_buf_add(out, GW_STR("<li>"));
        report_add_escaped(r->plan->notes[i], out);
        gw_buf_add(out, GW_STR("</li>\n"));
    }
    gw_buf_add(out, GW_STR("</ul>\n"));
}

void report_html(const struct report *r, struct gw_buf *out)
{
    gw_buf_add(out, gw_str(page_head, sizeof(page_head) - 1));
    add_title(r, out);
    add_cards(r, out);
    add_items(r, out);
    gw_buf_add(out, GW_STR("<h2>Over time</h2>\n"));
    add_over_time(r, out);
    add_curve(r, out);
    gw_buf_add(out, GW_STR("<p class=\"dim\">Response time counts from when a request was due, "
                           "service time from when it was sent.</p>\n"));
    matrix_html(r->matrix, out);
    add_groups(r, out);
    add_identities(r, out);
    add_notes(r, out);
    gw_buf_add(out, GW_STR("</body></html>\n"));
}
