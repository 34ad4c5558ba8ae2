/* SPDX-License-Identifier: Apache-2.0 */
/* Reading rulesets and their versions. */
#include "gateway/api_rulesets.h"

#include "gateway/exchange.h"

#define NUMBER_MAX 1000000000000

struct api_ruleset_path api_ruleset_path(struct gw_str path)
{
    struct api_ruleset_path at = {0};
    struct gw_str first = admin_path_segment(path, 5);
    unsigned next = 6;
    if (gw_str_eq(first, GW_STR("phases"))) {
        at.phase = admin_path_segment(path, 6);
        next = 8; /* behind "entrypoint" */
    } else {
        at.ruleset = first;
    }
    bool rules = gw_str_eq(admin_path_segment(path, next), GW_STR("rules"));
    *(rules ? &at.rule : &at.version) = admin_path_segment(path, next + 1);
    return at;
}

const struct api_ruleset *api_ruleset_at(struct admin_call *call, const struct api_rulesets *set,
                                         const struct api_ruleset_path *path)
{
    const struct api_ruleset *rs = path->phase.len ? api_ruleset_of_phase(set, path->phase)
                                                   : api_ruleset_find(set, path->ruleset);
    if (rs)
        return rs;
    if (path->phase.len)
        admin_v4_fail(call, 404, 10003, "could not find entrypoint ruleset in the %.*s phase",
                      (int)gw_min_size(path->phase.len, 200), path->phase.ptr);
    else if (api_is_id(path->ruleset))
        admin_v4_fail(call, 404, 10005, "could not find ruleset");
    else
        admin_v4_unroutable(call, false);
    return NULL;
}

const struct api_version *api_version_at(struct admin_call *call, const struct api_ruleset *rs,
                                         const struct api_ruleset_path *path)
{
    uint64_t number;
    const struct api_version *version =
        gw_str_u64(path->version, NUMBER_MAX, &number) ? api_ruleset_version(rs, number) : NULL;
    if (!version)
        admin_v4_fail(call, 404, 0, "could not find version %.*s of the ruleset",
                      (int)gw_min_size(path->version.len, 40), path->version.ptr);
    return version;
}

/* ---- handlers ---- */

enum admin_result api_rulesets_list(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    if (!zone)
        return ADMIN_DONE;
    api_begin(&call->out);
    gw_buf_char(&call->out, '[');
    for (size_t i = 0; i < zone->documents->count; i++) {
        const struct api_ruleset *rs = &zone->documents->rulesets[i];
        if (i > 0)
            gw_buf_char(&call->out, ',');
        api_ruleset_write(rs, api_newest(rs), false, &call->out);
    }
    gw_buf_char(&call->out, ']');
    api_end(&call->out);
    return ADMIN_DONE;
}

static void answer(struct admin_call *call, const struct api_ruleset *rs,
                   const struct api_version *version)
{
    api_begin(&call->out);
    api_ruleset_write(rs, version, true, &call->out);
    api_end(&call->out);
}

enum admin_result api_ruleset_get(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    const struct api_ruleset_path path = api_ruleset_path(call->path);
    const struct api_ruleset *rs = zone ? api_ruleset_at(call, zone->documents, &path) : NULL;
    if (rs)
        answer(call, rs, api_newest(rs));
    return ADMIN_DONE;
}

/* Without an entry point the list of its versions is empty, not an error (spec/api-v4.md fact 10).
 */
enum admin_result api_versions_list(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    const struct api_ruleset_path path = api_ruleset_path(call->path);
    if (!zone)
        return ADMIN_DONE;
    const struct api_ruleset *rs = path.phase.len
                                       ? api_ruleset_of_phase(zone->documents, path.phase)
                                       : api_ruleset_at(call, zone->documents, &path);
    if (!rs && !path.phase.len)
        return ADMIN_DONE;
    api_begin(&call->out);
    gw_buf_char(&call->out, '[');
    for (size_t n = 0; rs && n < rs->count; n++) {
        if (n > 0)
            gw_buf_char(&call->out, ',');
        api_ruleset_write(rs, rs->versions[n], false, &call->out);
    }
    gw_buf_char(&call->out, ']');
    api_end(&call->out);
    return ADMIN_DONE;
}

enum admin_result api_version_get(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    const struct api_ruleset_path path = api_ruleset_path(call->path);
    const struct api_ruleset *rs = zone ? api_ruleset_at(call, zone->documents, &path) : NULL;
    const struct api_version *version = rs ? api_version_at(call, rs, &path) : NULL;
    if (version)
        answer(call, rs, version);
    return ADMIN_DONE;
}
