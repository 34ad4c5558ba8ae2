/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A zone of the configuration: the hosts it answers for, the origin behind them and Cloudflare's
 * zone settings (spec/api-v4.md section 5). Values are plain facts; what they mean for caching is
 * decided in cache/, what they mean for rules in config/rules/.
 *
 * Texts end with a NUL behind their length and live as long as the configuration; one that was not
 * given has ptr == NULL. A number in brackets is the default. Thread: immutable after loading.
 * Owns: nothing; the configuration does. */
#include "config/fault.h"
#include "config/origin.h"

enum config_plan {
    CONFIG_PLAN_FREE, /* [free] */
    CONFIG_PLAN_PRO,
    CONFIG_PLAN_BUSINESS,
    CONFIG_PLAN_ENTERPRISE,
};
enum config_cache_level {
    CONFIG_CACHE_AGGRESSIVE, /* [aggressive] the query string is part of the key */
    CONFIG_CACHE_BASIC,      /* only requests without a query string are cached */
    CONFIG_CACHE_SIMPLIFIED, /* the query string is ignored */
    CONFIG_CACHE_BYPASS,     /* nothing is cached unless a rule says so */
};
enum config_ssl { CONFIG_SSL_OFF, CONFIG_SSL_FLEXIBLE, CONFIG_SSL_FULL, CONFIG_SSL_STRICT };
enum config_url_norm_type { CONFIG_URL_RFC3986, CONFIG_URL_CLOUDFLARE };
enum config_url_norm_scope { CONFIG_URL_INCOMING, CONFIG_URL_BOTH, CONFIG_URL_NONE };
enum config_user_kind { CONFIG_USER_NONE, CONFIG_USER_COOKIE, CONFIG_USER_HEADER };

/* Names by value, as the file and Cloudflare's API write them; NULL-terminated. */
extern const char *const config_plan_names[];
extern const char *const config_cache_level_names[];
extern const char *const config_ssl_names[];

struct config_settings {
    uint32_t browser_cache_ttl; /* seconds [14400]; 0: respect the origin */
    bool development_mode;      /* [off] nothing is served from the cache */
    enum config_cache_level cache_level;
    bool always_online;               /* [off] accepted, not simulated */
    bool sort_query_string_for_cache; /* [off] */
    struct {
        enum config_url_norm_type type;   /* [rfc3986] */
        enum config_url_norm_scope scope; /* [incoming] */
    } url_normalization;
    bool missing_ne;           /* [false] value of `ne` on a missing field (rules-language.md 7) */
    bool origin_cache_control; /* [true; enterprise: false]; below enterprise always true */
    enum config_ssl ssl;       /* [flexible] */
    bool always_use_https;     /* [off] 301 for whoever comes without TLS */
};

/* Is this one of the values that Cloudflare takes for browser_cache_ttl? */
bool config_browser_ttl_is_known(uint32_t seconds);

/* Who `${user}` in a limiter key is: the value of a cookie or a header. */
struct config_user_from {
    enum config_user_kind kind; /* [none: everybody is "anonymous"] */
    struct gw_str name;         /* cookie names as written, header names in lower case */
};

struct config_zone {
    struct gw_str name; /* lower case, unique */
    struct gw_str id;   /* 32 lower-case hex digits [derived from the name, always the same] */
    enum config_plan plan;
    struct gw_str *hosts; /* lower case, no host twice in a configuration [the name] */
    size_t host_count;
    bool any_host; /* hosts holds "*": the zone for hosts that no zone names */
    struct config_origin origin;
    struct config_settings settings;
    struct gw_str *rulesets; /* paths that can be opened from the working directory [none] */
    size_t ruleset_count;
    struct gw_str limiters; /* path likewise; not given: no limiters */
    struct config_user_from user_from;
    bool worker_first;  /* [false] a Worker route stands before the cache: no CF-Cache-Status */
    bool mirror_checks; /* [false] the app's own origin and CSRF refusals (limiter/app_check.h) */
    struct config_origin_rule *origin_rules; /* [none] requests that go elsewhere */
    size_t origin_rule_count;
    struct config_fault *faults; /* [none] */
    size_t fault_count;
};
