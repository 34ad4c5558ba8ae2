/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The literal sets of `in { … }` and the contents of named lists: sorted once, then searched by
 * halving. Ranges that overlap (numbers: or touch) are merged, so that one range decides.
 *
 * Owns: nothing; items lie in the arena or heap of the builder, strings are borrowed. Thread: one
 * builds, then any reads. */
#include "gateway/base/ip.h"

struct int_range {
    int64_t low, high; /* inclusive */
};
struct ip_range {
    struct gw_ip low, high; /* inclusive, of one family */
};

/* Sort and merge in place; return the number of ranges left. */
size_t int_ranges_finish(struct int_range *ranges, size_t count);
size_t ip_ranges_finish(struct ip_range *ranges, size_t count);
/* Sorts by length, then by bytes. */
void strings_finish(struct gw_str *strings, size_t count);

bool int_ranges_has(const struct int_range *ranges, size_t count, int64_t value);
bool ip_ranges_has(const struct ip_range *ranges, size_t count, const struct gw_ip *ip);
bool strings_has(const struct gw_str *strings, size_t count, struct gw_str value);
