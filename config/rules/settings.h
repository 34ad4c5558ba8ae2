/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The action_parameters of set_cache_settings, typed (spec/cache-behaviour.md section 4.2), and the
 * merged view of all rules that matched a request: per top-level key the last matching rule wins
 * (section 4.1), by pointer, nothing is copied.
 *
 * Owns: nothing by itself; lists and texts live in the ruleset's arena. Thread: immutable. Numbers
 * are seconds unless named otherwise. A member is meaningful when its key is present. */
#include "config/rules/settings_values.h"

/* The top-level keys. "Not simulated" ones are accepted, kept and reported as such. */
#define CACHE_SETTINGS(X)                                                                          \
    X(CACHE, "cache", true)                                                                        \
    X(EDGE_TTL, "edge_ttl", true)                                                                  \
    X(BROWSER_TTL, "browser_ttl", true)                                                            \
    X(CACHE_KEY, "cache_key", true)                                                                \
    X(SERVE_STALE, "serve_stale", true)                                                            \
    X(RESPECT_STRONG_ETAGS, "respect_strong_etags", true)                                          \
    X(ORIGIN_ERROR_PAGE_PASSTHRU, "origin_error_page_passthru", true)                              \
    X(ORIGIN_CACHE_CONTROL, "origin_cache_control", true)                                          \
    X(ADDITIONAL_CACHEABLE_PORTS, "additional_cacheable_ports", true)                              \
    X(READ_TIMEOUT, "read_timeout", true)                                                          \
    X(CACHE_RESERVE, "cache_reserve", false)                                                       \
    X(VARY, "vary", true)                                                                          \
    X(ORIGIN_RANGE_REQUESTS, "origin_range_requests", false)                                       \
    X(SHARED_DICTIONARY, "shared_dictionary", false)                                               \
    X(STRIP_ETAGS, "strip_etags", true)                                                            \
    X(STRIP_SET_COOKIE, "strip_set_cookie", true)                                                  \
    X(STRIP_LAST_MODIFIED, "strip_last_modified", true)

#define X(id, name, simulated) CACHE_SETTING_##id,
enum cache_setting { CACHE_SETTINGS(X) CACHE_SETTING_COUNT };
#undef X

/* "edge_ttl"; static. */
const char *cache_setting_name(enum cache_setting key);
bool cache_setting_simulated(enum cache_setting key);

struct cache_settings {
    uint32_t present; /* bit per enum cache_setting */
    bool cache;
    bool disable_stale_while_updating; /* serve_stale */
    bool respect_strong_etags;
    bool origin_error_page_passthru;
    bool origin_cache_control;
    bool strip_etags, strip_set_cookie, strip_last_modified;
    uint16_t read_timeout;
    struct {
        enum cache_ttl_mode mode;
        uint64_t seconds; /* default; 0 unless override_origin */
        const struct cache_status_ttl *statuses;
        size_t status_count;
    } edge_ttl;
    struct {
        enum cache_ttl_mode mode;
        uint64_t seconds;
    } browser_ttl;
    struct {
        bool by_device_type, deception_armor, ignore_query_order;
        const struct cache_custom_key *custom; /* NULL: none given */
    } key;
    const uint16_t *ports; /* additional_cacheable_ports */
    size_t port_count;
    struct {
        enum cache_vary_action fallback; /* "default" */
        const struct cache_vary_header *headers;
        size_t count;
    } vary;
};

static inline bool cache_settings_has(const struct cache_settings *s, enum cache_setting key)
{
    return s->present >> key & 1;
}

/* Which rule said what. `from` and `rule` are valid for present keys only. */
struct cache_settings_merged {
    uint32_t present;
    const struct cache_settings *from[CACHE_SETTING_COUNT];
    uint16_t rule[CACHE_SETTING_COUNT]; /* index in the ruleset */
};

/* The settings object whose member `key` holds, or NULL when no rule said anything about it. */
static inline const struct cache_settings *cache_settings_get(const struct cache_settings_merged *m,
                                                              enum cache_setting key)
{
    return m->present >> key & 1 ? m->from[key] : NULL;
}
/* Lays the settings of one matching rule over what earlier ones said. */
static inline void cache_settings_merge(struct cache_settings_merged *m,
                                        const struct cache_settings *s, uint16_t rule)
{
    for (uint32_t rest = s->present; rest; rest &= rest - 1) {
        int key = __builtin_ctz(rest);
        m->from[key] = s;
        m->rule[key] = rule;
    }
    m->present |= s->present;
}
