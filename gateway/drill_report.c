/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/drill_report.h"

#include "bench/load/units.h"
#include "gateway/base/json_out.h"

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
    if (us == UINT64_MAX) {
        gw_json_null(out, name);
        return;
    }
    gw_json_name(out, name);
    gw_buf_printf(out, "%llu.%03llu", (unsigned long long)(us / 1000),
                  (unsigned long long)(us % 1000));
}

void drill_json(const struct drill_options *options, const struct drill_result *r,
                struct gw_buf *out)
{
    gw_json_object(out, NULL);
    gw_json_text(out, "drill", gw_str_z(options->kind->name));
    gw_json_bool(out, "recovered", r->recovered);
    for (size_t i = 0; i < GW_COUNT(phase_names); i++) {
        gw_json_object(out, phase_names[i]);
        gw_json_u64(out, "requests", r->phases[i].requests);
        gw_json_u64(out, "failed", r->phases[i].failed);
        gw_json_u64(out, "slow", r->phases[i].slow);
        gw_json_u64(out, "stale", r->phases[i].stale);
        gw_buf_char(out, '}');
    }
    gw_json_u64(out, "injected", r->injected);
    gw_json_object(out, "statuses");
    for (size_t i = 0; i < GW_COUNT(r->statuses); i++) {
        char status[24];
        snprintf(status, sizeof(status), "%zu", i);
        if (r->statuses[i])
            gw_json_u64(out, status, r->statuses[i]);
    }
    gw_buf_char(out, '}');
    add_ms(out, "first_failed_ms", r->first_failed_us);
    add_ms(out, "first_stale_ms", r->first_stale_us);
    add_ms(out, "first_ejected_ms", r->first_ejected_us);
    add_ms(out, "recovered_ms", r->recovered ? r->recovered_us : UINT64_MAX);
    gw_buf_add(out, GW_STR("}\n"));
}
