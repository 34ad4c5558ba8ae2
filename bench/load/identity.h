/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whom the requests come from: groups of simulated visitors, each with a client address of its own
 * (sent as CF-Connecting-IP: the gateway must trust us), and the places where they knock.
 *
 * A visitor is a number: address, token and place are computed from it, so a million of them take
 * no memory here. Places go round: visitor i in its k-th round comes to edge (i + k) of the cycle
 * that the weights of the edges make, so that one visitor sees all edges and no visitor is tied to
 * one by the way two rotations happen to mesh; `sticky` visitors stay where their number puts them.
 *
 * Thread: any. Owns: nothing; all lies in the plan's arena. */
#include "gateway/base/ip.h"

#define IDENTITY_MAX       10000000
#define IDENTITY_CYCLE_MAX 4096

/* A header or a cookie; the value may hold variables (template.h). */
struct load_pair {
    struct gw_str name, value;
};
struct load_pairs {
    const struct load_pair *items;
    size_t count;
};

struct identity_group {
    struct gw_str name;
    uint32_t first, count, weight; /* numbers of its visitors begin at first */
    bool has_address;
    const struct gw_cidr *blocks;
    size_t block_count;
    uint32_t address_first;     /* the visitor with index 0 has this address of the blocks */
    const struct gw_str *edges; /* none: the gateway decides */
    size_t edge_count;
    const uint16_t *cycle; /* indexes into edges */
    size_t cycle_length;
    uint32_t isolates; /* 0: the gateway decides */
    bool sticky;
    struct load_pairs headers, cookies;
};

struct identity_place {
    struct gw_str edge;
    uint32_t isolate;
};

/* How many visitors a list of blocks has addresses for. Network and broadcast addresses of IPv4
 * blocks are left out. */
uint64_t identity_capacity(const struct gw_cidr *blocks, size_t count);
/* The address of visitor `index` of the group as text; its length. 0: the group has none. */
size_t identity_address(const struct identity_group *g, uint32_t index, char out[GW_IP_TEXT_MAX]);
struct identity_place identity_place(const struct identity_group *g, uint32_t index,
                                     uint64_t round);
