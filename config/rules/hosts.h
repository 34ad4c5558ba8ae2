/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which hosts an expression can be true for, from its http.host comparisons: the source of the
 * warning about rules that never match. Conservative: what it cannot tell does not restrict.
 * Thread: any. */
#include "config/rules/node.h"

struct host_set {
    bool restricted; /* false: any host */
    const struct gw_str *items;
    size_t count; /* 0 while restricted: no host at all */
};

struct host_set hosts_of(const struct logic *l, struct gw_arena *arena);
