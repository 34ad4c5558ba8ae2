/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How many calls of one key a store is expected to admit in a window: the rows of spec/limiter.md
 * (c), for a number of arrivals that is known. The rows there speak of random arrivals at a rate;
 * given the number, the expectation is sharper and a z-score says whether the simulation, or the
 * assumption of evenly spread calls, is off.
 *
 * Where the spec has bounds instead of a value (copies of KV at several edges), the prediction is
 * the middle between them and its doubt that of any value in between: chance evens out over many
 * windows, doubt does not. Thread: none, pure. */
#include "limiter/kv_key.h"
#include "limiter/steps.h"

struct model_traffic {
    struct window_rule rule;
    uint32_t edges, places; /* places: isolates of all edges */
    bool in_turn;           /* places are asked in turn; false: at random */
    double span_s;          /* from a window's first call to its last; 0: all at once */
};

struct model_store {
    enum limiter_store store;
    struct kv_settings kv;
    uint32_t requests_per_second; /* of a Durable Object; 0: unlimited */
};

struct model_prediction {
    unsigned row; /* of the spec; 0: it has none for this */
    double expected;
    double deviation; /* by chance, and by doubt about the model itself */
    double chance;    /* the former alone */
    const char *says; /* the formula, in words of the spec */
};
struct model_prediction model_predict(const struct model_traffic *traffic,
                                      const struct model_store *store, uint32_t calls);

/* The sum over windows; reached[i] of them had at least step_floor(i) calls. */
struct model_prediction model_predict_windows(const struct model_traffic *traffic,
                                              const struct model_store *store,
                                              const uint64_t reached[STEPS]);

/* How far off, in standard deviations; false when nothing may vary and the two differ. */
GW_MUST bool model_z(double seen, double expected, double deviation, double *z);
