/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/browser_ttl.h"

#include "gateway/http/cache_control.h"

/* Seconds the browser shall keep it at least; 0: the origin's word stands. */
static uint64_t configured_seconds(const struct cache_settings *rule,
                                   const struct cache_policy *policy)
{
    if (!rule)
        return policy->zone->settings.browser_cache_ttl;
    return rule->browser_ttl.mode == CACHE_TTL_OVERRIDE_ORIGIN ? rule->browser_ttl.seconds : 0;
}

static struct gw_str directive_name(struct gw_str item)
{
    return gw_str_trim(gw_str_first(item, gw_str_chr(item, '=')));
}

/* The end of the first directive of the list: a comma inside quotes separates nothing. */
static size_t directive_end(struct gw_str list)
{
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        if (list.ptr[i] == '"')
            quoted = !quoted;
        else if (list.ptr[i] == ',' && !quoted)
            return i;
    }
    return list.len;
}

/* All directives of the origin but those that the new value replaces. */
static void add_others(struct gw_str origin, bool occ, struct gw_buf *out)
{
    while (origin.len) {
        size_t end = directive_end(origin);
        struct gw_str item = gw_str_trim(gw_str_first(origin, end));
        struct gw_str name = directive_name(item);
        origin = gw_str_from(origin, end + 1);
        bool replaced = name.len == 0 || gw_str_ieq(name, GW_STR("public")) ||
                        gw_str_ieq(name, GW_STR("max-age")) ||
                        (!occ && gw_str_ieq(name, GW_STR("private")));
        if (replaced)
            continue;
        gw_buf_add(out, GW_STR(", "));
        gw_buf_add(out, item);
    }
}

struct cache_browser cache_browser_of(const struct cache_policy *policy, enum cache_status status)
{
    const struct cache_settings *rule =
        cache_settings_get(policy->rules, CACHE_SETTING_BROWSER_TTL);
    struct cache_browser browser = {0};
    if (!cache_status_is_cached(status))
        return browser;
    /* Two names for one thing (section 9, row 16). */
    browser.no_store = rule && (rule->browser_ttl.mode == CACHE_TTL_BYPASS ||
                                rule->browser_ttl.mode == CACHE_TTL_BYPASS_BY_DEFAULT);
    browser.seconds = browser.no_store ? 0 : configured_seconds(rule, policy);
    browser.occ = browser.seconds && cache_policy_occ(policy);
    return browser;
}

/* The table of spec/cache-behaviour.md section 2.18: "public" only where the origin had a
 * Cache-Control to replace, and a configured time lengthens the origin's and never shortens it. Its
 * other directives stay: nothing says that Cloudflare drops them. */
enum cache_browser_ttl cache_browser_control(struct cache_browser browser, struct gw_str origin,
                                             struct gw_buf *out)
{
    if (browser.no_store) {
        gw_buf_add(out, GW_STR("no-store"));
        return CACHE_BROWSER_REPLACE;
    }
    if (browser.seconds == 0)
        return CACHE_BROWSER_KEEP;
    struct cache_control control = cache_control_parse(origin);
    /* A response that the origin wants nowhere (a rule stored it at the edge all the same) must not
     * become public in browsers. */
    if (browser.occ && control.flags & (CC_NO_STORE | CC_NO_CACHE))
        return CACHE_BROWSER_KEEP;
    bool is_private = browser.occ && control.flags & CC_PRIVATE;
    if (origin.len && !is_private)
        gw_buf_add(out, GW_STR("public, "));
    gw_buf_add(out, GW_STR("max-age="));
    gw_buf_u64(out, control.max_age > 0 ? gw_max_u64(browser.seconds, (uint64_t)control.max_age)
                                        : browser.seconds);
    add_others(origin, browser.occ, out);
    return CACHE_BROWSER_REPLACE;
}
