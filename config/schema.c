/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the file as a whole; zones and the limiter have tables of their own. */
#include "config/schema.h"

#include "config/forms.h"
#include "config/load.h"

#define DAY_MS   86400000
#define SIZE_TOP ((uint64_t)1 << 50)

static const char *const clock_words[] = {"system", "virtual", NULL};
static const char *const scheme_words[] = {"http", "https", NULL};
static const char *const log_format_words[] = {"json", "common", NULL};
static const char *const log_level_words[] = {"error", "warn", "info", "debug", NULL};

static const char *const seccomp_action_words[] = {"deny", "kill", NULL};

static const struct schema_key certificate_keys[] = {
    {SCHEMA_KEY(struct config_certificate, certificate, "certificate", PATH),
     .help = "PEM file with the certificate and its chain"},
    {SCHEMA_KEY(struct config_certificate, key, "key", PATH), .help = "PEM file with its key"},
    {SCHEMA_KEY(struct config_certificate, local_ca, "local_ca", BOOL), .initial = "false",
     .help = "made for the hosts of all zones by the authority of `nearedge trust`"},
    {SCHEMA_KEY(struct config_certificate, local_ca_dir, "local_ca_dir", FORM),
     .form = &form_folder, .help = "where that authority lives; default: ~/.local/share/nearedge"},
    {0}};
static const struct schema_section certificate = {sizeof(struct config_certificate),
                                                  certificate_keys, NULL, check_certificate};
static const struct schema_key certificate_item = {
    .name = "tls[]", .kind = SCHEMA_OBJECT, .section = &certificate, .help = "a certificate"};

static const struct schema_key listen_keys[] = {
    {SCHEMA_KEY(struct config_listen, address, "address", FORM), .initial = "127.0.0.1:8080",
     .form = &form_address,
     .help = "IP address and port, or unix:PATH; port 0: the kernel chooses"},
    {SCHEMA_KEY(struct config_listen, edge_name, "edge", FORM), .form = &form_edge_name,
     .help = "the simulated place its visitors reach; default: the first edge"},
    {SCHEMA_KEY(struct config_listen, visitor_port, "visitor_port", INT), .min = 1, .max = 65535,
     .help = "the public port it stands for; default: that of visitor_scheme"},
    {SCHEMA_KEY(struct config_listen, visitor_https, "visitor_scheme", SWITCH), .initial = "http",
     .words = scheme_words, .help = "the scheme its visitors are taken to use"},
    {SCHEMA_KEY(struct config_listen, h2c, "h2c", BOOL), .initial = "false",
     .help = "also HTTP/2 without TLS, for clients that begin with its preface"},
    {SCHEMA_KEY(struct config_listen, tls, "tls", LIST), .flags = SCHEMA_LONE_ITEM, .max = 64,
     .item = &certificate_item, .help = "its certificates, chosen by name; not given: no TLS"},
    {0}};
static const struct schema_section listen = {sizeof(struct config_listen), listen_keys, "address",
                                             check_listen};
static const struct schema_key listen_item = {
    .name = "listen[]", .kind = SCHEMA_OBJECT, .section = &listen, .help = "a listener"};

static const struct schema_key admin_keys[] = {
    {SCHEMA_KEY(struct config_admin, address, "address", FORM), .initial = "127.0.0.1:8081",
     .form = &form_address, .help = "where the API and the metrics are; loopback or unix:PATH"},
    {SCHEMA_KEY(struct config_admin, token, "token", TEXT), .flags = SCHEMA_SECRET,
     .help = "bearer token; mandatory unless loopback or a Unix socket"},
    {SCHEMA_KEY(struct config_admin, api_email, "api_email", TEXT),
     .help = "user of the older X-Auth-Email and X-Auth-Key pair"},
    {SCHEMA_KEY(struct config_admin, api_key, "api_key", TEXT), .flags = SCHEMA_SECRET,
     .help = "key of the older X-Auth-Email and X-Auth-Key pair"},
    {SCHEMA_KEY(struct config_admin, tls, "tls", LIST), .flags = SCHEMA_LONE_ITEM, .max = 64,
     .item = &certificate_item, .help = "its certificates, as of a listener; not given: no TLS"},
    {SCHEMA_KEY(struct config_admin, persist, "persist", BOOL), .initial = "false",
     .help = "write rulesets that the API changed back to their files"},
    {SCHEMA_KEY(struct config_admin, record, "record", BOOL), .initial = "false",
     .help = "keep the newest 1000 exchanges for the inspector also while nobody looks"},
    {0}};
static const struct schema_section admin = {sizeof(struct config_admin), admin_keys, "address",
                                            check_admin};

