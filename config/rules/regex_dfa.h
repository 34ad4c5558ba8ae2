/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A regex as a table: one look-up a byte whatever the pattern and the text are. This is what makes
 * `matches` safe to run on text that strangers send: a backtracking engine needs quadratic time for
 * patterns as innocent as (a|b)*c, and giving up early would make rules miss.
 *
 * The table is complete before the first request, so threads share it. Construction is the classic
 * one (Thompson's automaton, then sets of its states); the search is for "is there a match", so it
 * stops at the first accepting state and needs no second pass. Bytes that no class tells apart
 * share a column.
 *
 * Limits: patterns whose table passes DFA_CELLS_MAX, or that look at word or line boundaries, have
 * none; regex.c then uses PCRE2. Owns: one heap block. Thread: immutable. */
#include "config/rules/regex_tree.h"

#define DFA_CELLS_MAX (128 * 1024)

struct regex_dfa;

/* NULL: this pattern has no table. */
struct regex_dfa *regex_dfa_new(const struct regex_node *root);
void regex_dfa_free(struct regex_dfa *dfa);
bool regex_dfa_match(const struct regex_dfa *dfa, struct gw_str text);
