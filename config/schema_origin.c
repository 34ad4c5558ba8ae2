/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of an origin, of the rules that send requests elsewhere, and of faults. */
#include "config/forms.h"
#include "config/load.h"

#define DAY_MS 86400000

static const char *const balance_words[] = {"round_robin", "least_connections", NULL};
static const char *const where_words[] = {"origin", "edge", "counters", NULL};

static const struct schema_key tls_keys[] = {
    {SCHEMA_KEY(struct config_origin, tls.ca, "ca", PATH),
     .help = "PEM file with the authorities to trust; default: the system's"},
    {SCHEMA_KEY(struct config_origin, tls.server_name, "server_name", FORM), .form = &form_host,
     .help = "the name the certificate must have; default: the host"},
    {SCHEMA_KEY(struct config_origin, tls.verify, "verify", BOOL), .initial = "true",
     .help = "check the certificate"},
    {SCHEMA_KEY(struct config_origin, tls.certificate, "certificate", PATH),
     .help = "PEM file with our own certificate, for origins that ask for one"},
    {SCHEMA_KEY(struct config_origin, tls.key, "key", PATH), .help = "PEM file with its key"},
    {0}};
static const struct schema_section tls = {0, tls_keys, NULL, NULL};

static const struct schema_key server_keys[] = {
    {.name = "url",
     .kind = SCHEMA_FORM,
     .flags = SCHEMA_REQUIRED,
     .form = &form_origin_url,
     .help = "scheme, host and port of the server"},
    {SCHEMA_KEY(struct config_origin, weight, "weight", INT), .initial = "1", .min = 1, .max = 1000,
     .help = "its share of the requests"},
    {SCHEMA_KEY(struct config_origin, backup, "backup", BOOL), .initial = "false",
     .help = "asked only when all others are down"},
    {0}};
static const struct schema_section server = {sizeof(struct config_origin), server_keys, "url",
                                             NULL};
static const struct schema_key server_item = {
    .name = "servers[]", .kind = SCHEMA_OBJECT, .section = &server, .help = "a server"};

static const struct schema_key status_item = {
    .name = "status[]", .kind = SCHEMA_INT, .min = 100, .max = 599, .help = "a status"};
static const struct schema_key word_item = {
    .name = "json_status[]", .kind = SCHEMA_TEXT, .help = "a word"};

static const struct schema_key health_keys[] = {
    {SCHEMA_KEY(struct config_origin, health.path, "path", FORM), .initial = "/",
     .form = &form_path, .help = "what is asked for"},
    {SCHEMA_KEY(struct config_origin, health.host, "host", FORM), .form = &form_host,
     .help = "its Host; default: host_header, or the server's own"},
    {SCHEMA_KEY(struct config_origin, health.interval_ms, "interval_ms", INT), .initial = "5000",
     .min = 10, .max = DAY_MS, .help = "between two probes of a server"},
    {SCHEMA_KEY(struct config_origin, health.timeout_ms, "timeout_ms", INT), .initial = "2000",
     .min = 10, .max = DAY_MS, .help = "for a probe as a whole"},
    {SCHEMA_KEY(struct config_origin, health.rise, "rise", INT), .initial = "2", .min = 1,
     .max = 100, .help = "good probes in a row that bring a server back"},
    {SCHEMA_KEY(struct config_origin, health.fall, "fall", INT), .initial = "3", .min = 1,
     .max = 100, .help = "bad probes in a row that take it out"},
    {SCHEMA_KEY(struct config_origin, health.expect_status, "expect_status", LIST), .max = 64,
     .item = &status_item, .help = "good statuses; default: any 2xx or 3xx"},
    {SCHEMA_KEY(struct config_origin, health.json_status, "json_status", LIST), .max = 16,
     .item = &word_item, .help = "good values of \"status\" in a JSON answer"},
    {0}};
static const struct schema_section health = {0, health_keys, "path", check_health};

static const struct schema_key retry_keys[] = {
    {SCHEMA_KEY(struct config_origin, retry.tries, "tries", INT), .initial = "2", .min = 1,
     .max = CONFIG_SERVERS_MAX, .help = "servers a request may be sent to; 1: no second try"},
    {SCHEMA_KEY(struct config_origin, retry.budget_percent, "budget_percent", INT), .initial = "20",
     .max = 100, .help = "of the requests of ten seconds may be tried again"},
    {SCHEMA_KEY(struct config_origin, retry.min_per_second, "min_per_second", INT), .initial = "3",
     .max = 100000, .help = "may be tried again in any case"},
    {0}};
static const struct schema_section retry = {0, retry_keys, NULL, NULL};

