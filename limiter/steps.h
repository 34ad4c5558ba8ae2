/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Numbers sorted into a fixed set of steps, for tallies that may not grow: exact up to STEPS_EXACT,
 * then 32 steps for each doubling, so that a number is never off by more than 3 %.
 *
 * Thread: none, pure. Limits: STEPS steps hold all of uint32_t. */
#include "gateway/base/base.h"

#define STEPS_EXACT 512
#define STEPS       (STEPS_EXACT + 23 * 32)

static inline uint32_t step_of(uint32_t n)
{
    if (n < STEPS_EXACT)
        return n;
    uint32_t octave = 31 - (uint32_t)__builtin_clz(n);
    return STEPS_EXACT + (octave - 9) * 32 + ((n >> (octave - 5)) & 31);
}

/* The least number of a step. */
static inline uint32_t step_floor(uint32_t step)
{
    if (step < STEPS_EXACT)
        return step;
    uint32_t octave = 9 + (step - STEPS_EXACT) / 32;
    return (UINT32_C(32) | (step - STEPS_EXACT) % 32) << (octave - 5);
}
