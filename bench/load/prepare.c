/* SPDX-License-Identifier: Apache-2.0 */
/* From options to a plan that can be run. */
#include <errno.h>

#include "bench/load/expect_judge.h"
#include "bench/load/load.h"
#include "bench/load/pace.h"
#include "bench/load/quick.h"
#include "bench/load/request.h"
#include "bench/load/scenario.h"
#include "bench/load/target.h"
#include "bench/load/team_config.h"
#include "config/file.h"
#include "gateway/base/err.h"
#include "gateway/http/headers.h"

#define TEXT_MAX ((size_t)16 << 20)

/* ---- the scenario's text ---- */

static bool convert_file(const struct load_options *o, struct gw_buf *text, struct gw_diags *diags)
{
    const struct gw_source source = {o->file, gw_buf_str(text)};
    struct json_doc *doc = json_parse(&source, diags);
    bool fine = doc != NULL;
    if (doc && team_config_is(doc)) {
        gw_buf_clear(text); /* the document holds a copy */
        fine = team_config_convert(doc, o->strict, text, diags);
    }
    json_doc_free(doc);
    return fine;
}

bool load_scenario_text(const struct load_options *o, struct gw_buf *out, struct gw_diags *diags)
{
    if (!o->file)
        return quick_scenario(o, out, diags);
    int err = file_read(o->file, out);
    if (!err)
        return convert_file(o, out, diags);
    gw_diag_file(diags, GW_DIAG_ERROR, o->file, "%s", gw_strerror(err));
    return false;
}

/* ---- what the command line changes ---- */

static void set_target(const struct load_options *o, struct load_plan *p, struct gw_diags *diags)
{
    const struct gw_source source = {"--target", gw_str_z(o->target)};
    struct load_target target;
    const char *why;
    bool own_host = p->host_header.len && !p->host.len;
    if (!load_target_parse(source.text, &target, &why)) {
        gw_diag_at(diags, GW_DIAG_ERROR, &source, 0, source.text.len, "%s", why);
        return;
    }
    /* A "host" of the file's own stays; one that came from its target goes with it. */
    own_host = own_host || (p->host.len && gw_str_find(p->host_header, p->host) == GW_NPOS);
    p->host = target.host;
    p->port = target.port;
    p->tls = target.tls;
    if (!own_host)
        p->host_header = target.authority;
}

static void add_header(struct load_plan *p, const char *text, struct gw_diags *diags)
{
    const struct gw_source source = {"-H", gw_str_z(text)};
    struct template_mistake m;
    size_t colon = gw_str_chr(source.text, ':');
    struct gw_str name = gw_str_first(source.text, colon);
    struct gw_str value =
        gw_str_trim(gw_str_from(source.text, colon == GW_NPOS ? source.text.len : colon + 1));
    if (colon == GW_NPOS || !header_name_valid(name)) {
        gw_diag_at(diags, GW_DIAG_ERROR, &source, 0, source.text.len,
                   "a header is \"Name: value\"");
        return;
    }
    if (!load_request_check_value(value, &m)) {
        gw_diag_at(diags, GW_DIAG_ERROR, &source, source.text.len - value.len + m.at, m.width, "%s",
                   m.text);
        return;
    }
    if (gw_str_ieq(name, GW_STR("Host"))) {
        p->host_header = value;
        return;
    }
    struct load_pair *items = gw_arena_zalloc(&p->arena, (p->headers.count + 1) * sizeof(*items));
    if (p->headers.count)
        memcpy(items, p->headers.items, p->headers.count * sizeof(*items));
    items[p->headers.count] = (struct load_pair){name, value};
    p->headers = (struct load_pairs){items, p->headers.count + 1};
}

static bool is_chosen(struct gw_str name, struct gw_str only)
{
    return gw_str_eq(name, only) ||
           (gw_str_starts(name, only) && name.len > only.len && name.ptr[only.len] == '/');
}

/* Phases that --only does not name go, and with them what is expected of them. */
static void choose(struct load_plan *p, struct gw_str only, struct gw_diags *diags)
{
    const struct gw_source source = {"--only", only};
    uint32_t moved[PLAN_PHASES_MAX];
    size_t kept = 0, left = 0;
    const char *names[PLAN_PHASES_MAX + 1] = {NULL};
    for (size_t i = 0; i < p->phase_count; i++) {
        bool chosen = is_chosen(p->phases[i].name, only);
        names[i] = p->phases[i].name.ptr;
        moved[i] = chosen ? (uint32_t)kept : EXPECT_NONE;
        if (chosen)
            p->phases[kept++] = p->phases[i];
    }
    if (!kept) {
        const char *nearest = gw_nearest(only, names);
        gw_diag_at(diags, GW_DIAG_ERROR, &source, 0, only.len,
                   nearest ? "no phase is called so; did you mean \"%s\"?"
                           : "no phase is called so%s",
                   nearest ? nearest : "");
        return;
    }
    for (size_t i = 0; i < p->expectation_count; i++) {
        struct expectation e = p->expectations[i];
        if (e.phase != EXPECT_NONE && moved[e.phase] == EXPECT_NONE)
            continue;
        e.phase = e.phase == EXPECT_NONE ? e.phase : moved[e.phase];
        p->expectations[left++] = e;
    }
    p->phase_count = kept;
    p->expectation_count = left;
}

