/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What one condition says about another without any request: whether it implies it, whether both
 * can hold at once. The source of warnings about rules that cannot do anything, so it is
 * conservative: false means "not known". Comparisons of the same value are compared as sets of
 * values; whatever else must be written alike on both sides.
 *
 * Thread: any. Limits: what one struct relate allows in all; afterwards nothing is known. */
#include "config/rules/node.h"

#define RELATE_STEPS_MAX 1000000

struct relate {
    unsigned steps; /* taken so far */
};

/* Whenever a is true, b is. */
bool relate_implies(struct relate *r, const struct logic *a, const struct logic *b);
/* Never are both true. */
bool relate_excludes(struct relate *r, const struct logic *a, const struct logic *b);

/* The same of two comparisons, neither of which is an array. */
bool relate_compare_implies(const struct compare *a, const struct compare *b);
bool relate_compare_excludes(const struct compare *a, const struct compare *b);

/* Written alike, but for white space and other names of the same thing. */
bool relate_same(const struct logic *a, const struct logic *b);
bool relate_same_compare(const struct compare *a, const struct compare *b);
bool relate_same_access(const struct access *a, const struct access *b);
