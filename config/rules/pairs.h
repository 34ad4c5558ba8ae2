/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Walks the name-value pairs behind the map fields: header lines, cookies, query arguments. Slices
 * of the request, nothing is copied or decoded. Thread: the request's. */
#include "config/rules/derive.h"

struct pairs {
    enum rules_derived map; /* the map field it walks */
    const struct headers *headers;
    size_t line;        /* next header line */
    struct gw_str rest; /* of the current cookie line or query */
};

void pairs_start(struct pairs *p, const struct rules_request *r, enum rules_derived map);
bool pairs_next(struct pairs *p, struct gw_str *name, struct gw_str *value);
/* Whether a pair of this name belongs to the key: header names fold case, cookie names are
 * URL-decoded, arguments compare as they are. */
bool pairs_match(enum rules_derived map, struct gw_str name, const struct rules_key *key);
