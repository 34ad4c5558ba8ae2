/* SPDX-License-Identifier: Apache-2.0 */
/* Writing rulesets: create, replace, delete; and the entry point of a phase, which a PUT creates
 * (spec/api-v4.md sections 3, 3.1 and 3.6). */
#include "gateway/api_draft.h"
#include "gateway/api_rulesets.h"
#include "gateway/exchange.h"

#define TEXT_MAX 1024

/* The phases of a zone; those that are not simulated are taken with a warning. */
static const char *const phases[] = {
    "ddos_l7",
    "http_config_settings",
    "http_custom_errors",
    "http_log_custom_fields",
    "http_ratelimit",
    "http_request_cache_settings",
    "http_request_dynamic_redirect",
    "http_request_firewall_custom",
    "http_request_firewall_managed",
    "http_request_late_transform",
    "http_request_origin",
    "http_request_redirect",
    "http_request_sanitize",
    "http_request_sbfm",
    "http_request_transform",
    "http_response_cache_settings",
    "http_response_compression",
    "http_response_firewall_managed",
    "http_response_headers_transform",
};

static bool refuse(struct api_write *w)
{
    api_fail_problems(&w->call, 400, &w->problems);
    return false;
}

static void bad_value(struct api_write *w, const char *field, struct gw_str value, const char *why)
{
    char pointer[64];
    int len = snprintf(pointer, sizeof(pointer), "/%s", field);
    api_problem(&w->problems, 0, gw_str(pointer, (size_t)len),
                "'%.*s' is not a valid value for %s because %s", (int)gw_min_size(value.len, 200),
                value.ptr ? value.ptr : "", field, why);
}

/* A member that is a string; absent and null are empty. */
static struct gw_str text_of(struct api_write *w, const char *field)
{
    const struct json *v = json_get(json_root(w->body), field);
    if (!v || json_type(v) == JSON_NULL)
        return GW_STR_EMPTY;
    if (json_type(v) != JSON_STRING || json_str(v).len > TEXT_MAX)
        bad_value(w, field, GW_STR_EMPTY, "it must be a string of at most 1024 bytes");
    return json_str(v);
}

static bool phase_is_known(struct gw_str phase)
{
    for (size_t i = 0; i < GW_COUNT(phases); i++)
        if (gw_str_eq(gw_str_z(phases[i]), phase))
            return true;
    return false;
}

/* The version behind `current` (NULL: the first one) that the body describes. Without rules it
 * keeps the current ones, without a description the current one. */
static bool next_version(struct api_write *w, const struct api_version *current,
                         struct api_version *out)
{
    const struct json *body = json_root(w->body);
    const struct json *rules = json_get(body, "rules"),
                      *description = json_get(body, "description");
    struct api_draft draft;
    api_draft_init(&draft, &w->arena, current, w->now.date_ms, &w->problems);
    if (rules && json_type(rules) != JSON_NULL && !api_draft_replace(&draft, rules))
        return refuse(w);
    *out = (struct api_version){.number = current ? current->number + 1 : 1,
                                .last_updated = draft.last_updated,
                                .description = text_of(w, "description"),
                                .rules = draft.rules,
                                .count = draft.count};
    if (current && !description)
        out->description = current->description;
    return w->problems.count == 0 || refuse(w);
}

static bool commit_next(struct api_write *w, const struct api_ruleset *head,
                        const struct api_version *current)
{
    struct api_version next;
    return next_version(w, current, &next) && api_commit(w, head, &next);
}

/* ---- POST /rulesets ---- */

static const char *const ruleset_members[] = {"name",        "kind",  "phase",
                                              "description", "rules", NULL};

static struct gw_str fresh_id(struct api_write *w)
{
    char *id = gw_arena_alloc(&w->arena, API_ID_LEN);
    api_new_id(id);
    return gw_str(id, API_ID_LEN);
}

static bool create(struct api_write *w)
{
    if (!api_known_members(&w->problems, json_root(w->body), GW_STR_EMPTY, ruleset_members))
        return refuse(w);
    struct gw_str kind = text_of(w, "kind");
    const struct api_ruleset head = {
        .id = fresh_id(w), .name = text_of(w, "name"), .phase = text_of(w, "phase")};
    if (!head.name.len)
        bad_value(w, "name", head.name, "the name cannot be blank");
    if (!phase_is_known(head.phase))
        bad_value(w, "phase", head.phase, "it is not a phase of a zone");
    if (!gw_str_eq(kind, GW_STR("zone")))
        bad_value(w, "kind", kind, "only rulesets of kind zone are served");
    else if (api_ruleset_of_phase(w->zone->documents, head.phase))
        api_problem(&w->problems, 20217, GW_STR("/kind"),
                    "'zone' is not a valid value for kind because exceeded maximum number of zone "
                    "rulesets for phase %.*s",
                    GW_STR_ARG(head.phase));
    return w->problems.count > 0 ? refuse(w) : commit_next(w, &head, NULL);
}