/* Defaults are Cloudflare's connection limits: 19 s to connect, 120 s between two reads, 15 minutes
 * for an idle connection (spec/cache-behaviour.md on 522 and 524); for several servers nginx's. */
static const struct schema_key origin_keys[] = {
    {.name = "url",
     .kind = SCHEMA_FORM,
     .form = &form_origin_url,
     .help = "scheme, host and port of the origin"},
    {SCHEMA_KEY(struct config_origin, servers, "servers", LIST), .max = CONFIG_SERVERS_MAX,
     .item = &server_item, .help = "several servers instead of one \"url\""},
    {SCHEMA_KEY(struct config_origin, balance, "balance", ENUM), .initial = "round_robin",
     .words = balance_words, .help = "whose turn it is"},
    {SCHEMA_KEY(struct config_origin, max_fails, "max_fails", INT), .initial = "1", .max = 1000,
     .help = "failures within fail_timeout_ms that take a server out; 0: none do"},
    {SCHEMA_KEY(struct config_origin, fail_timeout_ms, "fail_timeout_ms", INT), .initial = "10000",
     .min = 1, .max = DAY_MS, .help = "how long it stays out"},
    {SCHEMA_KEY(struct config_origin, fail_status, "fail_status", LIST), .max = 64,
     .item = &status_item, .help = "statuses that count as failures, such as 503"},
    {.name = "health",
     .kind = SCHEMA_OBJECT,
     .section = &health,
     .help = "active health checks; not given: none"},
    {.name = "retry", .kind = SCHEMA_OBJECT, .section = &retry, .help = "trying another server"},
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
    {.name = "tls", .kind = SCHEMA_OBJECT, .section = &tls, .help = "for https origins"},
    {0}};
const struct schema_section schema_origin = {sizeof(struct config_origin), origin_keys, "url",
                                             check_origin};

static const struct schema_key origin_rule_keys[] = {
    {SCHEMA_KEY(struct config_origin_rule, name, "name", TEXT), .help = "for explain"},
    {SCHEMA_KEY(struct config_origin_rule, expression, "expression", FORM),
     .flags = SCHEMA_REQUIRED, .form = &form_expression, .help = "which requests, as in a rule"},
    {SCHEMA_KEY(struct config_origin_rule, origin, "origin", OBJECT), .section = &schema_origin,
     .help = "where they go; default: the zone's own origin"},
    {SCHEMA_KEY(struct config_origin_rule, host_header, "host_header", FORM),
     .form = &form_host_header, .help = "their Host towards it; default: the origin's"},
    {0}};
const struct schema_section schema_origin_rule = {sizeof(struct config_origin_rule),
                                                  origin_rule_keys, NULL, check_origin_rule};

static const struct schema_key fault_keys[] = {
    {SCHEMA_KEY(struct config_fault, name, "name", FORM), .flags = SCHEMA_REQUIRED,
     .form = &form_word, .help = "by which the admin API knows it"},
    {SCHEMA_KEY(struct config_fault, zone, "zone", FORM), .form = &form_host,
     .help = "in the admin API only; default: all zones"},
    {SCHEMA_KEY(struct config_fault, expression, "expression", FORM), .form = &form_expression,
     .help = "which requests, as in a rule; default: all"},
    {SCHEMA_KEY(struct config_fault, where, "where", ENUM), .initial = "origin",
     .words = where_words,
     .help =
         "as if the origin failed, at the edge before the cache, or (through the API) as if the "
         "counter backend were away"},
    {SCHEMA_KEY(struct config_fault, delay_ms, "delay_ms", INT), .initial = "0", .max = DAY_MS,
     .help = "wait before anything else"},
    {SCHEMA_KEY(struct config_fault, abort, "abort", BOOL), .initial = "false",
     .help = "reset the connection"},
    {SCHEMA_KEY(struct config_fault, truncate_bytes, "truncate_bytes", INT), .max = INT32_MAX,
     .help = "cut the body behind so many bytes"},
    {SCHEMA_KEY(struct config_fault, status, "status", INT), .min = 200, .max = 599,
     .help = "answer with it; 520 to 530: fail as that status says"},
    {SCHEMA_KEY(struct config_fault, ratio, "ratio", FRACTION), .initial = "1",
     .help = "of the requests; \"faults_seed\" decides which"},
    {SCHEMA_KEY(struct config_fault, first, "first", INT), .initial = "0", .max = 1000000000,
     .help = "only so many requests; 0: all"},
    {SCHEMA_KEY(struct config_fault, server, "server", INT), .max = CONFIG_SERVERS_MAX - 1,
     .help = "only this server of the origin, counted from 0"},
    {0}};
const struct schema_section schema_fault = {sizeof(struct config_fault), fault_keys, NULL,
                                            check_fault};
