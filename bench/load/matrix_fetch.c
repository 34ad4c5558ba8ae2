/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/matrix_fetch.h"

#include "bench/load/matrix.h"

/* The last calls' verdicts may still be under way in stores that take time. On a virtual clock that
 * nobody moves they stay so, and the report says what is pending. */
#define TRIES    10
#define PAUSE_MS 100

struct fetch {
    struct gw_loop *loop;
    struct load_admin *admin;
    struct gw_deadline pause;
    unsigned tries;
    struct json_doc *doc;
};

static void on_reply(void *ctx, const struct load_admin_reply *reply);

static void ask(struct fetch *f)
{
    f->tries++;
    load_admin_call(f->admin, GW_STR("GET"), GW_STR("/api/admin/rate-limits/compare"), GW_STR_EMPTY,
                    on_reply, f);
}

static void on_pause(struct gw_deadline *pause)
{
    ask(gw_container_of(pause, struct fetch, pause));
}

static void on_reply(void *ctx, const struct load_admin_reply *reply)
{
    struct fetch *f = ctx;
    const struct gw_source source = {"limiter matrix", reply->body};
    struct gw_diags diags;
    gw_diags_init(&diags);
    json_doc_free(f->doc);
    f->doc = !reply->err && reply->status == 200 ? json_parse(&source, &diags) : NULL;
    gw_diags_release(&diags);
    if (f->doc && f->tries < TRIES && matrix_is_pending(json_root(f->doc)))
        gw_deadline_set(f->loop, &f->pause, PAUSE_MS);
    else
        gw_loop_stop(f->loop);
}

struct json_doc *matrix_fetch(const struct load_admin_at *admin)
{
    struct gw_clock clock;
    if (!admin)
        return NULL;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    struct fetch f = {.loop = gw_loop_new(&clock)};
    gw_deadline_init(&f.pause, on_pause);
    f.admin = load_admin_new(f.loop, admin);
    ask(&f);
    gw_loop_run(f.loop);
    load_admin_free(f.admin);
    gw_loop_free(f.loop);
    if (f.doc && matrix_limiters(json_root(f.doc)))
        return f.doc;
    json_doc_free(f.doc);
    return NULL;
}
