/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/drill_report.h"

#include "bench/load/units.h"

static const char *const phase_names[] = {"before", "fault", "after"};

static void add_count(struct gw_buf *out, const struct drill_count *count)
{
    gw_buf_printf(out, "%llu requests, %llu failed", (unsigned long long)count->requests,
                  (unsigned long long)count->failed);
    if (count->slow)
        gw_buf_printf(out, ", %llu slow", (unsigned long long)count->slow);
    if (count->stale)
        gw_buf_printf(out, ", %llu stale", (unsigned long long)count->stale);
}

static void add_statuses(struct gw_buf *out, const struct drill_result *r)
{
    const char *separator = " (";
    for (size_t i = 0; i < GW_COUNT(r->statuses); i++) {
        if (!r->statuses[i])
            continue;
        if (i)
            gw_buf_printf(out, "%s%zu: %llu", separator, i, (unsigned long long)r->statuses[i]);
        else
            gw_buf_printf(out, "%sno answer: %llu", separator, (unsigned long long)r->statuses[0]);
        separator = ", ";
    }
    if (separator[0] == ',')
        gw_buf_char(out, ')');
}

static void add_instant(struct gw_buf *out, const char *what, uint64_t us, const char **separator)
{
    if (us == UINT64_MAX)
        return;
    gw_buf_printf(out, "%s%s after ", *separator, what);
    units_add_us(out, (double)us);
    *separator = ", ";
}

static void add_detected(struct gw_buf *out, const struct drill_options *options,
                         const struct drill_result *r)
{
    const char *separator = "";
    gw_buf_add(out, GW_STR("  detected   "));
    add_instant(out, options->kind->slow_us ? "first slow answer" : "first failure",
                r->first_failed_us, &separator);
    add_instant(out, "first stale answer", r->first_stale_us, &separator);
    add_instant(out, "a server out", r->first_ejected_us, &separator);
    if (!separator[0])
        gw_buf_add(out, r->injected ? GW_STR("by nobody: visitors noticed nothing")
                                    : GW_STR("by nobody: no request met the fault"));
    gw_buf_char(out, '\n');
}

void drill_text(const struct drill_options *options, const struct drill_result *r,
                struct gw_buf *out)
{
    gw_buf_printf(out, "drill %s: %s\n", options->kind->name, options->kind->summary);
    for (size_t i = 0; i < GW_COUNT(phase_names); i++) {
        gw_buf_printf(out, "  %-10s ", phase_names[i]);
        add_count(out, &r->phases[i]);
        if (i == DRILL_FAULT)
            add_statuses(out, r);
        gw_buf_char(out, '\n');
    }
    add_detected(out, options, r);
    gw_buf_add(out, GW_STR("  recovered  "));
    if (r->recovered) {
        gw_buf_add(out, GW_STR("after "));
        units_add_us(out, (double)r->recovered_us);
        gw_buf_char(out, '\n');
        return;
    }
    gw_buf_add(out, GW_STR("NOT within "));
    units_add_us(out, (double)options->recover_us);
    gw_buf_char(out, '\n');
}

/* Milliseconds with three decimals, or null. */
static void add_ms(struct gw_buf *out, const char *name, uint64_t us)
{
    if (us == UINT64_MAX)
        gw_buf_printf(out, ",\"%s\":null", name);
    else
        gw_buf_printf(out, ",\"%s\":%llu.%03llu", name, (unsigned long long)(us / 1000),
                      (unsigned long long)(us % 1000));
}

void drill_json(const struct drill_options *options, const struct drill_result *r,
                struct gw_buf *out)
{
    gw_buf_printf(out, "{\"drill\":\"%s\",\"recovered\":%s", options->kind->name,
                  r->recovered ? "true" : "false");
    for (size_t i = 0; i < GW_COUNT(phase_names); i++)
        gw_buf_printf(
            out, ",\"%s\":{\"requests\":%llu,\"failed\":%llu,\"slow\":%llu,\"stale\":%llu}",
            phase_names[i], (unsigned long long)r->phases[i].requests,
            (unsigned long long)r->phases[i].failed, (unsigned long long)r->phases[i].slow,
            (unsigned long long)r->phases[i].stale);
    gw_buf_printf(out, ",\"injected\":%llu,\"statuses\":{", (unsigned long long)r->injected);
    const char *separator = "";
    for (size_t i = 0; i < GW_COUNT(r->statuses); i++) {
        if (!r->statuses[i])
            continue;
        gw_buf_printf(out, "%s\"%zu\":%llu", separator, i, (unsigned long long)r->statuses[i]);
        separator = ",";
    }
    gw_buf_char(out, '}');
    add_ms(out, "first_failed_ms", r->first_failed_us);
    add_ms(out, "first_stale_ms", r->first_stale_us);
    add_ms(out, "first_ejected_ms", r->first_ejected_us);
    add_ms(out, "recovered_ms", r->recovered ? r->recovered_us : UINT64_MAX);
    gw_buf_add(out, GW_STR("}\n"));
}
