/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h2_guard.h"

#define FULL ((uint64_t)H2_GUARD_BURST * 1000)

void h2_guard_init(struct h2_guard *g, uint64_t now_ms)
{
    *g = (struct h2_guard){FULL, now_ms};
}

/* A clock that goes back counts as no time passed. PER_S a second is PER_S thousandths a
 * millisecond: nothing is lost to rounding. */
bool h2_guard_take(struct h2_guard *g, uint64_t now_ms)
{
    uint64_t passed = now_ms > g->last_ms ? now_ms - g->last_ms : 0;
    g->last_ms = gw_max_u64(g->last_ms, now_ms);
    g->level = gw_min_u64(FULL, g->level + gw_min_u64(passed, FULL) * H2_GUARD_PER_S);
    if (g->level < 1000)
        return false;
    g->level -= 1000;
    return true;
}
