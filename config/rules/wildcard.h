/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `wildcard` and `strict wildcard`: the whole value must match, "*" stands for any bytes, also "/"
 * (spec/rules-language.md section 2.5).
 *
 * The pattern is cut at its stars. The first and last piece are anchored; each piece between is
 * taken where it first occurs: with stars that match anything, a later place can never help. So
 * there is no backtracking. Owns: pieces lie in the arena. Thread: immutable. */
#include "gateway/base/arena.h"

struct wildcard {
    const struct gw_str *pieces; /* in order; lower case unless strict */
    size_t count;                /* stars + 1 */
    bool strict;
};

/* NULL, or the reason as the engine words it, in static or arena memory. */
const char *wildcard_compile(struct wildcard *w, struct gw_str pattern, bool strict,
                             struct gw_arena *arena);
/* Takes what it costs off *work; false as well when that is used up. */
bool wildcard_match(const struct wildcard *w, struct gw_str value, int64_t *work);
