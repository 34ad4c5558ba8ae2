/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/store_decision.h"

#include "cache/choices.h"
#include "cache/deception.h"
#include "cache/directives.h"
#include "cache/vary.h"
#include "gateway/http/h1_write.h"

/* Everything the tests look at. A test answers CACHE_REASON_NONE to pass on to the next one. */
struct facts {
    const struct cache_policy *policy;
    const struct cache_request *request;
    const struct cache_response *response;
    const struct cache_settings *edge_ttl; /* the rule that set it, or NULL */
    struct cache_directives origin;
    bool occ;
};

/* Section 2.2. */
static const struct {
    uint16_t status, ttl_s;
} default_ttls[] = {{200, 7200}, {206, 7200}, {301, 7200}, {302, 1200},
                    {303, 1200}, {404, 180},  {410, 180}};

static bool varies_on_all(const struct headers *headers)
{
    struct cache_vary_walk walk = {.headers = headers};
    struct gw_str name;
    while (cache_vary_next(&walk, &name))
        if (gw_str_eq(name, GW_STR("*")))
            return true;
    return false;
}

/* "bytes 0-9/10" */
static bool covers_all(struct gw_str content_range)
{
    const struct gw_str start = GW_STR("bytes 0-");
    size_t slash = gw_str_chr(content_range, '/');
    uint64_t last, size;
    return gw_str_starts(content_range, start) && slash != GW_NPOS &&
           gw_str_u64(gw_str_from(gw_str_first(content_range, slash), start.len), UINT64_MAX - 1,
                      &last) &&
           gw_str_u64(gw_str_from(content_range, slash + 1), UINT64_MAX, &size) && last + 1 == size;
}

/* We ask for the whole, so a part answers no question of ours, and later requests for the whole
 * must not get it (RFC 9111 section 3.3). */
static bool is_part(const struct cache_response *r)
{
    if (r->status != 206)
        return false;
    const struct gw_str *range = headers_get(r->headers, HEADER_CONTENT_RANGE);
    const struct gw_str *type = headers_get(r->headers, HEADER_CONTENT_TYPE);
    const struct gw_str several = GW_STR("multipart/byteranges");
    return range ? !covers_all(*range)
                 : type && gw_str_ieq(gw_str_first(*type, several.len), several);
}

/* Steps a to c: what no setting can lift. */
static enum cache_reason refuse_always(const struct facts *f)
{
    const struct cache_response *r = f->response;
    if (r->edge_made)
        return CACHE_REASON_EDGE_ERROR;
    /* A 304 that nobody asked for describes an object we do not have. */
    if (r->status < 200 || r->status == 304)
        return CACHE_REASON_STATUS_UNCACHED;
    if (is_part(r))
        return CACHE_REASON_PARTIAL;
    if (varies_on_all(r->headers))
        return CACHE_REASON_VARY_ALL;
    if (r->length_known && r->body_len > f->policy->object_max)
        return CACHE_REASON_TOO_LARGE;
    return CACHE_REASON_NONE;
}

static const struct cache_status_ttl *find_status(const struct cache_settings *rule,
                                                  uint16_t status)
{
    const struct cache_status_ttl *range = NULL;
    for (size_t i = 0; rule && i < rule->edge_ttl.status_count; i++) {
        const struct cache_status_ttl *entry = &rule->edge_ttl.statuses[i];
        if (status < entry->from || status > entry->to)
            continue;
        if (entry->exact)
            return entry;
        if (!range)
            range = entry;
    }
    return range;
}

static const struct cache_status_ttl *status_rule(const struct facts *f)
{
    const struct cache_status_ttl *entry = NULL;
    if (f->response->revalidated)
        entry = find_status(f->edge_ttl, 304);
    return entry ? entry : find_status(f->edge_ttl, f->response->status);
}

/* Steps d and e: a rule names the TTL and the origin's directives do not count. */
static enum cache_reason ttl_by_rule(const struct facts *f, uint64_t *ttl_s)
{
    if (!f->edge_ttl)
        return CACHE_REASON_NONE;
    const struct cache_status_ttl *entry = status_rule(f);
    if (entry) {
        *ttl_s = entry->value > 0 ? (uint64_t)entry->value : 0;
        return entry->value == CACHE_STATUS_NO_STORE ? CACHE_REASON_STATUS_NO_STORE
                                                     : CACHE_REASON_STATUS_TTL;
    }
    if (f->edge_ttl->edge_ttl.mode != CACHE_TTL_OVERRIDE_ORIGIN)
        return CACHE_REASON_NONE;
    *ttl_s = f->edge_ttl->edge_ttl.seconds;
    return CACHE_REASON_EDGE_TTL;
}

/* Section 2.4. A cookie that is stored is a session handed to strangers: kept out, or the whole
 * response is. */
