/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit's XML as CI servers read it: one test case an expectation. Markdown for the summary page of
 * a CI run. */
#include <inttypes.h>

#include "bench/load/report_parts.h"
#include "bench/load/units.h"

static struct gw_str scope_name(const struct report *r, const struct outcome_item *item)
{
    return item->phase == EXPECT_NONE ? r->plan->name : r->plan->phases[item->phase].name;
}

static void add_case(const struct report *r, const struct outcome_item *item, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("    <testcase classname=\""));
    report_add_escaped(scope_name(r, item), out);
    gw_buf_add(out, GW_STR("\" name=\""));
    report_add_escaped(item->text, out);
    gw_buf_add(out, GW_STR("\""));
    if (item->outcome == EXPECT_HELD) {
        gw_buf_add(out, GW_STR("/>\n"));
        return;
    }
    gw_buf_add(out, item->outcome == EXPECT_FAILED ? GW_STR("><failure message=\"")
                                                   : GW_STR("><error message=\""));
    report_add_escaped(item->seen, out);
    gw_buf_add(out, GW_STR("\"/></testcase>\n"));
}

/* A run that proves nothing must not look green, however its expectations came out. */
static void add_generator_case(const struct report *r, struct gw_buf *out)
{
    bool fine = r->outcome->verdict != LOAD_INCONCLUSIVE && !r->result->interrupted;
    gw_buf_add(out, GW_STR("    <testcase classname=\"generator\" name=\"the run is conclusive\""));
    if (fine) {
        gw_buf_add(out, GW_STR("/>\n"));
        return;
    }
    gw_buf_add(out, GW_STR("><error message=\""));
    gw_buf_printf(out, "%s ", load_verdict_name(r->outcome->verdict));
    report_add_escaped(r->outcome->why, out);
    gw_buf_add(out, GW_STR("\"/></testcase>\n"));
}

void report_junit(const struct report *r, struct gw_buf *out)
{
    size_t errors = r->outcome->verdict == LOAD_INCONCLUSIVE || r->result->interrupted;
    for (size_t i = 0; i < r->outcome->count; i++)
        errors += r->outcome->items[i].outcome == EXPECT_UNKNOWN;
    gw_buf_add(out, GW_STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                           "  <testsuite name=\""));
    report_add_escaped(r->plan->name, out);
    gw_buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n",
                  r->outcome->count + 1, r->outcome->failed, errors,
                  (double)r->result->duration_us / 1e6);
    for (size_t i = 0; i < r->outcome->count; i++)
        add_case(r, &r->outcome->items[i], out);
    add_generator_case(r, out);
    gw_buf_add(out, GW_STR("  </testsuite>\n</testsuites>\n"));
}

/* ---- Markdown ---- */

/* A bar would begin the next cell. */
static void add_cell(struct gw_str text, struct gw_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|' || text.ptr[i] == '`')
            gw_buf_char(out, '\\');
        gw_buf_char(out, text.ptr[i]);
    }
}

static void add_times_row(const char *label, const struct histogram *h, struct gw_buf *out)
{
    static const double columns[] = {50, 90, 99, 99.9, 100};
    gw_buf_printf(out, "| %s |", label);
    for (size_t i = 0; i < GW_COUNT(columns); i++) {
        gw_buf_char(out, ' ');
        units_add_us(out, (double)histogram_at(h, columns[i]));
        gw_buf_add(out, GW_STR(" |"));
    }
    gw_buf_char(out, '\n');
}

void report_markdown(const struct report *r, struct gw_buf *out)
{
    static const char *const marks[] = {
        [EXPECT_HELD] = "✅", [EXPECT_FAILED] = "❌", [EXPECT_UNKNOWN] = "❔"};
    const struct stats *s = &r->result->stats;
    gw_buf_add(out, GW_STR("### Load test "));
    add_cell(r->plan->name, out);
    gw_buf_printf(out, ": %s", load_verdict_name(r->outcome->verdict));
    if (r->outcome->why.len)
        gw_buf_printf(out, " (%.*s)", GW_STR_ARG(r->outcome->why));
    gw_buf_printf(out, "\n\n%" PRIu64 " requests, ", s->taken - s->dropped);
    units_add_rate(out, report_rate(r));
    gw_buf_add(out, GW_STR(": "));
    report_add_answers(&s->whole, out);
    gw_buf_printf(out,
                  ". Generator: %" PRIu64 " late, %" PRIu64 " dropped.\n\n"
                  "| | p50 | p90 | p99 | p99.9 | max |\n|---|---:|---:|---:|---:|---:|\n",
                  s->late, s->dropped);
    add_times_row("response time", &s->whole.response, out);
    add_times_row("service time", &s->whole.service, out);
    if (r->outcome->count)
        gw_buf_add(out, GW_STR("\n| | where | expected | seen |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < r->outcome->count; i++) {
        const struct outcome_item *item = &r->outcome->items[i];
        gw_buf_printf(out, "| %s | ", marks[item->outcome]);
        add_cell(scope_name(r, item), out);
        gw_buf_add(out, GW_STR(" | "));
        add_cell(item->text, out);
        gw_buf_add(out, GW_STR(" | "));
        add_cell(item->seen, out);
        gw_buf_add(out, GW_STR(" |\n"));
    }
    for (size_t i = 0; i < r->plan->note_count; i++) {
        gw_buf_add(out, i ? GW_STR("- ") : GW_STR("\n- "));
        gw_buf_printf(out, "%.*s\n", GW_STR_ARG(r->plan->notes[i]));
    }
}
