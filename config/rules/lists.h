/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Named lists for `in $name`: IP lists hold addresses and CIDR blocks, the others whole values
 * (spec/rules-language.md section 2.4, spec/api-v4.md section 6). Built once, then shared: compiled
 * expressions point into them.
 *
 * Thread: one builds, then any reads. Owns: copies of everything it is given. Limits:
 * RULES_LIST_ITEMS_MAX items a list. Managed lists (cf.…) that are not defined match nothing. */
#include "gateway/base/ip.h"

#define RULES_LIST_ITEMS_MAX 100000

struct rules_lists; /* name → list */
struct rules_list;

GW_MUST struct rules_lists *rules_lists_new(void);
void rules_lists_free(struct rules_lists *lists);

/* Adds an item to a list, which the first item creates. False: the name is no list name (lower-case
 * letters, digits, "_", "."), or the list is full. */
GW_MUST bool rules_lists_add(struct rules_lists *lists, struct gw_str name, struct gw_str item);
/* NULL when undefined; `lists` may be NULL. */
const struct rules_list *rules_lists_get(const struct rules_lists *lists, struct gw_str name);

bool rules_list_has_ip(const struct rules_list *list, const struct gw_ip *ip);
bool rules_list_has_str(const struct rules_list *list, struct gw_str value);
bool rules_list_has_int(const struct rules_list *list, int64_t value);