static const struct schema_key edge_keys[] = {
    {SCHEMA_KEY(struct config_edge, name, "name", FORM), .initial = "FRA", .form = &form_edge_name,
     .flags = SCHEMA_REQUIRED, .help = "airport code, as in CF-Ray"},
    {SCHEMA_KEY(struct config_edge, country, "country", FORM), .initial = "DE",
     .form = &form_country, .flags = SCHEMA_REQUIRED, .help = "where its simulated visitors are"},
    {SCHEMA_KEY(struct config_edge, continent, "continent", FORM), .initial = "EU",
     .form = &form_continent, .help = "default: that of the country"},
    {SCHEMA_KEY(struct config_edge, asnum, "asnum", INT), .initial = "0", .max = UINT32_MAX,
     .help = "network its simulated visitors come from; 0: unknown"},
    {SCHEMA_KEY(struct config_edge, isolates, "isolates", INT), .initial = "1", .min = 1, .max = 64,
     .help = "Worker isolates; each has its own memory counters"},
    {0}};
static const struct schema_section edge = {sizeof(struct config_edge), edge_keys, NULL, check_edge};
static const struct schema_key edge_item = {
    .name = "edges[]", .kind = SCHEMA_OBJECT, .section = &edge, .help = "a simulated location"};

static const struct schema_key cache_keys[] = {
    {SCHEMA_KEY(struct config_cache, max_size, "max_size", SIZE), .initial = "256MiB",
     .max = SIZE_TOP, .help = "memory for cached objects of all edges"},
    {SCHEMA_KEY(struct config_cache, max_object_size, "max_object_size", SIZE), .initial = "512MB",
     .min = 1, .max = SIZE_TOP, .help = "larger responses pass uncached"},
    {0}};
static const struct schema_section cache = {sizeof(struct config_cache), cache_keys, NULL, NULL};

/* idle_ms is Cloudflare's 400 s for kept-alive visitors; the others are what nginx users expect,
 * short enough that slow senders cannot hold connections for long. */
static const struct schema_key timeouts_keys[] = {
    {SCHEMA_KEY(struct config_timeouts, header_ms, "header_ms", INT), .initial = "15000", .min = 1,
     .max = DAY_MS, .help = "from the first byte of a request to the end of its head"},
    {SCHEMA_KEY(struct config_timeouts, body_ms, "body_ms", INT), .initial = "30000", .min = 1,
     .max = DAY_MS, .help = "between two reads of a request body"},
    {SCHEMA_KEY(struct config_timeouts, idle_ms, "idle_ms", INT), .initial = "400000", .min = 1,
     .max = DAY_MS, .help = "a kept-alive connection without a request"},
    {SCHEMA_KEY(struct config_timeouts, write_ms, "write_ms", INT), .initial = "30000", .min = 1,
     .max = DAY_MS, .help = "while the visitor takes no byte"},
    {SCHEMA_KEY(struct config_timeouts, drain_ms, "drain_ms", INT), .initial = "30000",
     .max = DAY_MS, .help = "after TERM, for exchanges under way"},
    {SCHEMA_KEY(struct config_timeouts, handshake_ms, "handshake_ms", INT), .initial = "10000",
     .min = 1, .max = DAY_MS, .help = "of TLS, from the connection on"},
    {0}};
static const struct schema_section timeouts = {sizeof(struct config_timeouts), timeouts_keys, NULL,
                                               NULL};

/* Defaults are what Cloudflare takes on every plan: a URL of 16 KB, 128 KB of headers, and the 100
 * MB of body that Free and Pro have. */
static const struct schema_key limits_keys[] = {
    {SCHEMA_KEY(struct config_limits, uri_size, "uri_size", SIZE), .initial = "16KiB", .min = 256,
     .max = 1 << 20, .help = "longer request targets get 414"},
    {SCHEMA_KEY(struct config_limits, header_size, "header_size", SIZE), .initial = "128KiB",
     .min = 1024, .max = 1 << 24, .help = "larger request heads get 431"},
    {SCHEMA_KEY(struct config_limits, body_size, "body_size", SIZE), .initial = "100MB",
     .max = SIZE_TOP, .help = "larger request bodies get 413"},
    {SCHEMA_KEY(struct config_limits, connections, "connections", INT), .initial = "10000",
     .min = 1, .max = 10000000, .help = "open visitor connections of the process"},
    {SCHEMA_KEY(struct config_limits, admin_connections, "admin_connections", INT),
     .initial = "128", .min = 1, .max = 100000, .help = "open connections of the admin listener"},
    {0}};
static const struct schema_section limits = {sizeof(struct config_limits), limits_keys, NULL, NULL};

