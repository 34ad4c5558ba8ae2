/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is sent next in a phase: which request of the mix, as which identity, in which round of it.
 *
 * Each request of the mix goes through the identities on its own. With one rotation for all, two
 * requests in turn and two identities in turn would marry: each identity would ever send the same
 * request. Thread: one. Owns: its rotations. The plan is borrowed. */
#include "bench/load/plan.h"
#include "bench/load/rotation.h"

struct pick_entry;

struct pick {
    const struct load_plan *plan;
    const struct load_phase *phase;
    struct rotation mix;
    struct pick_entry *entries; /* one a request of the mix */
    int64_t *current;           /* of all rotations */
};

struct picked {
    uint32_t request;
    uint32_t group, index; /* the identity within its group */
    uint64_t round;
};

void pick_begin(struct pick *p, const struct load_plan *plan, const struct load_phase *phase);
void pick_end(struct pick *p);
struct picked pick_next(struct pick *p);
