/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/expect_judge.h"

#include <inttypes.h>
#include <math.h>

#include "bench/load/units.h"

/* == on doubles is meant: counts are whole numbers below 2^53, which are exact. */
static bool holds(const struct expectation *e, double value)
{
    switch (e->compare) {
    case COMPARE_EQ:
        return value == e->low;
    case COMPARE_NE:
        return value != e->low;
    case COMPARE_LT:
        return value < e->low;
    case COMPARE_LE:
        return value <= e->low;
    case COMPARE_GT:
        return value > e->low;
    case COMPARE_GE:
        return value >= e->low;
    case COMPARE_IN:
        return value >= e->low && value <= e->high;
    }
    return false;
}

/* A window that the end cut short can be too full already, but not yet too empty. */
static bool holds_so_far(const struct expectation *e, double value)
{
    switch (e->compare) {
    case COMPARE_EQ:
        return value <= e->low;
    case COMPARE_IN:
        return value <= e->high;
    case COMPARE_NE:
    case COMPARE_GT:
    case COMPARE_GE:
        return true;
    case COMPARE_LT:
    case COMPARE_LE:
        return holds(e, value);
    }
    return false;
}

static bool bounds_above_only(const struct expectation *e)
{
    return e->compare == COMPARE_LT || e->compare == COMPARE_LE;
}

static enum expect_outcome outcome_of(bool held)
{
    return held ? EXPECT_HELD : EXPECT_FAILED;
}

bool expect_is_vacuous(const struct expectation *e)
{
    double most = e->kind == EXPECT_RATIO ? 100 : INFINITY;
    if (e->kind != EXPECT_COUNT && e->kind != EXPECT_RATIO && e->kind != EXPECT_RATE &&
        e->kind != EXPECT_ORIGIN)
        return false;
    switch (e->compare) {
    case COMPARE_GE:
        return e->low <= 0;
    case COMPARE_GT:
        return e->low < 0;
    case COMPARE_LE:
        return e->low >= most;
    case COMPARE_LT:
        return e->low > most;
    case COMPARE_IN:
        return e->low <= 0 && e->high >= most;
    case COMPARE_EQ:
    case COMPARE_NE:
        return false;
    }
    return false;
}

struct cells_seen {
    size_t judged, failed;
    size_t window, identity; /* of the first that failed */
    uint32_t hits;
};

static void judge_cell(const struct expectation *e, size_t window, size_t identity, bool complete,
                       struct cells_seen *seen)
{
    const struct expect_cell *cell = &e->cells[window * e->identities + identity];
    if (e->each_identity && !cell->all)
        return;
    seen->judged += complete || bounds_above_only(e);
    if (complete ? holds(e, cell->hits) : holds_so_far(e, cell->hits))
        return;
    if (seen->failed++ == 0) {
        seen->window = window;
        seen->identity = identity;
        seen->hits = cell->hits;
    }
}

static void tell_cell(const struct expectation *e, const struct cells_seen *c, struct gw_buf *out)
{
    gw_buf_printf(out, "%" PRIu32 " ", c->hits);
    if (e->each_identity)
        gw_buf_printf(out, "for identity %zu ", c->identity);
    if (e->window_us) {
        gw_buf_add(out, GW_STR("in the window at "));
        units_add_us(out, (double)c->window * (double)e->window_us);
        gw_buf_char(out, ' ');
    }
    gw_buf_printf(out, "(%zu of %zu differ)", c->failed, gw_max_u64(c->judged, c->failed));
}

static enum expect_outcome judge_cells(const struct expectation *e, double seconds,
                                       struct gw_buf *out)
{
    struct cells_seen seen = {0};
    if (e->overflow) {
        gw_buf_add(out, GW_STR("more windows and identities than can be counted"));
        return EXPECT_UNKNOWN;
    }
    for (size_t w = 0; w < e->windows; w++) {
        double end_s = (double)(w + 1) * (double)e->window_us / 1e6;
        bool complete = !e->window_us || end_s <= seconds + 1e-6;
        for (uint32_t i = 0; i < e->identities; i++)
            judge_cell(e, w, i, complete, &seen);
    }
    const char *what = e->each_identity ? "identities" : "windows";
    if (seen.failed)
        tell_cell(e, &seen, out);
    else if (!seen.judged && e->window_us)
        gw_buf_printf(out, "no window was complete after %.3g s", seconds);
    else
        gw_buf_printf(out, "in each of %zu %s", seen.judged, e->window_us ? "windows" : what);
    return outcome_of(!seen.failed && seen.judged);
}

