/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A plan made shorter or faster, so that one file serves the rehearsal of an hour and the check of
 * a second before a commit.
 *
 * `scale` multiplies durations and leaves rates: fewer requests, as dense as before. `speed`
 * multiplies rates and divides durations: the same requests in less time, so that counts in
 * expectations still fit. Single bursts, windows, and what expectations say are left alone.
 * Thread: one. Owns: nothing. */
#include "bench/load/plan.h"

#define PACE_LEAST 1e-6
#define PACE_MOST  1e6

/* 0 of either stands for 1. */
void load_plan_pace(struct load_plan *p, double scale, double speed);