static enum cache_reason refuse_cookie(const struct facts *f, struct cache_decision *out)
{
    if (!headers_has(f->response->headers, HEADER_SET_COOKIE))
        return CACHE_REASON_NONE;
    const struct cache_settings *on = cache_settings_get(f->policy->rules, CACHE_SETTING_CACHE);
    bool named = cache_directives_names(&f->origin, GW_STR("Set-Cookie"));
    bool stripped_by_default = !f->occ && !(on && on->cache);
    if (!named && !stripped_by_default)
        return CACHE_REASON_SET_COOKIE;
    out->strip_set_cookie = true;
    return CACHE_REASON_NONE;
}

/* Section 2.5. */
static enum cache_reason refuse_authorization(const struct facts *f)
{
    const unsigned allowing = CC_PUBLIC | CC_S_MAXAGE | CC_MUST_REVALIDATE;
    if (!f->occ || !headers_has(f->request->headers, HEADER_AUTHORIZATION) ||
        f->origin.control.flags & allowing)
        return CACHE_REASON_NONE;
    return CACHE_REASON_AUTHORIZATION;
}

/* Steps i and j. */
static enum cache_reason refuse_by_directive(const struct facts *f)
{
    const struct cache_control *control = &f->origin.control;
    if (control->flags & CC_NO_STORE)
        return CACHE_REASON_NO_STORE;
    if (cache_directives_private(&f->origin))
        return CACHE_REASON_PRIVATE;
    /* RFC 9111 section 5.2.2.3: what must be understood is known by its status. */
    if (control->flags & CC_MUST_UNDERSTAND &&
        gw_str_eq(h1_status_text(f->response->status), GW_STR("Unknown")))
        return CACHE_REASON_STATUS_UNCACHED;
    /* From here on the right-hand column of section 2.6; what is for CDNs is stored and verified in
     * either mode (section 2.7). */
    if (f->occ || f->origin.for_cdn)
        return CACHE_REASON_NONE;
    if (control->flags & CC_NO_CACHE)
        return CACHE_REASON_NO_CACHE;
    bool zero =
        control->max_age == 0 || control->s_maxage == 0 || (cache_directives_ttl(&f->origin) == 0);
    return zero ? CACHE_REASON_ZERO_TTL : CACHE_REASON_NONE;
}

/* Step k. */
static enum cache_reason ttl_by_origin(const struct facts *f, uint64_t *ttl_s)
{
    if (cache_directives_no_cache(&f->origin)) {
        *ttl_s = 0;
        return CACHE_REASON_NO_CACHE;
    }
    int64_t seconds = cache_directives_ttl(&f->origin);
    if (seconds < 0)
        return CACHE_REASON_NONE;
    *ttl_s = (uint64_t)seconds;
    if (f->origin.control.s_maxage >= 0)
        return CACHE_REASON_S_MAXAGE;
    return f->origin.control.max_age >= 0 ? CACHE_REASON_MAX_AGE : CACHE_REASON_EXPIRES;
}

/* Steps l and m. */
static enum cache_reason ttl_by_default(const struct facts *f, uint64_t *ttl_s)
{
    if (f->edge_ttl && f->edge_ttl->edge_ttl.mode == CACHE_TTL_BYPASS_BY_DEFAULT)
        return CACHE_REASON_BYPASS_BY_DEFAULT;
    const struct cache_settings *key =
        cache_settings_get(f->policy->rules, CACHE_SETTING_CACHE_KEY);
    const struct gw_str *type = headers_get(f->response->headers, HEADER_CONTENT_TYPE);
    /* Here and not earlier: any word of the origin or a rule on the lifetime lifts the armor
     * (section 2.12). */
    if (key && key->key.deception_armor && type && cache_looks_deceptive(f->request->path, *type))
        return CACHE_REASON_DECEPTION;
    for (size_t i = 0; i < GW_COUNT(default_ttls); i++) {
        if (default_ttls[i].status == f->response->status) {
            *ttl_s = default_ttls[i].ttl_s;
            return CACHE_REASON_DEFAULT_TTL;
        }
    }
    return CACHE_REASON_STATUS_UNCACHED;
}

/* Step n. The setting takes effect only for fields that the response varies on; who names more of
 * them than can be told apart is not stored. */
static bool vary_bypasses(const struct facts *f)
{
    const struct cache_settings *rule = cache_settings_get(f->policy->rules, CACHE_SETTING_VARY);
    struct cache_vary_walk walk = {.headers = f->response->headers};
    struct gw_str name;
    size_t count = 0;
    while (rule && cache_vary_next(&walk, &name))
        if (cache_vary_action_of(rule, name) == CACHE_VARY_BYPASS ||
            ++count >= CACHE_VARY_NAMES_MAX)
            return true;
    return false;
}

/* Section 2.9: which stale answers the origin allows. A TTL from a rule lifts its must-revalidate
 * and s-maxage, its windows still hold. */
