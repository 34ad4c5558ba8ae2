/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ray.h"

#include "gateway/base/hash.h"
#include "gateway/server.h"

void ray_next(struct worker *worker, char out[RAY_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    /* SplitMix64 is a bijection of its state, so distinct counters give distinct ids. */
    uint64_t serial = worker->ray_counter++ * worker->server->worker_count + worker->index;
    struct gw_rng mixer = {worker->server->ray_seed + serial * 0x9e3779b97f4a7c15};
    uint64_t id = gw_rng_next(&mixer);
    for (int i = RAY_LENGTH - 1; i >= 0; i--, id >>= 4)
        out[i] = digits[id & 15];
    out[RAY_LENGTH] = '\0';
}
