/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of "limiter": where counters live and how the stores behave. */
#include "config/forms.h"
#include "config/load.h"

#define HOUR_MS 3600000

static const char *const failure_words[] = {"memory", "allow", "deny", NULL};
static const char *const write_limit_words[] = {"strict", "token_bucket", "off", NULL};

/* Ranges are Workers KV's own where it has some: a cacheTtl below 30 is refused there
 * (spec/limiter.md b1). */
static const struct schema_key kv_keys[] = {
    {SCHEMA_KEY(struct config_limiter, kv.cache_ttl_s, "cache_ttl_s", INT), .initial = "60",
     .min = 30, .max = 86400,
     .help = "seconds that an edge keeps what it read; Workers KV takes 30 at least"},
    {SCHEMA_KEY(struct config_limiter, kv.negative_cache, "negative_cache", BOOL),
     .initial = "true", .help = "an edge keeps a miss, too"},
    {SCHEMA_KEY(struct config_limiter, kv.read_ms, "read_ms", INT), .initial = "0", .max = HOUR_MS,
     .help = "latency of a read"},
    {SCHEMA_KEY(struct config_limiter, kv.write_ms, "write_ms", INT), .initial = "0",
     .max = HOUR_MS, .help = "latency of a write"},
    {SCHEMA_KEY(struct config_limiter, kv.propagation_ms, "propagation_ms", INT), .initial = "0",
     .max = HOUR_MS, .help = "until other places can see a write"},
    {SCHEMA_KEY(struct config_limiter, kv.write_limit, "write_limit", ENUM), .initial = "strict",
     .words = write_limit_words, .help = "how writes to one key are limited"},
    {SCHEMA_KEY(struct config_limiter, kv.writes_per_key_per_second, "writes_per_key_per_second",
                INT),
     .initial = "1", .min = 1, .max = 1000000, .help = "that limit"},
    {SCHEMA_KEY(struct config_limiter, kv.seed, "seed", INT), .initial = "1", .max = UINT32_MAX,
     .help = "of the simulation: the same seed, the same run"},
    {0}};
static const struct schema_section kv = {0, kv_keys, NULL, NULL};

static const struct schema_key object_keys[] = {
    {SCHEMA_KEY(struct config_limiter, durable_object.latency_ms, "latency_ms", INT),
     .initial = "0", .max = HOUR_MS, .help = "round trip to the object"},
    {SCHEMA_KEY(struct config_limiter, durable_object.requests_per_second, "requests_per_second",
                INT),
     .initial = "0", .max = 1000000,
     .help = "above it the object answers overloaded; 0: unlimited"},
    {0}};
static const struct schema_section durable_object = {0, object_keys, NULL, NULL};

static const struct schema_key limiter_keys[] = {
    {SCHEMA_KEY(struct config_limiter, backend, "backend", FORM), .initial = "embedded",
     .form = &form_backend, .help = "in the process, Redis, or Redis Cluster"},
    {SCHEMA_KEY(struct config_limiter, on_backend_failure, "on_backend_failure", ENUM),
     .initial = "memory", .words = failure_words,
     .help = "without Redis: count locally, allow, or deny with 503"},
    {.name = "kv", .kind = SCHEMA_OBJECT, .section = &kv, .help = "how Workers KV behaves"},
    {.name = "durable_object",
     .kind = SCHEMA_OBJECT,
     .section = &durable_object,
     .help = "how Durable Objects behave"},
    {0}};
const struct schema_section schema_limiter = {sizeof(struct config_limiter), limiter_keys, NULL,
                                              NULL};
