/* SPDX-License-Identifier: Apache-2.0 */
/* What the recorder holds: GET /api/requests (lines), /api/requests/:ray (one, with what the edge
 * would do with it now), /api/requests.har (all, for other tools), POST /api/requests/:ray/replay.
 * Asking switches recording on (recorder.h). */
#include "gateway/admin_route.h"
#include "gateway/base/json_out.h"
#include "gateway/exchange.h"
#include "gateway/explain_view.h"
#include "gateway/har.h"
#include "gateway/hindsight.h"
#include "gateway/replay.h"
#include "gateway/server.h"

static struct recorder *look(struct admin_call *call)
{
    struct recorder *recorder = &call->server->recorder;
    recorder_look(recorder, gw_loop_real_ms(call->worker->loop));
    return recorder;
}

/* The newest `limit` records; the caller gives them back. */
static size_t take_newest(struct recorder *recorder, struct record **out, size_t limit)
{
    uint64_t missed, next = recorder_next(recorder);
    return recorder_list(recorder, next > limit ? next - limit : 1, out, limit, &missed);
}

static void give_back(struct record **records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_unref(records[i]);
}

static bool read_limit(struct admin_call *call, uint64_t *limit)
{
    struct gw_str text;
    *limit = RECORDER_MAX;
    if (!admin_query(call, GW_STR("limit"), &text) ||
        (gw_str_u64(text, RECORDER_MAX, limit) && *limit > 0))
        return true;
    admin_fail(call, 400, "\"limit\" is a number from 1 to %d", RECORDER_MAX);
    return false;
}

enum admin_result admin_requests(struct admin_call *call)
{
    struct record *records[RECORDER_MAX];
    uint64_t limit;
    if (!read_limit(call, &limit))
        return ADMIN_DONE;
    struct recorder *recorder = look(call);
    size_t count = take_newest(recorder, records, limit);
    gw_buf_printf(&call->out, "{\"next\":%llu,\"requests\":[",
                  (unsigned long long)recorder_next(recorder));
    for (size_t i = 0; i < count; i++) {
        gw_json_next(&call->out);
        gw_buf_add(&call->out, records[i]->line);
    }
    gw_buf_add(&call->out, GW_STR("]}\n"));
    give_back(records, count);
    return ADMIN_DONE;
}

enum admin_result admin_har(struct admin_call *call)
{
    struct record *records[RECORDER_MAX];
    uint64_t limit;
    if (!read_limit(call, &limit))
        return ADMIN_DONE;
    size_t count = take_newest(look(call), records, limit);
    har_write(records, count, &call->out);
    gw_buf_add(&call->lines,
               GW_STR("Content-Disposition: attachment; filename=\"nearedge.har\"\r\n"));
    give_back(records, count);
    return ADMIN_DONE;
}

/* ---- one request ---- */

/* A reference, or NULL after the answer. */
static struct record *find(struct admin_call *call)
{
    struct gw_str ray = admin_path_segment(call->path, 2);
    struct record *r = recorder_find(look(call), ray);
    if (!r)
        admin_fail(call, 404, "no recorded request has the Ray id \"%.*s\"; the newest %d are kept",
                   (int)gw_min_size(ray.len, 40), ray.ptr, RECORDER_MAX);
    return r;
}

static void add_field(const struct record *r, struct gw_str name, struct gw_str value,
                      struct gw_buf *out)
{
    gw_json_list(out, NULL);
    gw_json_text(out, NULL, name);
    gw_json_next(out);
    record_shown_value(r, name, value, out);
    gw_buf_char(out, ']');
}

static void add_request_fields(const struct record *r, struct gw_buf *out)
{
    gw_json_list(out, "request_headers");
    for (size_t i = 0; i < r->request.count; i++)
        add_field(r, r->request.items[i].name, r->request.items[i].value, out);
    gw_buf_char(out, ']');
}

