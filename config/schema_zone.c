/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a zone: hosts, origin, Cloudflare's settings. */
#include "config/forms.h"
#include "config/load.h"

#define DAY_MS 86400000

const char *const config_plan_names[] = {"free", "pro", "business", "enterprise", NULL};
const char *const config_cache_level_names[] = {"aggressive", "basic", "simplified", "bypass",
                                                NULL};
const char *const config_ssl_names[] = {"off", "flexible", "full", "strict", NULL};
static const char *const url_type_words[] = {"rfc3986", "cloudflare", NULL};
static const char *const url_scope_words[] = {"incoming", "both", "none", NULL};

static const struct schema_key origin_tls_keys[] = {
    {SCHEMA_KEY(struct config_origin, tls.ca, "ca", PATH),
     .help = "PEM file with the authorities to trust; default: the system's"},
    {SCHEMA_KEY(struct config_origin, tls.server_name, "server_name", FORM), .form = &form_host,
     .help = "the name the certificate must have; default: the host"},
    {SCHEMA_KEY(struct config_origin, tls.verify, "verify", BOOL), .initial = "true",
     .help = "check the certificate"},
    {0}};
static const struct schema_section origin_tls = {0, origin_tls_keys, NULL, NULL};

/* Defaults are Cloudflare's connection limits: 19 s to connect, 120 s between two reads, 15 minutes
 * for an idle connection (spec/cache-behaviour.md on 522 and 524). */
static const struct schema_key origin_keys[] = {
    {.name = "url",
     .kind = SCHEMA_FORM,
     .flags = SCHEMA_REQUIRED,
     .form = &form_origin_url,
     .help = "scheme, host and port of the origin"},
    {SCHEMA_KEY(struct config_origin, host_header, "host_header", FORM), .initial = "preserve",
     .form = &form_host_header, .help = "Host towards the origin: the visitor's, or this one"},
    {SCHEMA_KEY(struct config_origin, connect_timeout_ms, "connect_timeout_ms", INT),
     .initial = "19000", .min = 1, .max = DAY_MS, .help = "until the connection stands; then 522"},
    {SCHEMA_KEY(struct config_origin, read_timeout_ms, "read_timeout_ms", INT), .initial = "120000",
     .min = 1, .max = DAY_MS, .help = "between two reads; then 524"},
    {SCHEMA_KEY(struct config_origin, write_timeout_ms, "write_timeout_ms", INT),
     .initial = "30000", .min = 1, .max = DAY_MS, .help = "while the origin takes no byte"},
    {SCHEMA_KEY(struct config_origin, idle_timeout_ms, "idle_timeout_ms", INT), .initial = "900000",
     .min = 1, .max = DAY_MS, .help = "an unused connection stays open"},
    {.name = "tls", .kind = SCHEMA_OBJECT, .section = &origin_tls, .help = "for https origins"},
    {0}};
static const struct schema_section origin = {sizeof(struct config_origin), origin_keys, "url",
                                             check_origin};

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
     .flags = SCHEMA_NOT_SIMULATED, .help = "pages from the Internet Archive"},
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
     .words = config_ssl_names, .help = "which scheme the origin is spoken to with"},
    {0}};
static const struct schema_section settings = {sizeof(struct config_settings), settings_keys, NULL,
                                               check_settings};

static const struct schema_key host_item = {
    .name = "hosts[]", .kind = SCHEMA_FORM, .form = &form_host, .help = "a host, or \"*\""};
static const struct schema_key ruleset_item = {
    .name = "rulesets[]", .kind = SCHEMA_PATH, .help = "a ruleset file"};

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
     .section = &origin, .help = "the server behind; the URL alone will do"},
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
     .flags = SCHEMA_NOT_SIMULATED, .help = "answer the app's own CSRF and session refusals"},
    {0}};
const struct schema_section schema_zone = {sizeof(struct config_zone), zone_keys, NULL, check_zone};
