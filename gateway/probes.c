/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/probes.h"

#include "gateway/upstream/prober.h"

struct probes {
    struct clock_timers *timers;
    size_t count;
    struct prober *probers[]; /* as snapshot.origins; NULL: has none */
};

static bool any_wants_probes(const struct snapshot *s)
{
    for (size_t i = 0; i < s->origin_count; i++)
        if (s->origins[i].config->health.enabled)
            return true;
    return false;
}

struct probes *probes_start(struct gw_loop *loop, const struct worker_snapshot *ws)
{
    const struct snapshot *s = ws->snapshot;
    if (!any_wants_probes(s))
        return NULL;
    struct probes *p = gw_zalloc(sizeof(*p) + s->origin_count * sizeof(p->probers[0]));
    p->timers = clock_timers_new(loop, s->config->clock);
    p->count = s->origin_count;
    for (size_t i = 0; i < p->count; i++)
        p->probers[i] = prober_new(ws->origins[i], p->timers);
    return p;
}

void probes_stop(struct probes *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        prober_free(p->probers[i]);
    clock_timers_free(p->timers);
    free(p);
}
