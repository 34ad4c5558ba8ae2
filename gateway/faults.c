/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/faults.h"

#include <errno.h>
#include <stdatomic.h>

#include "config/json.h"
#include "gateway/base/hash.h"
#include "gateway/snapshot_inside.h"

/* ---- life ---- */

static struct fault *new_fault(uint32_t seed)
{
    struct fault *fault = gw_zalloc(sizeof(*fault));
    atomic_init(&fault->refs, 1);
    gw_arena_init(&fault->arena, NULL, 0, 0);
    fault->seed = seed;
    return fault;
}

void fault_unref(struct fault *fault)
{
    if (!fault || atomic_fetch_sub_explicit(&fault->refs, 1, memory_order_acq_rel) != 1)
        return;
    expr_free(fault->expr);
    gw_arena_clear(&fault->arena);
    free(fault);
}

static struct fault *fault_ref(struct fault *fault)
{
    atomic_fetch_add_explicit(&fault->refs, 1, memory_order_relaxed);
    return fault;
}

/* Whoever breaks things for practice may use the whole language, whatever plan the zone has. */
static bool compile(struct fault *fault, const struct json_doc *doc, struct gw_diags *diags)
{
    const struct expr_options options = {
        .phase = RULES_OTHER, .plan = CONFIG_PLAN_ENTERPRISE, .cookie_array_as_first = true};
    if (!fault->config.expression.text.len)
        return true;
    fault->expr = snapshot_compile(&fault->config.expression, doc, &options, diags);
    return fault->expr != NULL;
}

static struct fault_set *new_set(void)
{
    struct fault_set *set = gw_zalloc(sizeof(*set));
    atomic_init(&set->refs, 1);
    return set;
}

struct fault_set *fault_set_ref(struct fault_set *set)
{
    if (set)
        atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void fault_set_unref(struct fault_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        fault_unref(set->items[i]);
    free(set);
}

/* ---- where faults come from ---- */

struct fault_set *fault_set_build(const struct config *config, struct gw_diags *diags)
{
    struct fault_set *set = new_set();
    for (size_t z = 0; z < config->zone_count; z++)
        for (size_t i = 0; i < config->zones[z].fault_count; i++) {
            struct fault *fault = new_fault(config->faults_seed);
            fault->config = config->zones[z].faults[i];
            if (compile(fault, config->doc, diags))
                set->items[set->count++] = fault;
            else
                fault_unref(fault);
        }
    if (set->count)
        return set;
    fault_set_unref(set);
    return NULL;
}

struct fault *fault_read(const struct json_doc *doc, const struct json *v, uint32_t seed,
                         struct gw_diags *diags)
{
    struct fault *fault = new_fault(seed);
    fault->from_api = true;
    if (config_fault_read(doc, v, &fault->arena, diags, &fault->config) &&
        compile(fault, doc, diags)) {
        fault->config.expression.place = NULL; /* the document goes */
        return fault;
    }
    fault_unref(fault);
    return NULL;
}

/* ---- sets that differ in one ---- */

static bool has_name(const struct fault *fault, struct gw_str name)
{
    return gw_str_eq(fault->config.name, name);
}

const struct fault *fault_set_find(const struct fault_set *set, struct gw_str name)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (has_name(set->items[i], name))
            return set->items[i];
    return NULL;
}

struct fault_set *fault_set_with(const struct fault_set *set, struct fault *fault)
{
    struct fault_set *out = new_set();
    bool placed = false;
    for (size_t i = 0; set && i < set->count; i++) {
        bool same = has_name(set->items[i], fault->config.name);
        out->items[out->count++] = fault_ref(same ? fault : set->items[i]);
        placed = placed || same;
    }
    if (placed)
        return out;
    if (out->count == CONFIG_FAULTS_MAX) {
        fault_set_unref(out);
        return NULL;
    }
    out->items[out->count++] = fault_ref(fault);
    return out;
}

struct fault_set *fault_set_without(const struct fault_set *set, struct gw_str name)
{
    struct fault_set *out = new_set();
    for (size_t i = 0; set && i < set->count; i++)
        if (!has_name(set->items[i], name))
            out->items[out->count++] = fault_ref(set->items[i]);
    if (out->count)
        return out;
    fault_set_unref(out);
    return NULL;
}

/* ---- who meets one ---- */

/* Counted are requests that the fault is meant for. The ratio is a hash of seed and number, not of
 * chance: the same requests in the same order break in the same places, run after run. */
static bool is_due(struct fault *fault)
{
    const struct config_fault *config = &fault->config;
    uint64_t nth = atomic_fetch_add_explicit(&fault->seen, 1, memory_order_relaxed);
    if (config->first)
        return nth < config->first;
    return config->ratio == CONFIG_RATIO_WHOLE ||
           gw_siphash(config->name, fault->seed, nth) % CONFIG_RATIO_WHOLE < config->ratio;
}

const struct config_fault *fault_set_meet(struct fault_set *set, struct gw_str zone,
                                          enum config_fault_where where,
                                          struct rules_request *facts)
{
    for (size_t i = 0; i < set->count; i++) {
        struct fault *fault = set->items[i];
        const struct config_fault *config = &fault->config;
        if (config->where != where || (config->zone.len && !gw_str_eq(config->zone, zone)) ||
            (fault->expr && !expr_eval(fault->expr, facts)) || !is_due(fault))
            continue;
        atomic_fetch_add_explicit(&fault->injected, 1, memory_order_relaxed);
        return config;
    }
    return NULL;
}

bool fault_set_cuts_counters(const struct fault_set *set)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (set->items[i]->config.where == CONFIG_FAULT_COUNTERS)
            return true;
    return false;
}

/* What stands behind the statuses by which the edge tells of its origin (reply.h has the way
 * back). 0: an answer like any other. */
static int error_of(unsigned status)
{
    static const struct {
        unsigned status;
        int err;
    } table[] = {
        {520, GW_ECLOSED},    {521, -ECONNREFUSED},    {522, GW_ETIMEOUT_CONNECT},
        {523, -EHOSTUNREACH}, {524, GW_ETIMEOUT_READ}, {525, GW_ETLS},
        {526, GW_ECERT},      {530, GW_ERESOLVE},
    };
    for (size_t i = 0; i < GW_COUNT(table); i++)
        if (table[i].status == status)
            return table[i].err;
    return 0;
}

struct upstream_fault fault_of_origin(const struct config_fault *fault)
{
    int err = fault->abort ? GW_ECLOSED : error_of(fault->status);
    return (struct upstream_fault){
        .active = true,
        .one_server = fault->one_server,
        .server = fault->server,
        .delay_ms = fault->delay_ms,
        .err = err,
        .status = err ? 0 : fault->status,
        .truncates = fault->truncates,
        .truncate_bytes = fault->truncate_bytes,
    };
}
