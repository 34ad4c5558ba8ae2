/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/identity.h"

#define HOST_BITS_MAX 32 /* of IPv6 blocks as many are counted through as IPv4 has in all */

static unsigned host_bits(const struct gw_cidr *block)
{
    unsigned bits = (block->ip.family == GW_IP_V4 ? 32u : 128u) - block->prefix;
    return bits < HOST_BITS_MAX ? bits : HOST_BITS_MAX;
}

/* The first address that is given out, as a distance from the block's own. */
static uint64_t skip(const struct gw_cidr *block)
{
    return host_bits(block) >= 2;
}

static uint64_t block_capacity(const struct gw_cidr *block)
{
    uint64_t all = (uint64_t)1 << host_bits(block);
    return all - skip(block) * (block->ip.family == GW_IP_V4 ? 2 : 1);
}

uint64_t identity_capacity(const struct gw_cidr *blocks, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += block_capacity(&blocks[i]);
    return sum;
}

static struct gw_ip add_to(struct gw_ip ip, uint64_t distance)
{
    for (size_t i = ip.family == GW_IP_V4 ? 4 : 16; i-- > 0 && distance; distance >>= 8) {
        distance += ip.bytes[i];
        ip.bytes[i] = (uint8_t)distance;
    }
    return ip;
}

size_t identity_address(const struct identity_group *g, uint32_t index, char out[GW_IP_TEXT_MAX])
{
    uint64_t left = (uint64_t)index + g->address_first;
    for (size_t i = 0; i < g->block_count && g->has_address; i++) {
        const struct gw_cidr *block = &g->blocks[i];
        uint64_t here = block_capacity(block);
        if (left < here) {
            struct gw_ip ip = gw_ip_mask(&block->ip, block->prefix);
            ip = add_to(ip, left + skip(block));
            return gw_ip_format(&ip, out);
        }
        left -= here;
    }
    return 0;
}

struct identity_place identity_place(const struct identity_group *g, uint32_t index, uint64_t round)
{
    struct identity_place place = {GW_STR_EMPTY, 0};
    uint64_t turn = g->sticky ? index : index + round;
    if (g->cycle_length) {
        place.edge = g->edges[g->cycle[turn % g->cycle_length]];
        turn /= g->cycle_length;
    }
    if (g->isolates)
        place.isolate = (uint32_t)(turn % g->isolates);
    return place;
}