/* ---- whether it can be run ---- */

static void check_admin(const struct load_plan *p, struct gw_diags *diags)
{
    bool acts = load_plan_asks_origin(p);
    for (size_t i = 0; i < p->phase_count; i++)
        acts = acts || p->phases[i].action_count;
    if (acts && !p->admin.len)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL,
                     "actions and counts of the origin's requests need the admin listener: say "
                     "\"admin\" in the scenario or --admin ADDR");
}

static void check_target(const struct load_options *o, const struct load_plan *p,
                         struct gw_diags *diags)
{
    bool allowed = load_target_is_loopback(p->host);
    for (size_t i = 0; i < o->allow_hosts.count; i++)
        allowed = allowed || gw_str_ieq(gw_str_z(o->allow_hosts.items[i]), p->host);
    if (!p->host.len)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL,
                     "there is no target: say \"target\" in the scenario or --target URL");
    else if (!allowed)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL,
                     "%.*s is not loopback: a load test of it needs --allow-host %.*s",
                     GW_STR_ARG(p->host), GW_STR_ARG(p->host));
}

static void check_tls(const struct load_options *o, const struct load_plan *p,
                      struct gw_diags *diags)
{
    bool admin = gw_str_starts(p->admin, GW_STR("https://"));
    if (!p->tls && ((o->cacert && !admin) || o->insecure))
        gw_diag_file(diags, GW_DIAG_ERROR, NULL, "--%s goes with an https:// target%s",
                     o->insecure ? "insecure" : "cacert", o->insecure ? "" : " or admin");
    if (o->cacert && o->insecure)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL,
                     "--insecure looks at no certificate, --cacert says how: only one of them");
}

static void note_vacuous(struct load_plan *p)
{
    char space[1024];
    for (size_t i = 0; i < p->expectation_count; i++) {
        const struct expectation *e = &p->expectations[i];
        struct gw_buf note = gw_buf_over(space, sizeof(space));
        if (!expect_is_vacuous(e))
            continue;
        gw_buf_add(&note, GW_STR("can never fail: "));
        if (e->phase != EXPECT_NONE)
            gw_buf_printf(&note, "[%.*s] ", GW_STR_ARG(p->phases[e->phase].name));
        gw_buf_printf(&note, "\"%.*s\"", GW_STR_ARG(e->text));
        load_plan_note(p, gw_buf_str(&note));
    }
    for (size_t i = 0; i < p->phase_count; i++) {
        struct gw_buf note = gw_buf_over(space, sizeof(space));
        if (!p->phases[i].note.len)
            continue;
        gw_buf_printf(&note, "[%.*s] %.*s", GW_STR_ARG(p->phases[i].name),
                      GW_STR_ARG(p->phases[i].note));
        load_plan_note(p, gw_buf_str(&note));
    }
}

static void apply(const struct load_options *o, struct load_plan *p, struct gw_diags *diags)
{
    if (o->target)
        set_target(o, p, diags);
    for (size_t i = 0; i < o->headers.count; i++)
        add_header(p, o->headers.items[i], diags);
    for (size_t i = 0; i < o->expect.count; i++)
        if (!scenario_expect(p, gw_str_z(o->expect.items[i]), diags))
            continue; /* told; the next one is looked at as well */
    if (o->only && p->phase_count)
        choose(p, gw_str_z(o->only), diags);
    if (o->admin)
        p->admin = gw_str_z(o->admin);
    p->admin_token = gw_str_z(o->admin_token);
    p->seed = o->seed ? o->seed : p->seed;
    p->connections = o->connections ? (uint32_t)o->connections : p->connections;
    load_plan_pace(p, o->scale, o->speed);
    check_target(o, p, diags);
    check_admin(p, diags);
    check_tls(o, p, diags);
    note_vacuous(p);
}

static void finish(const struct load_options *o, struct load_plan *p)
{
    struct gw_buf origin;
    gw_buf_init(&origin, TEXT_MAX);
    gw_buf_printf(&origin, "%s://%.*s", load_plan_scheme(p), GW_STR_ARG(p->host_header));
    if (!p->origin.len)
        p->origin = gw_arena_dup(&p->arena, gw_buf_str(&origin));
    if (!p->name.len)
        p->name = gw_arena_dup(&p->arena, gw_str_z(o->file ? o->file : o->url));
    gw_buf_release(&origin);
}

struct load_plan *load_prepare(const struct load_options *o, struct gw_diags *diags)
{
    struct gw_buf text;
    struct load_plan *plan = NULL;
    gw_buf_init(&text, TEXT_MAX);
    if (load_scenario_text(o, &text, diags)) {
        const struct gw_source source = {o->file ? o->file : "--url", gw_buf_str(&text)};
        struct json_doc *doc = json_parse(&source, diags);
        plan = load_plan_new();
        if (doc) {
            scenario_load(doc, o->file, plan, diags);
            apply(o, plan, diags);
            finish(o, plan);
        }
        json_doc_free(doc);
    }
    gw_buf_release(&text);
    if (!diags->errors)
        return plan;
    load_plan_free(plan);
    return NULL;
}
