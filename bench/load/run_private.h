/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The run's state, which run.c (sending), run_phase.c (what happens between phases) and
 * run_check.c (Retry-After afterwards) share. Private to them. Thread: the loop's. */
#include "bench/load/pick.h"
#include "bench/load/run.h"
#include "gateway/net/precise_timer.h"

enum run_state {
    RUN_BOUNDARY, /* waits until nothing is under way, then for calls to the admin listener */
    RUN_SENDING,
    RUN_CHECKING, /* Retry-After */
    RUN_OVER,
};

/* One action's way through the admin listener. */
struct run_call {
    struct run *run;
    struct run_action *done;
};

struct run {
    struct load_plan *plan;
    const struct run_options *options;
    struct run_result *result;
    struct stats *stats;
    struct gw_loop *loop;
    struct lanes *lanes;
    struct load_admin *admin;
    struct precise_timer *timer;
    struct gw_task more; /* goes on with a large backlog in the next turn */
    struct gw_deadline tick;
    enum run_state state;
    uint64_t zero_us; /* 0: the first phase has not begun */

    uint32_t phase; /* the one that is running or about to begin; phase_count: none is left */
    uint64_t phase_us, phase_end_us, tolerance_us;
    struct schedule schedule;
    struct pick pick;
    bool has_next;
    uint64_t next_us; /* in the phase */
    size_t next_action;

    uint64_t under_way;
    uint64_t number, phase_number;
    uint64_t *request_numbers, *phase_request_numbers;

    size_t before;    /* the next action to call before the phase */
    unsigned calling; /* actions without an answer yet, also those of the phase that has ended */
    bool asking_origin, asked_origin;
    struct load_flight *refused; /* of each request the first that got 429; status 0: none */
    struct probe *probe;
    uint32_t probing;       /* the next request to look at */
    struct run_call *calls; /* as many as actions */
    struct gw_buf scratch;
};

/* Nothing may be under way at the beginning of the phase: waits, calls, and begins it. */
void run_boundary(struct run *r);
/* Goes on there if it can. */
void run_boundary_step(struct run *r);
void run_begin_phase(struct run *r, uint64_t at_us);
/* Calls that are due while a phase runs. */
void run_actions(struct run *r, uint64_t now_us);
/* Takes up what is due and sets the timer. */
void run_dispatch(struct run *r);
/* All phases are over and nothing is under way. */
void run_check(struct run *r);
void run_finish(struct run *r);
