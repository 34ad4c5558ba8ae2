/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/expect.h"

const char *expect_kind_name(enum expect_kind kind)
{
    static const char *const names[] = {
        [EXPECT_COUNT] = "count",   [EXPECT_RATIO] = "ratio",  [EXPECT_RATE] = "rate",
        [EXPECT_TIME] = "time",     [EXPECT_ONLY] = "only",    [EXPECT_FIRST] = "first",
        [EXPECT_HONEST] = "honest", [EXPECT_ORIGIN] = "origin"};
    return names[kind];
}

void expect_begin(struct expectation *e, uint32_t identities)
{
    e->identities = e->each_identity ? identities : 1;
    if (e->kind == EXPECT_TIME)
        histogram_init(&e->times);
}

void expect_release(struct expectation *e)
{
    free(e->cells);
    e->cells = NULL;
    histogram_release(&e->times);
}

static bool subject_is(const struct expect_subject *s, const struct load_sample *x)
{
    switch (s->kind) {
    case SUBJECT_STATUS:
        return x->status >= s->low && x->status <= s->high;
    case SUBJECT_CACHE:
        return x->status && x->cache == s->cache;
    case SUBJECT_LIMITED:
        return x->refusal == LOAD_REFUSAL_LIMITER;
    case SUBJECT_ERRORS:
        return !x->status;
    case SUBJECT_FAILED:
        return !x->status || x->status >= 500;
    case SUBJECT_ANSWERS:
        return x->status;
    case SUBJECT_REQUESTS:
        return true;
    }
    return false;
}

static bool is_hit(const struct expectation *e, const struct load_sample *x)
{
    for (size_t i = 0; i < e->subject_count; i++)
        if (subject_is(&e->subjects[i], x))
            return true;
    return false;
}

static void note_stranger(struct expectation *e, uint16_t status)
{
    for (size_t i = 0; i < e->stranger_count; i++)
        if (e->strangers[i] == status)
            return;
    if (e->stranger_count < GW_COUNT(e->strangers))
        e->strangers[e->stranger_count++] = status;
}

/* Windows come as the run gets there; the plan's length is not what a run with pauses takes. */
static bool reach(struct expectation *e, size_t window)
{
    if (window < e->windows)
        return true;
    if (window >= e->windows_cap) {
        size_t cap = gw_min_size(window * 2 + 1, EXPECT_CELLS_MAX / e->identities);
        if (cap <= window)
            return false;
        e->cells = gw_realloc(e->cells, cap * e->identities * sizeof(*e->cells));
        e->windows_cap = cap;
    }
    memset(e->cells + e->windows * e->identities, 0,
           (window + 1 - e->windows) * e->identities * sizeof(*e->cells));
    e->windows = window + 1;
    return true;
}

/* By when the request was due, in its phase or in the run: a slow answer counts in the window that
 * caused it. */
static void take_cell(struct expectation *e, const struct load_sample *x, bool hit)
{
    uint64_t at_us = e->phase == EXPECT_NONE ? x->intended_us : x->phase_us;
    size_t window = e->window_us ? (size_t)(at_us / e->window_us) : 0;
    uint32_t identity = e->each_identity ? x->identity : 0;
    if (!reach(e, window) || identity >= e->identities) {
        e->overflow = true;
        return;
    }
    struct expect_cell *cell = &e->cells[window * e->identities + identity];
    cell->hits += hit;
    cell->all++;
}

static void take_first(struct expectation *e, const struct load_sample *x)
{
    enum load_scope scope = e->phase == EXPECT_NONE
                                ? (e->request == EXPECT_NONE ? LOAD_RUN : LOAD_RUN_REQUEST)
                                : (e->request == EXPECT_NONE ? LOAD_PHASE : LOAD_PHASE_REQUEST);
    uint64_t number = x->number[scope];
    if (!e->first || number < e->first)
        e->first = number;
}

void expect_take(struct expectation *e, const struct load_sample *x)
{
    if ((e->phase != EXPECT_NONE && e->phase != x->phase) ||
        (e->request != EXPECT_NONE && e->request != x->request))
        return;
    e->all++;
    if (e->kind == EXPECT_TIME) {
        if (x->status)
            histogram_add(&e->times, x->done_us - (e->service ? x->sent_us : x->intended_us), 1);
        return;
    }
    bool hit = is_hit(e, x);
    e->hits += hit;
    if (e->window_us || e->each_identity)
        take_cell(e, x, hit);
    if (e->kind == EXPECT_FIRST && hit)
        take_first(e, x);
    else if (e->kind == EXPECT_ONLY && !hit)
        note_stranger(e, x->status);
}
