/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The single questions behind lint.h. Each appends what is wrong and what to write to `out`, and
 * answers whether it did. Thread: any. */
#include "config/rules/lint.h"
#include "config/rules/relate.h"

/* Whether a comparison gives what it seems to give when the header, cookie or argument on its left
 * is absent. `negated`: it stands behind "not". */
bool lint_absent(const struct expr *e, const struct logic *l, bool negated, struct gw_buf *out);

/* All rules at once, in a cache phase. */
struct lint_set {
    const struct rule *rules;
    size_t count;
    struct relate relate;
};
/* Whether later rules overrule all that this one sets, whenever it matches. */
bool lint_overruled(struct lint_set *set, size_t index, struct gw_buf *out);
/* Whether this rule caches what depends on a header or cookie that the key leaves out. *l becomes
 * the test that shows it. */
bool lint_unkeyed(struct lint_set *set, size_t index, const struct logic **l, struct gw_buf *out);

/* "http.request.cookies["a"]": the map item that a[0], a or a[*] speaks of. False: none. */
struct lint_item {
    const struct rules_field *field;
    struct gw_str key;
};
bool lint_item_of(const struct access *a, struct lint_item *item);
/* "cookie", "header", "argument". */
const char *lint_item_noun(const struct lint_item *item);
