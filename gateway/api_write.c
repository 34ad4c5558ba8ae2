/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_write.h"

#include "gateway/api_persist.h"
#include "gateway/exchange.h"
#include "gateway/faults.h"
#include "gateway/server.h"

/* What the writer sees, and the way there and back. The main thread never touches `waiting`, so it
 * needs no lock: a client that goes away while its write is under way is forgotten on worker 0, and
 * the change is made all the same. */
struct trip {
    struct api_write write;
    struct control_job there; /* to the main thread */
    struct gw_task back;      /* to worker 0 */
    struct server *server;
    struct gw_loop *loop;
    struct admin_call *waiting; /* worker 0's; NULL: its client has gone */
    api_writer *writer;
    bool zoned;
};

/* ---- worker 0: the answer ---- */

static void free_trip(struct trip *trip)
{
    json_doc_free(trip->write.body);
    admin_call_release(&trip->write.call);
    api_problems_release(&trip->write.problems);
    gw_arena_clear(&trip->write.arena);
    free(trip);
}

static void come_back(struct gw_task *task)
{
    struct trip *trip = gw_container_of(task, struct trip, back);
    struct admin_call *call = trip->waiting;
    if (call) {
        struct gw_buf mine = call->out;
        call->out = trip->write.call.out;
        trip->write.call.out = mine;
        call->status = trip->write.call.status;
        call->write = NULL;
        admin_finish(call);
    }
    free_trip(trip);
}

void api_write_abandon(struct admin_call *call)
{
    gw_container_of(call->write, struct trip, write)->waiting = NULL;
    call->write = NULL;
}

/* ---- main thread: the change ---- */

/* The same status, and nothing was kept (spec/api-v4.md section 3, "dry_run"). */
static void answer_dry_run(struct api_write *w)
{
    if (w->call.status != 200)
        return;
    gw_buf_clear(&w->call.out);
    api_begin(&w->call.out);
    gw_buf_add(&w->call.out, GW_STR("null"));
    api_end_with(&w->call.out, w->messages, GW_STR_EMPTY);
}

/* False after an answer: nothing changes. */
static bool save(struct api_write *w, bool persist)
{
    struct api_rulesets *documents = w->change.documents;
    const struct api_ruleset *rs = w->written;
    if (!documents || !rs)
        return true;
    const char *path = persist ? api_rulesets_file(documents, rs->phase) : NULL;
    if (!path) {
        documents->unsaved = true;
        if (persist)
            gw_log_warn("a ruleset is not written anywhere: the configuration names no file for it "
                        "zone=%.*s phase=%.*s",
                        GW_STR_ARG(w->zone->config->name), GW_STR_ARG(rs->phase));
        return true;
    }
    int err = api_persist(path, rs, api_newest(rs));
    if (err == 0)
        return true;
    gw_log_error("a ruleset could not be written: the change was refused file=%s reason=\"%s\"",
                 path, gw_strerror(err));
    admin_v4_fail(&w->call, 500, 0, "could not write the ruleset's file: %s", gw_strerror(err));
    return false;
}

static void change(struct trip *trip)
{
    struct server *s = trip->server;
    struct api_write *w = &trip->write;
    w->snapshot = s->snapshot;
    w->zone = trip->zoned ? api_zone_in(s->snapshot, w->call.path) : NULL;
    w->now = gw_clock_now(&s->clock);
    if (trip->zoned && !w->zone) { /* a reload came in between and took it away */
        admin_v4_unroutable(&w->call, false);
        return;
    }
    w->change.zone = w->zone ? w->zone->index : GW_NPOS;
    if (!trip->writer(w))
        return;
    if (w->dry_run)
        answer_dry_run(w);
    else if (save(w, s->snapshot->config->admin.persist))
        server_install(s, snapshot_derive(s->snapshot, &w->change, s->metrics));
}

static void run(struct control_job *job)
{
    struct trip *trip = gw_container_of(job, struct trip, there);
    change(trip);
    /* The new snapshot has its own; a change that was refused leaves nothing behind. */
    api_rulesets_unref(trip->write.change.documents);
    ruleset_unref(trip->write.change.compiled);
    fault_set_unref(trip->write.change.faults);
    gw_loop_post(trip->loop, &trip->back);
}

/* ---- worker 0: the start ---- */

static bool read_dry_run(struct admin_call *call, bool *dry_run)
{
    struct gw_str text;
    *dry_run = false;
    if (!admin_query(call, GW_STR("dry_run"), &text))
        return true;
    *dry_run = gw_str_eq(text, GW_STR("true"));
    if (*dry_run || gw_str_eq(text, GW_STR("false")))
        return true;
    admin_v4_fail(call, 400, 0,
                  "'%.*s' is not a valid value for dry_run because it is neither true nor false",
                  (int)gw_min_size(text.len, 100), text.ptr ? text.ptr : "");
    return false;
}

static struct trip *new_trip(struct admin_call *call, api_writer *writer)
{
    struct trip *trip = gw_zalloc(sizeof(*trip));
    struct api_write *w = &trip->write;
    trip->server = w->server = call->server;
    trip->loop = call->worker->loop;
    trip->waiting = call;
    trip->writer = writer;
    gw_list_init(&trip->there.link);
    trip->there.run = run;
    gw_task_init(&trip->back, come_back);
    gw_arena_init(&w->arena, NULL, 0, 0);
    api_problems_init(&w->problems);
    admin_call_init(&w->call);
    w->call.path = gw_arena_dup(&w->arena, call->path);
    return trip;
}

static enum admin_result start(struct admin_call *call, enum api_body body, struct trip *trip)
{
    static const struct admin_refusal no_object = {400, 0, "bad_request",
                                                   "invalid JSON: an object is expected"};
    static const struct admin_refusal ending = {503, 0, "unavailable",
                                                "the server is shutting down"};
    const struct admin_refusal *refusal = NULL;
    if (body == API_BODY_OBJECT && !(trip->write.body = admin_body(call)))
        refusal = &no_object;
    else if (!control_submit(&call->server->control, &trip->there))
        refusal = &ending;
    if (refusal) {
        admin_refuse(call, refusal);
        free_trip(trip);
        return ADMIN_DONE;
    }
    call->write = &trip->write;
    return ADMIN_WAIT;
}

enum admin_result api_write_start(struct admin_call *call, enum api_body body, api_writer *writer)
{
    bool dry_run;
    if (!api_zone(call) || !read_dry_run(call, &dry_run))
        return ADMIN_DONE;
    struct trip *trip = new_trip(call, writer);
    trip->zoned = true;
    trip->write.dry_run = dry_run;
    return start(call, body, trip);
}

enum admin_result api_write_start_all(struct admin_call *call, enum api_body body,
                                      api_writer *writer)
{
    return start(call, body, new_trip(call, writer));
}
