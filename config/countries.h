/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Countries by ISO 3166-1 alpha-2 code and the continent that Cloudflare's ip.src.continent names
 * for them (AF, AN, AS, EU, NA, OC, SA). XK is Kosovo's user-assigned code. Thread: any. */
#include "gateway/base/str.h"

/* Static two-letter text, or NULL when there is no such country. */
const char *country_continent(struct gw_str code);