static void add_response_fields(const struct record *r, struct gw_buf *out)
{
    struct gw_str rest = r->response, name, value;
    gw_json_list(out, "response_headers");
    while (record_next_line(&rest, &name, &value))
        add_field(r, name, value, out);
    gw_buf_char(out, ']');
}

static void add_limiter(const struct record *r, struct gw_buf *out)
{
    if (!r->reset_at_ms) {
        gw_json_null(out, "limiter");
        return;
    }
    gw_json_object(out, "limiter");
    gw_json_u64(out, "limit", r->limit);
    gw_json_u64(out, "count", r->count);
    gw_json_u64(out, "reset_at_ms", r->reset_at_ms);
    gw_buf_char(out, '}');
}

static void add_explanation(struct admin_call *call, const struct record *r)
{
    const struct hindsight_live live = {call->server->cache, call->server->rate};
    struct explain *e = hindsight_explain(admin_snapshot(call), r, &live, call->exchange->now);
    if (e)
        explain_json(e, &call->out);
    else
        gw_buf_add(&call->out, GW_STR("null"));
    explain_free(e);
}

static void add_facts(const struct record *r, struct gw_buf *out)
{
    gw_json_object(out, NULL);
    gw_json_u64(out, "number", r->number);
    gw_json_name(out, "request");
    gw_buf_add(out, r->line);
    gw_json_text(out, "url", r->shown_url);
    gw_json_bool(out, "replayable", !r->cut && !r->has_body && !r->upgraded);
    gw_json_u64(out, "took_us", r->took_us);
    gw_json_u64(out, "origin_us", r->origin_us);
    gw_json_u64(out, "isolate", r->isolate);
    gw_json_text(out, "cache_reason", r->reason);
}

enum admin_result admin_request(struct admin_call *call)
{
    struct gw_buf *out = &call->out;
    struct record *r = find(call);
    if (!r)
        return ADMIN_DONE;
    add_facts(r, out);
    add_request_fields(r, out);
    add_response_fields(r, out);
    add_limiter(r, out);
    gw_json_name(out, "now");
    add_explanation(call, r);
    gw_buf_add(out, GW_STR("}\n"));
    record_unref(r);
    return ADMIN_DONE;
}

/* ---- once more ---- */

/* The replay is over and frees itself: forgotten first, or the call's end would give it up once
 * more. */
static void on_replayed(void *ctx, const struct replay_result *result)
{
    struct admin_call *call = ctx;
    call->replay = NULL;
    gw_buf_printf(&call->out, "{\"ray\":\"%s\",\"status\":%u,\"bytes\":%llu,\"complete\":%s}\n",
                  result->ray, result->status, (unsigned long long)result->bytes,
                  result->cut ? "false" : "true");
    admin_finish(call);
}

static enum admin_result replay_at(struct admin_call *call, const struct record *r,
                                   struct gw_str edge_name)
{
    size_t edge = snapshot_edge_of(admin_snapshot(call), edge_name);
    if (edge == GW_NPOS) {
        admin_fail(call, 400, "no edge is called \"%.*s\"", (int)gw_min_size(edge_name.len, 40),
                   edge_name.ptr);
        return ADMIN_DONE;
    }
    call->replay = replay_start(call->worker, r, edge, on_replayed, call);
    if (call->replay)
        return ADMIN_WAIT;
    admin_fail(call, 409, "this request cannot be sent again: %s",
               r->has_body   ? "its body was not kept"
               : r->upgraded ? "it became another protocol"
                             : "its head was not kept whole");
    return ADMIN_DONE;
}

enum admin_result admin_replay(struct admin_call *call)
{
    struct record *r = find(call);
    if (!r)
        return ADMIN_DONE;
    struct gw_str edge;
    if (!admin_query(call, GW_STR("edge"), &edge))
        edge = r->edge;
    enum admin_result result = replay_at(call, r, edge);
    record_unref(r);
    return result;
}