static struct cache_lifetime lifetime(const struct facts *f, uint64_t ttl_s, bool by_rule)
{
    const struct cache_control *control = &f->origin.control;
    const unsigned forbidding = CC_MUST_REVALIDATE | CC_PROXY_REVALIDATE | CC_S_MAXAGE;
    struct cache_lifetime life = {.ttl_s = (uint32_t)gw_min_u64(ttl_s, CACHE_TTL_MAX_S),
                                  .sie_s = CACHE_SIE_UNLIMITED};
    if (control->stale_while_revalidate > 0)
        life.swr_s =
            (uint32_t)gw_min_u64((uint64_t)control->stale_while_revalidate, CACHE_TTL_MAX_S);
    if (control->stale_if_error >= 0)
        life.sie_s = (uint32_t)gw_min_u64((uint64_t)control->stale_if_error, CACHE_TTL_MAX_S);
    if (by_rule || !f->occ)
        return life;
    bool no_cache = cache_directives_no_cache(&f->origin);
    if (control->flags & forbidding || no_cache)
        life.sie_s = 0;
    if (control->flags & forbidding || (no_cache && !CACHE_NO_CACHE_ALLOWS_SWR))
        life.swr_s = 0;
    return life;
}

/* RFC 9111 section 5.1: the first member of the first line; what is no number counts as absent. */
static uint32_t origin_age(const struct facts *f)
{
    const struct gw_str *value = headers_get(f->response->headers, HEADER_AGE);
    uint64_t age_s = 0;
    if (!CACHE_ORIGIN_AGE_COUNTS || !value ||
        !gw_str_u64(gw_str_trim(gw_str_first(*value, gw_str_chr(*value, ','))), CACHE_TTL_MAX_S,
                    &age_s))
        return 0;
    return (uint32_t)age_s;
}

static bool add_dropped(struct gw_str list, struct cache_decision *out)
{
    struct gw_str name;
    while (cache_control_field_next(&list, &name)) {
        if (out->drop_count == CACHE_DROP_MAX)
            return false;
        out->drop[out->drop_count++] = name;
    }
    return true;
}

static bool reason_refuses(enum cache_reason reason)
{
    return reason == CACHE_REASON_STATUS_NO_STORE || reason == CACHE_REASON_BYPASS_BY_DEFAULT ||
           reason == CACHE_REASON_DECEPTION || reason == CACHE_REASON_STATUS_UNCACHED;
}

/* Steps d and e; true when they answered. */
static bool decide_by_rule(const struct facts *f, struct cache_decision *out)
{
    uint64_t ttl_s = 0;
    out->reason = ttl_by_rule(f, &ttl_s);
    if (!out->reason)
        return false;
    if (!CACHE_RULE_LIFTS_AUTHORIZATION && refuse_authorization(f))
        out->reason = CACHE_REASON_AUTHORIZATION;
    out->store = !reason_refuses(out->reason) && out->reason != CACHE_REASON_AUTHORIZATION;
    out->strip_set_cookie = true;
    out->life = lifetime(f, ttl_s, true);
    return true;
}

/* Steps f to m: the origin's word, then the default. */
static void decide_by_origin(const struct facts *f, struct cache_decision *out)
{
    uint64_t ttl_s = 0;
    out->reason = refuse_cookie(f, out);
    if (!out->reason)
        out->reason = refuse_authorization(f);
    if (!out->reason)
        out->reason = refuse_by_directive(f);
    if (out->reason)
        return;
    out->reason = ttl_by_origin(f, &ttl_s);
    bool by_origin = out->reason != CACHE_REASON_NONE;
    if (!by_origin)
        out->reason = ttl_by_default(f, &ttl_s);
    if (reason_refuses(out->reason))
        return;
    if (!add_dropped(f->origin.control.private_fields, out) ||
        !add_dropped(f->origin.control.no_cache_fields, out)) {
        out->reason = CACHE_REASON_PRIVATE;
        return;
    }
    out->store = true;
    out->life = lifetime(f, ttl_s, false);
    if (by_origin)
        out->age_s = origin_age(f);
}

void cache_decide(const struct cache_policy *policy, const struct cache_request *request,
                  const struct cache_response *response, bool had_object, uint64_t now_ms,
                  struct cache_decision *out)
{
    /* Section 6: any response rule that matches turns the origin's cache control on. */
    struct facts f = {.policy = policy,
                      .request = request,
                      .response = response,
                      .edge_ttl = cache_settings_get(policy->rules, CACHE_SETTING_EDGE_TTL),
                      .origin = cache_directives_read(response->headers, now_ms),
                      .occ = response->ruled.matched || cache_policy_occ(policy)};
    *out = (struct cache_decision){.reason = refuse_always(&f)};
    /* Step c': what a response rule says about the lifetime stands above a cache rule's TTL. */
    if (!out->reason && (response->ruled.sets_ttl || !decide_by_rule(&f, out)))
        decide_by_origin(&f, out);
    if (out->store && vary_bypasses(&f)) {
        out->store = false;
        out->reason = CACHE_REASON_VARY_BYPASS;
    }
    /* As hits will need it: what is stored is written once, for all of them. */
    out->browser = cache_browser_of(policy, CACHE_STATUS_HIT);
    if (out->store)
        out->status = had_object ? CACHE_STATUS_EXPIRED : CACHE_STATUS_MISS;
    else
        *out = (struct cache_decision){.status = response->edge_made ? CACHE_STATUS_NONE
                                                                     : CACHE_STATUS_BYPASS,
                                       .reason = out->reason};
}
