/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Faults on demand: which request meets which, and how often it has happened. What a fault then
 * does is done where the origin would answer (upstream/client.h) or by the step FAULT.
 *
 * Of the faults that fit a request the first one that is due happens. A ratio is decided by the
 * seed, the fault's name and the how-manieth fitting request it is: the same run meets the same
 * faults, whatever the number of workers.
 *
 * Sets and faults are immutable but for their counters and shared by reference: a set that the API
 * changes keeps the counters of what stays. Thread: any. Owns: a fault its expression and, when the
 * API made it, its texts; others' are the configuration's. Limits: CONFIG_FAULTS_MAX in a set. */
#include "config/config.h"
#include "config/rules/expr.h"
#include "gateway/upstream/client.h"

struct fault {
    _Atomic unsigned refs;
    struct gw_arena arena;
    struct config_fault config;
    struct expr *expr; /* NULL: every request */
    uint32_t seed;
    bool from_api;
    _Atomic uint64_t seen, injected; /* requests that fit, and that it happened to */
};

struct fault_set {
    _Atomic unsigned refs;
    size_t count;
    struct fault *items[CONFIG_FAULTS_MAX];
};

/* Of all zones; NULL when there are none, or after errors, which are in diags. */
struct fault_set *fault_set_build(const struct config *config, struct gw_diags *diags);
struct fault_set *fault_set_ref(struct fault_set *set);
void fault_set_unref(struct fault_set *set); /* NULL is fine */

/* From a client's document; NULL after errors, which are in diags. The caller holds the one
 * reference. */
GW_MUST struct fault *fault_read(const struct json_doc *doc, const struct json *v, uint32_t seed,
                                 struct gw_diags *diags);
void fault_unref(struct fault *fault);

/* A new set: `set` (may be NULL) with the fault in the place of one of its name, or behind all.
 * NULL when it is full. */
GW_MUST struct fault_set *fault_set_with(const struct fault_set *set, struct fault *fault);
/* A new set without the fault of this name; NULL when nothing is left. */
struct fault_set *fault_set_without(const struct fault_set *set, struct gw_str name);
const struct fault *fault_set_find(const struct fault_set *set, struct gw_str name);

/* The fault that happens to this request, or NULL; it is counted. */
const struct config_fault *fault_set_meet(struct fault_set *set, struct gw_str zone,
                                          enum config_fault_where where,
                                          struct rules_request *facts);
/* Whether some fault takes the counter backend away. */
bool fault_set_cuts_counters(const struct fault_set *set);
/* As an origin would fail. */
struct upstream_fault fault_of_origin(const struct config_fault *fault);