enum admin_result api_ruleset_create(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, create);
}

/* ---- PUT /rulesets/:id ---- */

/* Terraform sends name, kind and phase with every PUT; they must be what they were. */
static void check_fixed(struct api_write *w, const char *field, struct gw_str fixed)
{
    struct gw_str sent = text_of(w, field);
    if (sent.len && !gw_str_eq(sent, fixed))
        bad_value(w, field, sent, "it cannot be changed");
}

static bool replace(struct api_write *w)
{
    const struct api_ruleset_path path = api_ruleset_path(w->call.path);
    const struct api_ruleset *rs = api_ruleset_at(&w->call, w->zone->documents, &path);
    if (!rs)
        return false;
    if (!api_known_members(&w->problems, json_root(w->body), GW_STR_EMPTY, ruleset_members))
        return refuse(w);
    check_fixed(w, "name", rs->name);
    check_fixed(w, "kind", GW_STR("zone"));
    check_fixed(w, "phase", rs->phase);
    return w->problems.count > 0 ? refuse(w) : commit_next(w, rs, api_newest(rs));
}

enum admin_result api_ruleset_put(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, replace);
}

/* ---- PUT /rulesets/phases/:phase/entrypoint ---- */

/* Stricter than by id, as production is: no name, kind or phase. */
bool api_replace_entrypoint(struct api_write *w)
{
    static const char *const known[] = {"description", "rules", NULL};
    const struct api_ruleset_path path = api_ruleset_path(w->call.path);
    const struct api_ruleset *rs = api_ruleset_of_phase(w->zone->documents, path.phase);
    if (!api_known_members(&w->problems, json_root(w->body), GW_STR_EMPTY, known))
        return refuse(w);
    if (rs)
        return commit_next(w, rs, api_newest(rs));
    if (!phase_is_known(path.phase)) {
        bad_value(w, "phase", path.phase, "it is not a phase of a zone");
        return refuse(w);
    }
    const struct api_ruleset head = {
        .id = fresh_id(w), .name = GW_STR("default"), .phase = path.phase};
    return commit_next(w, &head, NULL);
}

enum admin_result api_entrypoint_put(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, api_replace_entrypoint);
}

/* ---- DELETE ---- */

/* The file of a deleted ruleset stays in the configuration, without rules. */
static void write_empty(struct api_write *w, const struct api_ruleset *gone)
{
    struct api_version *version = gw_arena_zalloc(&w->arena, sizeof(*version));
    struct api_version **versions = gw_arena_alloc(&w->arena, sizeof(struct api_version *));
    struct api_ruleset *empty = gw_arena_alloc(&w->arena, sizeof(*empty));
    const struct api_version *last = api_newest(gone);
    version->number = last->number + 1;
    version->last_updated = last->last_updated;
    versions[0] = version;
    *empty = *gone;
    empty->versions = versions;
    empty->count = 1;
    w->written = empty;
}

static bool delete_ruleset(struct api_write *w)
{
    const struct api_ruleset_path path = api_ruleset_path(w->call.path);
    const struct api_ruleset *rs = api_ruleset_at(&w->call, w->zone->documents, &path);
    if (!rs)
        return false;
    w->change.phase = rs->phase;
    w->change.documents = api_rulesets_without(w->zone->documents, rs);
    write_empty(w, rs);
    w->call.status = 204;
    return true;
}

enum admin_result api_ruleset_delete(struct admin_call *call)
{
    return api_write_start(call, API_BODY_NONE, delete_ruleset);
}

static bool delete_version(struct api_write *w)
{
    const struct api_ruleset_path path = api_ruleset_path(w->call.path);
    const struct api_ruleset *rs = api_ruleset_at(&w->call, w->zone->documents, &path);
    const struct api_version *version = rs ? api_version_at(&w->call, rs, &path) : NULL;
    if (!version)
        return false;
    if (version == api_newest(rs)) {
        admin_v4_fail(&w->call, 400, 0, "the version in force cannot be deleted");
        return false;
    }
    w->change.documents = api_rulesets_without_version(w->zone->documents, rs, version->number);
    w->change.keeps_rules = true;
    w->call.status = 204;
    return true;
}

enum admin_result api_version_delete(struct admin_call *call)
{
    return api_write_start(call, API_BODY_NONE, delete_version);
}
