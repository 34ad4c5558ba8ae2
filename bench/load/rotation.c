/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/rotation.h"

void rotation_init(struct rotation *r, const uint32_t *weights, int64_t *current, size_t count)
{
    *r = (struct rotation){.weights = weights, .current = current, .count = count};
    for (size_t i = 0; i < count; i++) {
        current[i] = 0;
        r->sum += weights[i];
    }
}

size_t rotation_next(struct rotation *r)
{
    size_t best = 0;
    if (r->count == 1)
        return 0;
    for (size_t i = 0; i < r->count; i++) {
        r->current[i] += r->weights[i];
        if (r->current[i] > r->current[best])
            best = i;
    }
    r->current[best] -= r->sum;
    return best;
}
