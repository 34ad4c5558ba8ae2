/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "bench/load/matrix.h"
#include "bench/load/report_parts.h"
#include "bench/load/units.h"

static void line(struct gw_buf *out, const char *label)
{
    gw_buf_printf(out, "%-14s ", label);
}

static void add_latencies(const char *label, const struct histogram *h, struct gw_buf *out)
{
    char space[32];
    line(out, label);
    if (!h->total) {
        gw_buf_add(out, GW_STR("no answer\n"));
        return;
    }
    const double columns[] = {50, 90, 95, 99, 99.9, 100};
    for (size_t i = 0; i < GW_COUNT(columns) + 1; i++) {
        struct gw_buf cell = gw_buf_over(space, sizeof(space));
        units_add_us(&cell, i ? (double)histogram_at(h, columns[i - 1]) : histogram_mean(h));
        /* "µ" is two bytes and one column wide */
        int pad = gw_str_find(gw_buf_str(&cell), GW_STR("µ")) == GW_NPOS ? 10 : 11;
        gw_buf_printf(out, "%*.*s", pad, GW_STR_ARG(gw_buf_str(&cell)));
    }
    gw_buf_char(out, '\n');
}

static void add_sent(const struct report *r, struct gw_buf *out)
{
    const struct stats *s = &r->result->stats;
    line(out, "sent");
    units_add_count(out, s->taken - s->dropped);
    gw_buf_printf(out, " requests in ");
    units_add_us(out, (double)r->result->duration_us);
    gw_buf_add(out, GW_STR(" ("));
    if (report_rate(r) > 0) {
        units_add_rate(out, report_rate(r));
        gw_buf_add(out, GW_STR(", "));
    }
    if (r->plan->identities > 1)
        gw_buf_printf(out, "%" PRIu32 " identities, ", r->plan->identities);
    gw_buf_printf(out, "%" PRIu32 " connection%s)\n", r->result->lanes.most,
                  r->result->lanes.most == 1 ? "" : "s");
}

/* Whether the generator kept up: always said, whatever came out. */
static void add_generator(const struct report *r, struct gw_buf *out)
{
    const struct stats *s = &r->result->stats;
    line(out, "generator");
    gw_buf_printf(out, "%" PRIu64 " late, %" PRIu64 " dropped, lag p50 ", s->late, s->dropped);
    units_add_us(out, (double)histogram_at(&s->lag, 50));
    gw_buf_add(out, GW_STR(" p99 "));
    units_add_us(out, (double)histogram_at(&s->lag, 99));
    gw_buf_add(out, GW_STR(" max "));
    units_add_us(out, (double)s->lag.max_us);
    gw_buf_printf(out, ", schedule error %.2g%%\n", stats_schedule_error(s));
    if (!r->result->lanes.waited)
        return;
    line(out, "");
    gw_buf_printf(
        out, "%" PRIu64 " waited for one of %" PRIu32 " connections: their response times say so\n",
        r->result->lanes.waited, r->plan->connections);
}

static void add_group(const char *label, const struct stats_group *g, struct gw_buf *out)
{
    line(out, label);
    report_add_answers(g, out);
    if (!g->requests)
        gw_buf_add(out, GW_STR("nothing"));
    gw_buf_char(out, '\n');
}

static void add_requests(const struct report *r, struct gw_buf *out)
{
    const struct load_plan *p = r->plan;
    char label[40];
    for (size_t i = 0; p->request_count > 1 && i < p->request_count; i++) {
        const struct stats_group *g = &r->result->stats.requests[i];
        if (!g->requests)
            continue;
        snprintf(label, sizeof(label), "  %.*s", GW_STR_ARG(p->requests[i].name));
        add_group(label, g, out);
    }
    for (size_t i = 0; p->phase_count > 1 && i < p->phase_count; i++) {
        snprintf(label, sizeof(label), "[%.*s]", GW_STR_ARG(p->phases[i].name));
        add_group(label, &r->result->stats.phases[i], out);
    }
}

static void add_details(const struct report *r, struct gw_buf *out)
{
    const struct stats_group *g = &r->result->stats.whole;
    double hits = report_hit_percent(g);
    if (hits >= 0) {
        line(out, "cache");
        report_add_cache(g, out);
        gw_buf_printf(out, " (%.3g%% hits)\n", hits);
    }
    if (g->first_429) {
        line(out, "refused by");
        report_add_refusals(g, out);
        gw_buf_printf(out, ", first as request %" PRIu64 "\n", g->first_429);
    }
}

static void add_items(const struct report *r, struct gw_buf *out, bool color)
{
    static const struct {
        const char *mark, *color;
    } marks[] = {[EXPECT_HELD] = {"ok", "\x1b[32m"},
                 [EXPECT_FAILED] = {"FAILED", "\x1b[31m"},
                 [EXPECT_UNKNOWN] = {"unknown", "\x1b[33m"}};
    for (size_t i = 0; i < r->outcome->count; i++) {
        const struct outcome_item *item = &r->outcome->items[i];
        gw_buf_printf(out, "  %s%-8s%s", color ? marks[item->outcome].color : "",
                      marks[item->outcome].mark, color ? "\x1b[0m" : "");
        if (item->phase != EXPECT_NONE)
            gw_buf_printf(out, "[%.*s] ", GW_STR_ARG(r->plan->phases[item->phase].name));
        gw_buf_printf(out, "%.*s: %.*s\n", GW_STR_ARG(item->text), GW_STR_ARG(item->seen));
    }
}

void report_terminal(const struct report *r, struct gw_buf *out, bool color)
{
    const struct outcome *o = r->outcome;
    add_sent(r, out);
    add_generator(r, out);
    gw_buf_printf(out, "%-15s%10s%10s%10s%10s%10s%10s%10s\n", "", "mean", "p50", "p90", "p95",
                  "p99", "p99.9", "max");
    add_latencies("response time", &r->result->stats.whole.response, out);
    add_latencies("service time", &r->result->stats.whole.service, out);
    add_group("answers", &r->result->stats.whole, out);
    add_requests(r, out);
    add_details(r, out);
    for (size_t i = 0; i < r->plan->note_count; i++)
        gw_buf_printf(out, "note           %.*s\n", GW_STR_ARG(r->plan->notes[i]));
    add_items(r, out, color);
    matrix_text(r->matrix, false, out);
    if (r->result->left_under_way)
        gw_buf_printf(out, "%" PRIu64 " requests were still under way\n",
                      r->result->left_under_way);
    gw_buf_add(out, gw_str_z(load_verdict_name(o->verdict)));
    if (o->why.len)
        gw_buf_printf(out, ": %.*s", GW_STR_ARG(o->why));
    else if (o->verdict == LOAD_FAILED)
        gw_buf_printf(out, ": %zu of %zu expectations", o->failed, o->count);
    gw_buf_char(out, '\n');
}
