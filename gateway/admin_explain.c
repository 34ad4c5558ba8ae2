/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/explain and the trace API: what the running gateway would do with a request, with what
 * its cache and counters hold (spec/api-v4.md section 7). A limiter's backend answers later; the
 * question is then asked again, so that nothing has to be kept for a client that may go away. */
#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/explain_question.h"
#include "gateway/explain_view.h"
#include "gateway/server.h"

/* NULL after an answer that says what is wrong with the question. */
static struct explain *ask(struct admin_call *call)
{
    enum explain_form form = admin_is_api_v4(call->path) ? EXPLAIN_FORM_TRACE : EXPLAIN_FORM_OWN;
    struct explain_asked asked = {.question = {.now_ms = call->exchange->now.wall_ms,
                                               .date_ms = call->exchange->now.date_ms,
                                               .store = call->server->cache,
                                               .rate = call->server->rate},
                                  .error = "invalid JSON: an object is expected"};
    struct json_doc *doc = admin_body(call);
    struct explain *e = NULL;
    if (doc && explain_question_read(&asked, json_root(doc), form, &call->exchange->arena))
        e = explain_new(admin_snapshot(call), &asked.question, asked.error);
    json_doc_free(doc);
    if (!e)
        admin_refuse(call, &(struct admin_refusal){400, 0, "validation_error", asked.error});
    return e;
}

/* ---- the limiter's counter ---- */

static bool is_here(const struct explain *e, const struct json *entry)
{
    const struct json *edge = json_get(entry, "edge");
    int64_t isolate;
    if (!gw_str_eq(json_str(json_get(entry, "key")), e->limit.key))
        return false;
    if (!edge)
        return true;
    return gw_str_eq(json_str(edge), e->visit.edge->name) &&
           (e->limit.limiter->store != LIMITER_MEMORY ||
            (json_int(json_get(entry, "isolate"), 0, UINT32_MAX, &isolate) &&
             isolate == e->isolate));
}

/* A listing that is full may have left the key out: then its count stays unknown. */
static void read_count(struct explain *e, const struct json *listing)
{
    const struct json *limiter = json_first(json_get(json_get(listing, "data"), "state"));
    const struct json *entries = json_get(limiter, "entries");
    int64_t count = 0, reset_at_ms = 0;
    bool found = false;
    for (const struct json *entry = entries ? json_first(entries) : NULL; entry && !found;
         entry = json_next(entry))
        found = is_here(e, entry) && json_int(json_get(entry, "count"), 0, INT64_MAX, &count) &&
                json_int(json_get(entry, "resetAt"), 0, INT64_MAX, &reset_at_ms);
    if (found || json_count(entries) < LIMITER_STATE_ENTRIES)
        explain_set_count(e, (uint64_t)count, (uint64_t)reset_at_ms);
}

static void take_listing(struct admin_call *call, struct explain *e)
{
    const struct gw_source source = {"counters", gw_buf_str(&call->out)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    if (doc)
        read_count(e, json_root(doc));
    json_doc_free(doc);
}

/* A backend that is away is no reason to explain nothing: the count is missing, the rest holds. */
static void on_listed(struct limiter_state *state, int err)
{
    struct admin_call *call = gw_container_of(state, struct admin_call, state);
    struct explain *e = ask(call);
    if (e) {
        if (!err)
            take_listing(call, e);
        gw_buf_clear(&call->out);
        explain_json(e, &call->out);
    }
    explain_free(e);
    admin_finish(call);
}

enum admin_result admin_explain(struct admin_call *call)
{
    struct explain *e = ask(call);
    if (!e)
        return ADMIN_DONE;
    const struct limiter *limiter = e->limit.limiter;
    struct limiter_state_item *item =
        limiter ? gw_arena_zalloc(&call->exchange->arena, sizeof(*item)) : NULL;
    if (!item)
        explain_json(e, &call->out);
    explain_free(e);
    if (!item)
        return ADMIN_DONE;
    *item = admin_limits_item(limiter);
    call->state.done = on_listed;
    limiter_state_list(call->worker->limiter, &call->state, item, 1, &call->out);
    return ADMIN_WAIT;
}
