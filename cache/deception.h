/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cache Deception Armor (spec/cache-behaviour.md section 2.12): a URL that ends in ".jpg" but
 * answers with a page is how an attacker gets a victim's private page into a public cache. Private
 * to the store decision. Pure. Thread: any. Owns: nothing. */
#include "gateway/base/str.h"

/* True when the type cannot belong to the path's extension. Only text and application types are
 * suspicious, application/octet-stream is not; unknown extensions and no type at all pass. */
bool cache_looks_deceptive(struct gw_str path, struct gw_str content_type);
