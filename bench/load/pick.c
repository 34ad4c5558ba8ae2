/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/pick.h"

/* Where one request of the mix stands in each group that takes part. Each request goes through the
 * identities by itself: with one turn for all, two requests would share out the even and the odd.
 */
struct pick_entry {
    struct rotation groups;
    uint64_t *turns;
};

void pick_begin(struct pick *p, const struct load_plan *plan, const struct load_phase *phase)
{
    size_t groups = phase->group_count, mix = phase->mix_count;
    *p = (struct pick){.plan = plan, .phase = phase};
    p->current = gw_zalloc((mix + mix * groups) * sizeof(*p->current));
    p->entries = gw_zalloc(mix * sizeof(*p->entries));
    rotation_init(&p->mix, phase->weights, p->current, mix);
    for (size_t i = 0; i < mix; i++) {
        rotation_init(&p->entries[i].groups, phase->group_weights, p->current + mix + i * groups,
                      groups);
        p->entries[i].turns = gw_zalloc(groups * sizeof(*p->entries[i].turns));
    }
}

void pick_end(struct pick *p)
{
    for (size_t i = 0; p->entries && i < p->phase->mix_count; i++)
        free(p->entries[i].turns);
    free(p->entries);
    free(p->current);
    *p = (struct pick){0};
}

struct picked pick_next(struct pick *p)
{
    size_t mix = rotation_next(&p->mix);
    size_t group = rotation_next(&p->entries[mix].groups);
    uint64_t turn = p->entries[mix].turns[group]++;
    uint32_t number = p->phase->groups[group];
    uint32_t count = p->plan->groups[number].count;
    return (struct picked){.request = p->phase->requests[mix],
                           .group = number,
                           .index = (uint32_t)(turn % count),
                           .round = turn / count};
}
