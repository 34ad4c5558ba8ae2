/* SPDX-License-Identifier: Apache-2.0 */
/* "identities": one group of visitors, or a list of them. */
#include "bench/load/rotation.h"
#include "bench/load/scenario_private.h"

/* Addresses that no network has: RFC 2544's benchmark block, and for more visitors than it holds
 * RFC 1918's largest. */
static const struct gw_cidr small_default = {{GW_IP_V4, {198, 18}}, 15};
static const struct gw_cidr large_default = {{GW_IP_V4, {10}}, 8};

static void read_block(struct reader *r, const struct json *v, struct gw_cidr *out)
{
    if (json_type(v) != JSON_STRING || !gw_cidr_parse(json_str(v), true, out))
        read_error(r, v, "must be an address or a block such as \"203.0.113.0/24\"");
}

/* false: no address is sent; a text, or a list of them. */
static void read_addresses(struct reader *r, const struct json *v, void *field)
{
    struct identity_group *g = field;
    bool is_list = json_type(v) == JSON_ARRAY;
    if (json_type(v) == JSON_BOOL && !json_bool(v)) {
        g->has_address = false;
        return;
    }
    if (is_list && !json_count(v)) {
        read_error(r, v, "must not be empty");
        return;
    }
    size_t count = is_list ? json_count(v) : 1;
    struct gw_cidr *blocks = gw_arena_zalloc(&r->plan->arena, count * sizeof(*blocks));
    g->blocks = blocks;
    if (!is_list)
        read_block(r, v, &blocks[g->block_count++]);
    for (const struct json *m = is_list ? json_first(v) : NULL; m; m = json_next(m))
        read_block(r, m, &blocks[g->block_count++]);
}

/* ---- edges ---- */

/* The order in which places come round, spread by their weights. */
static void make_cycle(struct reader *r, const struct json *v, struct identity_group *g,
                       const uint32_t *weights)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->edge_count; i++)
        sum += weights[i];
    if (!sum || sum > IDENTITY_CYCLE_MAX) {
        read_error(r, v, "the weights must sum to 1 to %d", IDENTITY_CYCLE_MAX);
        return;
    }
    uint16_t *cycle = gw_arena_zalloc(&r->plan->arena, sum * sizeof(*cycle));
    int64_t *current = gw_zalloc(g->edge_count * sizeof(*current));
    struct rotation rotation;
    rotation_init(&rotation, weights, current, g->edge_count);
    for (uint64_t i = 0; i < sum; i++)
        cycle[i] = (uint16_t)rotation_next(&rotation);
    free(current);
    g->cycle = cycle;
    g->cycle_length = sum;
}

static bool is_edge(struct gw_str name)
{
    bool fine = name.len == 3;
    for (size_t i = 0; i < name.len; i++)
        fine = fine && name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
    return fine;
}

/* ["FRA", "AMS"], or {"FRA": 3, "AMS": 1}. */
static void read_edges(struct reader *r, const struct json *v, void *field)
{
    struct identity_group *g = field;
    bool weighted = json_type(v) == JSON_OBJECT;
    size_t count = json_count(v);
    if ((!weighted && json_type(v) != JSON_ARRAY) || !count || count > 256) {
        read_error(r, v, "must be a list of edges, or an object of edges and their weights");
        return;
    }
    struct gw_str *edges = gw_arena_zalloc(&r->plan->arena, count * sizeof(*edges));
    uint32_t *weights = gw_zalloc(count * sizeof(*weights));
    g->edges = edges;
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        struct gw_str name = weighted ? json_key(m) : json_str(m);
        if (!is_edge(name))
            read_error(r, m, "an edge is three capital letters");
        weights[g->edge_count] = 1;
        if (weighted)
            read_count(r, m, &weights[g->edge_count]);
        edges[g->edge_count++] = gw_arena_dup(&r->plan->arena, name);
    }
    make_cycle(r, v, g, weights);
    free(weights);
}

/* ---- groups ---- */

static const struct read_field group_fields[] = {
    {"name", read_text, offsetof(struct identity_group, name), false},
    {"count", read_count, offsetof(struct identity_group, count), true},
    {"weight", read_count, offsetof(struct identity_group, weight), false},
    {"addresses", read_addresses, 0, false},
    {"edges", read_edges, 0, false},
    {"isolates", read_count, offsetof(struct identity_group, isolates), false},
    {"sticky", read_bool, offsetof(struct identity_group, sticky), false},
    {"headers", read_headers, offsetof(struct identity_group, headers), false},
    {"cookies", read_cookies, offsetof(struct identity_group, cookies), false},
    {0}};

static void read_group(struct reader *r, const struct json *v, struct identity_group *g)
{
    *g = (struct identity_group){.count = 1, .weight = 1, .has_address = true};
    g->first = r->plan->identities;
    read_object(r, v, group_fields, g);
    if (g->has_address && !g->block_count) { /* groups share it, visitor by visitor */
        bool small = g->first + (uint64_t)g->count <= identity_capacity(&small_default, 1);
        g->blocks = small ? &small_default : &large_default;
        g->block_count = 1;
        g->address_first = g->first;
    }
    uint64_t room = identity_capacity(g->blocks, g->block_count);
    if (g->has_address && g->count > room)
        read_error(r, v, "%u identities do not fit into %llu addresses", g->count,
                   (unsigned long long)room);
    if (r->plan->identities + (uint64_t)g->count > IDENTITY_MAX)
        read_error(r, v, "more than %d identities in all", IDENTITY_MAX);
    else
        r->plan->identities += g->count;
}

void scenario_identities(struct reader *r, const struct json *v, void *field)
{
    struct load_plan *plan = field;
    bool is_list = json_type(v) == JSON_ARRAY;
    size_t count = is_list ? json_count(v) : 1;
    if (!count || count > PLAN_GROUPS_MAX) {
        read_error(r, v, "must be 1 to %d groups", PLAN_GROUPS_MAX);
        scenario_nobody(plan);
        return;
    }
    plan->groups = gw_arena_zalloc(&plan->arena, count * sizeof(*plan->groups));
    if (!is_list)
        read_group(r, v, &plan->groups[plan->group_count++]);
    for (const struct json *m = is_list ? json_first(v) : NULL; m; m = json_next(m))
        read_group(r, m, &plan->groups[plan->group_count++]);
}

void scenario_nobody(struct load_plan *plan)
{
    plan->groups = gw_arena_zalloc(&plan->arena, sizeof(*plan->groups));
    plan->groups[0] = (struct identity_group){.count = 1, .weight = 1};
    plan->group_count = plan->identities = 1;
}
