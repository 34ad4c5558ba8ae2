/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The health checks of all origins of a snapshot, made by worker 0 for all workers: what they find
 * is in the servers' common state. Thread: worker 0's. Owns: its probers and their timers. The
 * snapshot outlives it. */
#include "gateway/snapshot.h"
#include "gateway/worker.h"

struct probes;

/* NULL when no origin has health checks. */
struct probes *probes_start(struct gw_loop *loop, const struct worker_snapshot *ws);
/* The same configuration with other settings: `ssl` may have another value. NULL is fine. */
void probes_follow(struct probes *p, const struct snapshot *s);
void probes_stop(struct probes *p); /* NULL is fine */
