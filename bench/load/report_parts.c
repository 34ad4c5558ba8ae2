/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/report_parts.h"

#include <inttypes.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gateway/base/process.h"

const double report_percents[] = {50, 75, 90, 95, 99, 99.9, 99.99};
const size_t report_percent_count = GW_COUNT(report_percents);

void report_environment_read(struct report_environment *e)
{
    struct utsname u;
    double load[1] = {0};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct gw_process self = gw_process_read();
    if (uname(&u) == 0) {
        snprintf(e->host, sizeof(e->host), "%.60s", u.nodename);
        snprintf(e->system, sizeof(e->system), "%.60s %.60s %.60s", u.sysname, u.release,
                 u.machine);
    }
    e->cpus = cpus > 0 ? (unsigned)cpus : 1;
    if (getloadavg(load, 1) == 1)
        e->load_average = load[0];
    e->memory_bytes = self.resident_bytes;
    e->cpu_seconds = self.cpu_seconds;
}

static void add_times(struct gw_buf *out, size_t start, const char *what, uint64_t count)
{
    if (!count)
        return;
    if (out->len > start)
        gw_buf_add(out, GW_STR(", "));
    gw_buf_printf(out, "%s × %" PRIu64, what, count);
}

void report_add_answers(const struct stats_group *g, struct gw_buf *out)
{
    size_t start = out->len;
    char code[8];
    for (unsigned i = STATS_STATUS_MIN; i <= STATS_STATUS_MAX; i++) {
        snprintf(code, sizeof(code), "%u", i);
        add_times(out, start, code, g->status[i - STATS_STATUS_MIN]);
    }
    for (unsigned i = 1; i < LOAD_ERROR_COUNT; i++)
        add_times(out, start, load_error_name((enum load_error)i), g->errors[i]);
}

void report_add_cache(const struct stats_group *g, struct gw_buf *out)
{
    size_t start = out->len;
    for (unsigned i = 1; i < LOAD_CACHE_COUNT; i++)
        add_times(out, start, load_cache_name((enum load_cache)i).ptr, g->cache[i]);
}

void report_add_refusals(const struct stats_group *g, struct gw_buf *out)
{
    size_t start = out->len;
    for (unsigned i = 1; i < LOAD_REFUSAL_COUNT; i++)
        add_times(out, start, load_refusal_name((enum load_refusal)i), g->refusals[i]);
}

/* An insertion into a short sorted list: a million identities are looked at once. */
size_t report_identities(const struct report *r, uint32_t rows[REPORT_ROWS_MAX], size_t *all)
{
    const struct stats_identity *tally = r->result->stats.identities;
    size_t count = 0;
    *all = 0;
    for (uint32_t i = 0; i < r->plan->identities; i++) {
        if (!tally[i].requests)
            continue;
        ++*all;
        if (count == REPORT_ROWS_MAX && tally[i].requests <= tally[rows[count - 1]].requests)
            continue;
        size_t at = count < REPORT_ROWS_MAX ? count++ : count - 1;
        for (; at && tally[rows[at - 1]].requests < tally[i].requests; at--)
            rows[at] = rows[at - 1];
        rows[at] = i;
    }
    return count;
}

void report_add_identity(const struct load_plan *plan, uint32_t identity, struct gw_buf *out)
{
    char text[GW_IP_TEXT_MAX];
    const struct identity_group *g = load_plan_group(plan, identity);
    size_t len = identity_address(g, identity - g->first, text);
    if (len)
        gw_buf_add(out, gw_str(text, len));
    else
        gw_buf_printf(out, "#%" PRIu32, identity);
}

double report_rate(const struct report *r)
{
    double seconds = 0;
    for (size_t i = 0; i < r->plan->phase_count; i++)
        seconds += r->result->phase_seconds[i];
    return seconds > 0 ? (double)r->result->stats.taken / seconds : 0;
}

double report_hit_percent(const struct stats_group *g)
{
    uint64_t all = 0;
    for (unsigned i = 1; i < LOAD_CACHE_COUNT; i++)
        all += g->cache[i];
    return all ? 100.0 * (double)g->cache[LOAD_CACHE_HIT] / (double)all : -1;
}

/* For HTML and XML, in text and between double quotes. XML 1.0 section 2.2 knows no control bytes
 * but tab and line ends, not even escaped. */
void report_add_escaped(struct gw_str text, struct gw_buf *out)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    for (size_t i = 0; i < text.len; i++) {
        size_t e = 0;
        unsigned char c = (unsigned char)text.ptr[i];
        while (e < GW_COUNT(entities) && entities[e].c != text.ptr[i])
            e++;
        if (e < GW_COUNT(entities))
            gw_buf_add(out, gw_str_z(entities[e].entity));
        else
            gw_buf_char(out, c < 0x20 && c != '\t' && c != '\n' ? '?' : (char)c);
    }
}
