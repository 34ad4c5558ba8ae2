/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a text of the request must start with for an expression to be true: "/api/" and "/v1/" for
 * `http.request.uri.path eq "/api/x" or starts_with(http.request.uri.path, "/v1/")`, say.
 * Necessary, never sufficient: who finds one of them still evaluates. Conservative: what it cannot
 * tell does not bind.
 *
 * Thread: any. Owns: nothing; literals lie in the expression. */
#include "config/rules/node.h"

/* More alternatives than this do not bind: a table entry for each would cost more than it spares.
 */
#define ANCHORS_MAX 16

struct anchor {
    size_t text_at; /* of a struct gw_str in struct rules_request */
    struct gw_str literal;
};

struct anchors {
    size_t count; /* 0: the expression is not bound; else one of them holds whenever it is true */
    struct anchor items[ANCHORS_MAX];
};

void anchors_of(const struct expr *e, struct anchors *out);
