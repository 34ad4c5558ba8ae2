/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a zone: hosts, Cloudflare's settings; origins have a table of their own. */
#include "config/forms.h"
#include "config/load.h"

const char *const config_plan_names[] = {"free", "pro", "business", "enterprise", NULL};
const char *const config_cache_level_names[] = {"aggressive", "basic", "simplified", "bypass",
                                                NULL};
const char *const config_ssl_names[] = {"off", "flexible", "full", "strict", NULL};
static const char *const url_type_words[] = {"rfc3986", "cloudflare", NULL};
static const char *const url_scope_words[] = {"incoming", "both", "none", NULL};

static const struct schema_key url_keys[] = {
    {SCHEMA_KEY(struct config_settings, url_normalization.type, "type", ENUM), .initial = "rfc3986",
     .words = url_type_words, .help = "what is normalised"},
    {SCHEMA_KEY(struct config_settings, url_normalization.scope, "scope", ENUM),
     .initial = "incoming", .words = url_scope_words,
     .help = "for rules and cache alone, for the origin too, or not at all"},
    {0}};
static const struct schema_section url_normalization = {0, url_keys, NULL, NULL};

static const struct schema_key settings_keys[] = {
    {SCHEMA_KEY(struct config_settings, browser_cache_ttl, "browser_cache_ttl", INT),
     .initial = "14400", .max = 31536000, .help = "seconds; 0: respect the origin"},
    {SCHEMA_KEY(struct config_settings, development_mode, "development_mode", SWITCH),
     .initial = "off", .help = "serve nothing from the cache"},
    {SCHEMA_KEY(struct config_settings, cache_level, "cache_level", ENUM), .initial = "aggressive",
     .words = config_cache_level_names, .help = "how the query string counts"},
    {SCHEMA_KEY(struct config_settings, always_online, "always_online", SWITCH), .initial = "off",
     .flags = SCHEMA_NOT_SIMULATED, .help = "stale answers, no Internet Archive"},
    {SCHEMA_KEY(struct config_settings, sort_query_string_for_cache, "sort_query_string_for_cache",
                SWITCH),
     .initial = "off", .help = "the order of query parameters does not count"},
    {.name = "url_normalization",
     .kind = SCHEMA_OBJECT,
     .section = &url_normalization,
     .help = "how paths are brought to one form"},
    {SCHEMA_KEY(struct config_settings, missing_ne, "missing_ne", BOOL), .initial = "false",
     .help = "what `ne` says about a field that is missing"},
    {SCHEMA_KEY(struct config_settings, origin_cache_control, "origin_cache_control", SWITCH),
     .initial = "on", .help = "honour the origin's Cache-Control; can be off on enterprise only"},
    {SCHEMA_KEY(struct config_settings, ssl, "ssl", ENUM), .initial = "flexible",
     .words = config_ssl_names,
     .help = "which scheme the origin is spoken to with, if its URL (//host) leaves that open"},
    {SCHEMA_KEY(struct config_settings, always_use_https, "always_use_https", SWITCH),
     .initial = "off", .help = "redirect visitors without TLS to https"},
    {0}};
static const struct schema_section settings = {sizeof(struct config_settings), settings_keys, NULL,
                                               check_settings};

static const struct schema_key host_item = {
    .name = "hosts[]", .kind = SCHEMA_FORM, .form = &form_host, .help = "a host, or \"*\""};
static const struct schema_key ruleset_item = {
    .name = "rulesets[]", .kind = SCHEMA_PATH, .help = "a ruleset file"};

static const struct schema_key origin_rule_item = {.name = "origin_rules[]",
                                                   .kind = SCHEMA_OBJECT,
                                                   .section = &schema_origin_rule,
                                                   .help = "a rule"};
static const struct schema_key fault_item = {
    .name = "faults[]", .kind = SCHEMA_OBJECT, .section = &schema_fault, .help = "a fault"};

static const struct schema_key zone_keys[] = {
    {SCHEMA_KEY(struct config_zone, name, "name", FORM), .flags = SCHEMA_REQUIRED,
     .form = &form_host, .help = "the domain"},
    {SCHEMA_KEY(struct config_zone, id, "id", FORM), .form = &form_zone_id,
     .help = "of the zone in the API; default: derived from the name"},
    {SCHEMA_KEY(struct config_zone, plan, "plan", ENUM), .initial = "free",
     .words = config_plan_names, .help = "decides which rules are possible"},
    {SCHEMA_KEY(struct config_zone, hosts, "hosts", LIST), .item = &host_item, .max = 100000,
     .help = "the Host values it answers for; default: its name"},
    {SCHEMA_KEY(struct config_zone, origin, "origin", OBJECT), .flags = SCHEMA_REQUIRED,
     .section = &schema_origin, .help = "the server or servers behind; a URL alone will do"},
    {SCHEMA_KEY(struct config_zone, settings, "settings", OBJECT), .section = &settings,
     .help = "Cloudflare's zone settings"},
    {SCHEMA_KEY(struct config_zone, rulesets, "rulesets", LIST), .flags = SCHEMA_MAY_BE_EMPTY,
     .max = 1000, .item = &ruleset_item, .help = "files with Cloudflare's ruleset JSON"},
    {SCHEMA_KEY(struct config_zone, limiters, "limiters", PATH),
     .help = "file with limiters and their routes"},
    {SCHEMA_KEY(struct config_zone, user_from, "user_from", FORM), .form = &form_user_from,
     .help = "who ${user} in limiter keys is; default: everybody is anonymous"},
    {SCHEMA_KEY(struct config_zone, worker_first, "worker_first", BOOL), .initial = "false",
     .help = "a Worker route stands in front of the cache"},
    {SCHEMA_KEY(struct config_zone, mirror_checks, "mirror_checks", BOOL), .initial = "false",
     .help = "the app's own 403s for a foreign Origin or CSRF token, before its limiter counts"},
    {SCHEMA_KEY(struct config_zone, origin_rules, "origin_rules", LIST),
     .flags = SCHEMA_MAY_BE_EMPTY, .max = 100, .item = &origin_rule_item,
     .help = "requests that go to another origin"},
    {SCHEMA_KEY(struct config_zone, faults, "faults", LIST), .flags = SCHEMA_MAY_BE_EMPTY,
     .max = CONFIG_FAULTS_MAX, .item = &fault_item, .help = "faults on demand, for drills"},
    {0}};
const struct schema_section schema_zone = {sizeof(struct config_zone), zone_keys, NULL, check_zone};
