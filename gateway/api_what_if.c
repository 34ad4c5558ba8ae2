/* SPDX-License-Identifier: Apache-2.0 */
/* POST …/phases/:phase/entrypoint/what-if: the body of a PUT of that entry point, checked and
 * compiled like one, and then tried on the recorded requests of the zone instead of being put to
 * use. An addition to Cloudflare's API, whose dry_run only checks. */
#include "gateway/api_rulesets.h"
#include "gateway/hindsight.h"
#include "gateway/server.h"

/* Keeps the records of this zone, gives the others back. */
static size_t keep_zone(struct record **records, size_t count, struct gw_str zone)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(records[i]->zone, zone))
            records[kept++] = records[i];
        else
            record_unref(records[i]);
    }
    return kept;
}

/* The snapshot serves nobody: its rules get labels of metrics that are thrown away with it, or
 * trying often enough would leave none for rules that count. */
static void compare(struct api_write *w)
{
    struct metrics *unused = metrics_new(1, GW_STR_EMPTY);
    struct record **records = gw_alloc(sizeof(*records) * RECORDER_MAX);
    struct server *s = w->server;
    uint64_t missed;
    size_t count = recorder_list(&s->recorder, 1, records, RECORDER_MAX, &missed);
    count = keep_zone(records, count, w->zone->config->id);
    struct snapshot *next = snapshot_derive(s->snapshot, &w->change, unused);
    gw_buf_clear(&w->call.out);
    api_begin(&w->call.out);
    hindsight_compare(s->snapshot, next, records, count, w->now, &w->call.out);
    api_end_with(&w->call.out, w->messages, GW_STR_EMPTY);
    snapshot_unref(next);
    metrics_free(unused);
    for (size_t i = 0; i < count; i++)
        record_unref(records[i]);
    free(records);
}

/* "False" to the machinery of writes, whatever came out: nothing is kept. */
static bool what_if(struct api_write *w)
{
    if (api_replace_entrypoint(w))
        compare(w);
    return false;
}

enum admin_result api_what_if(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, what_if);
}
