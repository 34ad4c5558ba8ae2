/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Choices by weight in turn: smooth weighted round robin (nginx's). Over any run of as many picks
 * as the weights sum to, each choice comes exactly as often as its weight says, spread evenly; so a
 * load test sends the same mix every time, which drawing lots would not.
 *
 * Thread: one. Owns: nothing; the arrays are the caller's. O(count) a pick: counts are small. */
#include "gateway/base/base.h"

#define ROTATION_WEIGHT_MAX 1000000

struct rotation {
    const uint32_t *weights; /* at least one is not 0 */
    int64_t *current;
    size_t count;
    int64_t sum;
};

/* `current` has room for `count`. */
void rotation_init(struct rotation *r, const uint32_t *weights, int64_t *current, size_t count);
size_t rotation_next(struct rotation *r);