static enum expect_outcome judge_count(const struct expectation *e, double seconds,
                                       struct gw_buf *out)
{
    if (e->window_us || e->each_identity)
        return judge_cells(e, seconds, out);
    gw_buf_printf(out, "%" PRIu64 " of %" PRIu64, e->hits, e->all);
    return outcome_of(holds(e, (double)e->hits));
}

static enum expect_outcome judge_ratio(const struct expectation *e, struct gw_buf *out)
{
    if (!e->all) {
        gw_buf_add(out, GW_STR("nothing was sent"));
        return EXPECT_FAILED;
    }
    double percent = 100.0 * (double)e->hits / (double)e->all;
    gw_buf_printf(out, "%.4g%% (%" PRIu64 " of %" PRIu64 ")", percent, e->hits, e->all);
    return outcome_of(holds(e, percent));
}

static enum expect_outcome judge_rate(const struct expectation *e, double seconds,
                                      struct gw_buf *out)
{
    double rate = seconds > 0 ? (double)e->hits / seconds : 0;
    units_add_rate(out, rate);
    gw_buf_printf(out, " (%" PRIu64 " in %.3g s)", e->hits, seconds);
    return outcome_of(seconds > 0 && holds(e, rate));
}

static enum expect_outcome judge_time(const struct expectation *e, struct gw_buf *out)
{
    if (!e->times.total) {
        gw_buf_add(out, GW_STR("there was no answer"));
        return EXPECT_FAILED;
    }
    double us = e->percent == EXPECT_MEAN ? histogram_mean(&e->times)
                : e->percent <= 0         ? (double)e->times.min_us
                                          : (double)histogram_at(&e->times, e->percent);
    units_add_us(out, us);
    return outcome_of(holds(e, us));
}

static enum expect_outcome judge_only(const struct expectation *e, struct gw_buf *out)
{
    gw_buf_printf(out, "%" PRIu64 " other", e->all - e->hits);
    for (size_t i = 0; i < e->stranger_count; i++) {
        gw_buf_add(out, i ? GW_STR(", ") : GW_STR(": "));
        if (e->strangers[i])
            gw_buf_u64(out, e->strangers[i]);
        else
            gw_buf_add(out, GW_STR("no answer"));
    }
    if (!e->all)
        gw_buf_add(out, GW_STR(", and nothing was sent"));
    return outcome_of(e->all && e->all == e->hits);
}

static enum expect_outcome judge_first(const struct expectation *e, struct gw_buf *out)
{
    if (!e->first) {
        gw_buf_printf(out, "it never came in %" PRIu64 " requests", e->all);
        return EXPECT_FAILED;
    }
    gw_buf_printf(out, "after %" PRIu64 ", as request %" PRIu64, e->first - 1, e->first);
    return outcome_of(holds(e, (double)(e->first - 1)));
}

static enum expect_outcome judge_honest(const struct expect_facts *f, struct gw_buf *out)
{
    gw_buf_add(out, gw_str_z(f->honest_text ? f->honest_text : "it was not tried"));
    return f->honest < 0 ? EXPECT_UNKNOWN : outcome_of(f->honest);
}

static enum expect_outcome judge_origin(const struct expectation *e, const struct expect_facts *f,
                                        struct gw_buf *out)
{
    if (!f->origin_known) {
        gw_buf_add(out, GW_STR("the admin listener could not be asked"));
        return EXPECT_UNKNOWN;
    }
    gw_buf_printf(out, "%" PRIu64 " requests reached an origin", f->origin_requests);
    return outcome_of(holds(e, (double)f->origin_requests));
}

enum expect_outcome expect_judge(const struct expectation *e, const struct expect_facts *facts,
                                 struct gw_buf *seen)
{
    switch (e->kind) {
    case EXPECT_COUNT:
        return judge_count(e, facts->seconds, seen);
    case EXPECT_RATIO:
        return judge_ratio(e, seen);
    case EXPECT_RATE:
        return judge_rate(e, facts->seconds, seen);
    case EXPECT_TIME:
        return judge_time(e, seen);
    case EXPECT_ONLY:
        return judge_only(e, seen);
    case EXPECT_FIRST:
        return judge_first(e, seen);
    case EXPECT_HONEST:
        return judge_honest(facts, seen);
    case EXPECT_ORIGIN:
        return judge_origin(e, facts, seen);
    }
    return EXPECT_UNKNOWN;
}
