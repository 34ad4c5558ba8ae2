/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Everything that a configuration says, ready to serve: zones by host, compiled rulesets, limiter
 * policies, label ids. One immutable, ref-counted object: a reload builds a new one beside the
 * running one and swaps a pointer; exchanges under way finish on the one they began with; a bad new
 * one changes nothing.
 *
 * Thread: immutable after snapshot_build, any thread may read; the reference count is atomic. A
 * worker takes one reference for all its exchanges (worker.h), so the request path never touches
 * the count. Owns: the configuration, rulesets and policies. */
#include "cache/store.h"
#include "config/config.h"
#include "config/rules/ruleset.h"
#include "gateway/base/map.h"
#include "gateway/base/metrics.h"
#include "gateway/snapshot_parts.h"
#include "limiter/policy.h"

struct api_rulesets;
struct fault_set;
struct tls_server;
struct tls_tickets;

struct snapshot_zone {
    const struct config_zone *config; /* settings as the API changed them, if it did */
    struct snapshot_settings changed;
    struct api_rulesets *documents; /* what `rulesets` are compiled from, as the API shows them */
    struct ruleset **rulesets;      /* all phases; as config->rulesets until the API changes them */
    size_t ruleset_count;
    const struct ruleset *cache_rules;         /* phase http_request_cache_settings, or NULL */
    const struct ruleset *response_rules;      /* phase http_response_cache_settings, or NULL */
    const struct ruleset *rate_rules;          /* phase http_ratelimit, or NULL */
    struct limiter_policy *limiters;           /* or NULL */
    uint16_t *limiter_labels;                  /* of their names, in their order */
    size_t index;                              /* in snapshot.zones, and of the worker's pools */
    uint16_t label;                            /* of its name in metrics */
    uint16_t *rule_labels;                     /* of the cache rules' ids */
    uint16_t *rate_labels;                     /* of the rate limiting rules' */
    struct cache_space **spaces;               /* by edge; NULL before snapshot_attach_cache */
    uint64_t object_max;                       /* bytes of the largest body that may be stored */
    size_t first_origin;                       /* the zone's own, in snapshot.origins */
    struct snapshot_origin_rule *origin_rules; /* in the order of the file */
    size_t origin_rule_count;
};

struct snapshot_edge {
    const struct config_edge *config;
    uint16_t label;
};

struct snapshot {
    _Atomic unsigned refs;
    struct snapshot *base; /* of one that was derived: holds the configuration; else NULL */
    struct config *config;
    struct snapshot_zone *zones;
    size_t zone_count;
    struct snapshot_edge *edges;
    size_t edge_count;
    struct snapshot_origin *origins; /* these and the zones' origin rules belong to the base */
    size_t origin_count;
    struct fault_set *faults;       /* NULL: none */
    struct tls_server **tls;        /* by listener, the admin's last, the base's; NULL: plain */
    struct gw_map hosts;            /* lower-case host → struct snapshot_zone */
    struct snapshot_zone *any_host; /* the zone with "*", or NULL */
};

/* Takes the configuration over in every case. NULL after any error in a ruleset or limiters file;
 * all errors are in diags. */
GW_MUST struct snapshot *snapshot_build(struct config *config, struct metrics *metrics,
                                        struct gw_diags *diags);
/* What one write of the API changes in a zone. */
struct snapshot_change {
    size_t zone;                            /* index */
    struct api_rulesets *documents;         /* NULL: rulesets stay */
    struct gw_str phase;                    /* whose ruleset is replaced … */
    struct ruleset *compiled;               /* … by this; NULL: by none */
    bool keeps_rules;                       /* only documents change */
    const struct config_settings *settings; /* NULL: settings stay */
    struct snapshot_settings times;         /* with settings: when they were changed */
    bool sets_faults;                       /* else they stay */
    struct fault_set *faults;               /* of all zones; NULL: none */
};

/* A new snapshot like `from` but for the change. It takes references; everything else is shared or
 * copied, nothing is loaded or compiled, so this cannot fail. */
struct snapshot *snapshot_derive(struct snapshot *from, const struct snapshot_change *change,
                                 struct metrics *metrics);
/* How rulesets of this zone are compiled, wherever they come from. */
struct ruleset_options snapshot_ruleset_options(const struct config_zone *zone);

/* Finds each zone's place in the cache: needed to serve, not to check. */
void snapshot_attach_cache(struct snapshot *s, struct cache_store *store);
/* The keys of session tickets: to serve, too. */
void snapshot_attach_tickets(struct snapshot *s, struct tls_tickets *tickets);
/* The certificates of the listener with this address as written; `index` if several have it. NULL:
 * it has none, or is not there. */
struct tls_server *snapshot_tls_at(const struct snapshot *s, size_t index, struct gw_str address);
/* Those of the admin listener; NULL: it has none. */
struct tls_server *snapshot_admin_tls(const struct snapshot *s);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);

/* The zone's configuration at this instant: development mode ends by itself. */
static inline const struct config_zone *snapshot_zone_config(const struct snapshot_zone *zone,
                                                             uint64_t wall_ms)
{
    bool ended =
        zone->changed.development_until_ms && wall_ms >= zone->changed.development_until_ms;
    return ended ? &zone->changed.zones[1] : zone->config;
}

/* NULL when the host belongs to no zone. `host` is lower case, without port. */
const struct snapshot_zone *snapshot_zone_of(const struct snapshot *s, struct gw_str host);
/* NULL when there is none; for the admin's answers, not for the request path: it looks at each. */
const struct snapshot_zone *snapshot_zone_with_id(const struct snapshot *s, struct gw_str id);
/* The label id of one of the zone's limiters. */
uint16_t snapshot_limiter_label(const struct snapshot_zone *zone, const struct limiter *limiter);
/* The index of an edge by name, or GW_NPOS. */
size_t snapshot_edge_of(const struct snapshot *s, struct gw_str name);
