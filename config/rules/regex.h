/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Regexes of `matches`: Rust's syntax in byte mode, unanchored (spec/rules-language.md section
 * 1.6). A pattern becomes a table that needs one step a byte (regex_dfa.h); the few whose
 * table would be very large run on PCRE2, which is visible in regex.c alone.
 *
 * Thread: compiled regexes are immutable; for PCRE2 each thread has its own match data, made on
 * first use. Limits: a PCRE2 match gives up after a fixed number of steps; giving up counts as no
 * match. */
#include "gateway/base/str.h"

struct regex;

/* NULL: `reason` (size bytes) holds a report in the shape of Rust's. */
GW_MUST struct regex *regex_compile(struct gw_str pattern, char *reason, size_t size);
void regex_free(struct regex *re);
bool regex_match(const struct regex *re, struct gw_str value);
