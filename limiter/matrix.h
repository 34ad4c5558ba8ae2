/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What several stores said about the same traffic, tallied for each limiter that compares
 * (compare.h): the table behind "will 15 a minute be 15?".
 *
 * A call arrives once and gets its number in its key's exact window: the one that a strong store
 * opens with the key's first call. Against this window each store's verdicts are held: how many it
 * let pass, which number it refused first, which it admitted last. Between the two lies the mixed
 * zone, where a visitor cannot tell whether the limit holds (spec/limiter.md c, row 8). Everything
 * is added up as it comes, so a window that is over needs no closing, and one that is dropped for
 * room costs nothing but its order.
 *
 * Two workers' calls may swap places between getting their numbers and being counted: then even a
 * strong store shows a mixed zone of a call or two.
 *
 * A tally belongs to a limiter as it is written: another rule, store or list begins a new one.
 * Tallies live as long as the world, like the counters; when there are too many, the one whose last
 * call is the longest ago becomes another limiter's. Thread: any; a tally is behind one mutex that
 * is held for one addition. Owns: copies of names and keys. Limits: MATRIX_LIMITERS_MAX tallies of
 * MATRIX_KEYS_MAX open windows and MATRIX_PLACES_MAX places each. */
#include "limiter/limiter.h"
#include "limiter/steps.h"

#define MATRIX_LIMITERS_MAX 128
#define MATRIX_KEYS_MAX     ((size_t)1 << 14)
#define MATRIX_PLACES_MAX   256

struct matrix;
struct matrix_tally;

struct matrix *matrix_new(void);
void matrix_free(struct matrix *m);

/* The limiter's tally, made when it has none. */
struct matrix_tally *matrix_open(struct matrix *m, const struct limiter *limiter);
/* The same without making one. */
struct matrix_tally *matrix_find(struct matrix *m, const struct limiter *limiter);
/* Is it still the tally of the limiter as it is written now? */
bool matrix_fits(struct matrix_tally *t, const struct limiter *limiter);

/* ---- while traffic flows ---- */

struct matrix_arrival {
    struct matrix_tally *tally;
    struct gw_str key; /* logical; borrowed until the last verdict */
    uint64_t reset_at_ms;
    uint32_t number; /* in the exact window, from 1 */
    uint32_t era;    /* of the tally: verdicts of calls that it has forgotten are none of its */
};
struct matrix_arrival matrix_arrive(struct matrix_tally *t, struct gw_str key,
                                    const struct limiter_place *place, uint64_t now_ms);
/* A call that was not compared: too many were under way. */
void matrix_skip(struct matrix_tally *t);

struct matrix_verdict {
    enum limiter_store store;
    bool admitted, failed; /* neither: refused */
    uint32_t waited_ms;    /* what the store added to the request */
    struct limiter_kv_facts kv;
};
void matrix_judge(const struct matrix_arrival *arrival, const struct matrix_verdict *verdict);

/* The key's window begins anew with its next call, as it does in all stores after a reset. */
void matrix_forget(struct matrix *m, struct gw_str name, struct gw_str key);
/* Forgets all verdicts so far; open windows go on, as they do in the stores. */
void matrix_clear(struct matrix_tally *t);

/* ---- reading ---- */

struct matrix *limiter_world_matrix(struct limiter_world *world);

struct matrix_column {
    uint64_t admitted, refused, failed;
    uint64_t windows_refusing; /* windows with a refusal … */
    uint64_t first_refusals;   /* … the sum of the numbers refused first … */
    uint32_t first_refusal;    /* … and the least of them; 0: none */
    uint64_t mixed;            /* sum of the lengths of mixed zones */
    uint32_t mixed_max;
    uint64_t waited_ms; /* sum */
    uint64_t kv_reads, kv_writes, kv_refused;
    uint64_t waits[STEPS]; /* verdicts by how long they took */
};

struct matrix_counts {
    uint64_t first_ms, last_ms; /* arrivals */
    uint64_t arrivals, skipped, exact, windows;
    uint64_t span_ms;        /* sum over windows: from the first to the last arrival */
    uint64_t reached[STEPS]; /* windows with at least step_floor(i) arrivals */
    uint32_t edges, places;  /* that asked */
    bool in_turn;            /* each place got its share to within one call */
    struct matrix_column columns[LIMITER_STORES];
};
/* A consistent copy. */
void matrix_read(struct matrix_tally *t, struct matrix_counts *out);
/* Of the verdicts' waits, 0 to 100. */
uint32_t matrix_wait_at(const struct matrix_column *column, double percent);