static const struct schema_key mask_item = {
    .name = "mask[]", .kind = SCHEMA_TEXT, .help = "a query parameter"};
static const struct schema_key log_keys[] = {
    {.name = "access",
     .kind = SCHEMA_FORM,
     .initial = "stdout",
     .form = &form_access_log,
     .help = "where the access log goes"},
    {SCHEMA_KEY(struct config_log, format, "format", ENUM), .initial = "json",
     .words = log_format_words, .help = "of the access log: Logpush field names, or common"},
    {SCHEMA_KEY(struct config_log, level, "level", ENUM), .initial = "info",
     .words = log_level_words, .help = "of the operational log on stderr"},
    {SCHEMA_KEY(struct config_log, mask, "mask", LIST), .flags = SCHEMA_MAY_BE_EMPTY, .max = 256,
     .item = &mask_item, .help = "query parameters whose values are never written"},
    {0}};
static const struct schema_section log_section = {sizeof(struct config_log), log_keys, NULL, NULL};

static const struct schema_key proxy_item = {.name = "trusted_proxies[]",
                                             .kind = SCHEMA_FORM,
                                             .form = &form_cidr,
                                             .help = "an address block"};
static const struct schema_key zone_item = {
    .name = "zones[]", .kind = SCHEMA_OBJECT, .section = &schema_zone, .help = "a zone"};

static const struct schema_key root_keys[] = {
    {SCHEMA_KEY(struct config, listen, "listen", LIST), .flags = SCHEMA_ONE_ITEM, .max = 256,
     .item = &listen_item, .help = "where visitors are served"},
    {SCHEMA_KEY(struct config, admin, "admin", OBJECT), .section = &admin,
     .help = "the API, metrics and health checks; not given: none"},
    {SCHEMA_KEY(struct config, workers, "workers", INT), .initial = "0", .max = 256,
     .help = "threads; 0: one for each processor"},
    {SCHEMA_KEY(struct config, trusted_proxies, "trusted_proxies", LIST),
     .flags = SCHEMA_MAY_BE_EMPTY, .max = 4096, .item = &proxy_item,
     .help = "peers that may say who the visitor is"},
    {SCHEMA_KEY(struct config, clock, "clock", ENUM), .initial = "system", .words = clock_words,
     .help = "virtual: time moves only through the admin API"},
    {SCHEMA_KEY(struct config, server_header, "server_header", FORM), .initial = "cloudflare",
     .form = &form_header_text, .flags = SCHEMA_MAY_BE_EMPTY,
     .help = "Server on responses; empty: the origin's passes"},
    {SCHEMA_KEY(struct config, debug_headers, "debug_headers", BOOL), .initial = "false",
     .help = "X-Nearedge-Decision on responses"},
    {SCHEMA_KEY(struct config, edges, "edges", LIST), .flags = SCHEMA_ONE_ITEM, .max = 512,
     .item = &edge_item, .help = "simulated Cloudflare locations"},
    {SCHEMA_KEY(struct config, zones, "zones", LIST), .flags = SCHEMA_REQUIRED, .max = 10000,
     .item = &zone_item, .help = "the domains this edge answers for"},
    {SCHEMA_KEY(struct config, cache, "cache", OBJECT), .section = &cache, .help = "the cache"},
    {SCHEMA_KEY(struct config, limiter, "limiter", OBJECT), .section = &schema_limiter,
     .help = "where counters live"},
    {SCHEMA_KEY(struct config, timeouts, "timeouts", OBJECT), .section = &timeouts,
     .help = "towards visitors"},
    {SCHEMA_KEY(struct config, limits, "limits", OBJECT), .section = &limits,
     .help = "ceilings for what visitors send"},
    {SCHEMA_KEY(struct config, log, "log", OBJECT), .section = &log_section, .help = "logs"},
    {SCHEMA_KEY(struct config, faults_seed, "faults_seed", INT), .initial = "1", .max = UINT32_MAX,
     .help = "decides which requests a fault's ratio meets"},
    {SCHEMA_KEY(struct config, user, "user", FORM), .form = &form_user,
     .help = "NAME or NAME:GROUP; whom root becomes once its ports are bound"},
    {SCHEMA_KEY(struct config, seccomp, "seccomp", BOOL), .initial = "false",
     .help = "refuse system calls that an edge does not need"},
    {SCHEMA_KEY(struct config, seccomp_action, "seccomp_action", ENUM), .initial = "deny",
     .words = seccomp_action_words, .help = "such a call fails with EPERM, or ends the process"},
    {0}};
const struct schema_section schema_root = {sizeof(struct config), root_keys, NULL, NULL};
