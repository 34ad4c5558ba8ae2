/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A regex as a table: one look-up a byte whatever the pattern and the text are. This is what makes
 * `matches` safe to run on text that strangers send: a backtracking engine needs quadratic time for
 * patterns as innocent as (a|b)*c, and giving up early would make rules miss.
 *
 * The table is complete before the first request, so threads share it. Construction is the classic
 * one (Thompson's automaton, then sets of its states), with one twist for assertions: a row holds
 * the states as a byte led to them, and what they lead to without a byte is worked out together
 * with the next byte, when both sides of the place are known. A match is therefore seen one byte
 * late. The search is for "is there a match", so it ends there. Bytes that no class tells apart
 * share a column.
 *
 * Limits: patterns whose table passes 65536 cells have none; regex.c then uses PCRE2. Owns: its
 * tables. Thread: immutable. */
#include "config/rules/regex_tree.h"

struct regex_dfa;

/* NULL: this pattern has no table. */
struct regex_dfa *regex_dfa_new(const struct regex_node *root);
void regex_dfa_free(struct regex_dfa *dfa);
bool regex_dfa_match(const struct regex_dfa *dfa, struct gw_str text);
