/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One expectation about a load test: its sentence, its own counters, its verdict.
 *
 *     [SCOPE[, SCOPE]…:] CLAUSE
 *     SCOPE    phase NAME | per 60s | each identity
 *     CLAUSE   SUBJECT [of NAME] COMPARE N             429 >= 25, 429 in 20..30, 429 == 190 +- 2
 *              [ratio] SUBJECT [of NAME] COMPARE N%    ratio 429 < 10%
 *              [rate] SUBJECT [of NAME] COMPARE N/s    rate 200 >= 40/s
 *              [service] P [of NAME] COMPARE TIME      p99 < 50ms, mean < 2s
 *              only SUBJECT,… [of NAME]                only 200,429
 *              first SUBJECT [of NAME] after N         first 429 after 15, after 14..16
 *              retry-after honest [of NAME] | origin requests COMPARE N | origin not contacted
 *     SUBJECT  a status (200), a class (5xx), a cache status (HIT), `limited` (429 of the app's
 *              limiter), `errors` (no answer), `failed` (no answer or 5xx), `answers`, `requests`
 *     COMPARE  == != < <= > >= | in A..B ; N may be followed by +- M
 *     P        p50, p99.9, mean, min, max: of the response time, or of the service time
 *
 * Two-sided: what did not happen fails as what happened too often does; an expectation about
 * nothing (no 429 to be honest, no answer to have a p99) fails.
 *
 * "first 429 after 15" says that exactly 15 requests were sent before the first that got 429. "per
 * 60s" lays windows from the first instant of its scope; one that the end cuts short is held to
 * upper bounds only. "each identity" means those that sent anything.
 *
 * Thread: one. Owns: counters, grown with windows and identities up to EXPECT_CELLS_MAX. */
#include "bench/load/histogram.h"
#include "bench/load/sample.h"
#include "gateway/base/buf.h"

#define EXPECT_CELLS_MAX    ((size_t)32 << 20)
#define EXPECT_SUBJECTS_MAX 16
#define EXPECT_NONE         UINT32_MAX

enum expect_kind {
    EXPECT_COUNT,
    EXPECT_RATIO,
    EXPECT_RATE,
    EXPECT_TIME,
    EXPECT_ONLY,
    EXPECT_FIRST,
    EXPECT_HONEST,
    EXPECT_ORIGIN,
};

enum expect_compare {
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_GT,
    COMPARE_GE,
    COMPARE_IN
};

enum expect_subject_kind {
    SUBJECT_STATUS, /* low to high */
    SUBJECT_CACHE,
    SUBJECT_LIMITED,
    SUBJECT_ERRORS,
    SUBJECT_FAILED,
    SUBJECT_ANSWERS,
    SUBJECT_REQUESTS,
};

struct expect_subject {
    enum expect_subject_kind kind;
    uint16_t low, high;
    enum load_cache cache;
};

struct expect_cell {
    uint32_t hits, all;
};

struct expectation {
    struct gw_str text; /* borrowed from the plan */
    enum expect_kind kind;
    struct expect_subject subjects[EXPECT_SUBJECTS_MAX]; /* several with `only` */
    size_t subject_count;
    enum expect_compare compare;
    double low, high;        /* low is the number of all comparisons but `in` */
    double percent;          /* EXPECT_TIME: 0 min, 100 max, EXPECT_MEAN */
    bool service;            /* EXPECT_TIME */
    uint32_t phase, request; /* EXPECT_NONE: any */
    uint64_t window_us;      /* 0: no windows */
    bool each_identity;

    uint64_t hits, all, first; /* first: number of the first hit, 0: none */
    uint16_t strangers[4];     /* `only`: statuses that are not in the list, 0: no answer */
    size_t stranger_count;
    uint32_t identities;
    struct expect_cell *cells; /* [window][identity] */
    size_t windows, windows_cap;
    bool overflow;
    struct histogram times;
};

#define EXPECT_MEAN (-1.0)

/* Names that "of" and "phase" may say. */
struct expect_names {
    const struct gw_str *requests, *phases;
    size_t request_count, phase_count;
};

struct expect_mistake {
    size_t at, width; /* bytes of the sentence */
    char text[160];
};

/* "count", "ratio", …: for programs that read reports. */
const char *expect_kind_name(enum expect_kind kind);
/* False after a mistake, which is then told. The text is borrowed. */
GW_MUST bool expect_parse(struct gw_str text, const struct expect_names *names,
                          struct expectation *out, struct expect_mistake *mistake);
/* Before the first sample. */
void expect_begin(struct expectation *e, uint32_t identities);
void expect_release(struct expectation *e);
void expect_take(struct expectation *e, const struct load_sample *x);
