/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Structured fields (RFC 9651), as far as targeted cache control needs them (RFC 9213 section 2.1):
 * whether a text is a dictionary at all. Keys fold case, which the RFC does not: Cloudflare reads
 * directives in any case (spec/cache-behaviour.md section 2.6). Thread: any. */
#include "gateway/base/str.h"

/* One member: `key`, `key=value`, with parameters. */
bool structured_is_member(struct gw_str text);
/* Members between commas, no comma at the end. An empty text is an empty dictionary. */
bool structured_is_dictionary(struct gw_str text);
