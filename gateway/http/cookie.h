/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cookies of a request (RFC 6265 section 5.4), without allocation. Names are case-sensitive; values
 * stay as sent, quotes included. Thread: any. */
#include "gateway/http/headers.h"

/* Walks one Cookie value: false at the end. A pair without "=" is a name with an empty value. */
bool cookie_next(struct gw_str *rest, struct gw_str *name, struct gw_str *value);
/* The first cookie of this name over all Cookie lines. */
GW_MUST bool cookie_find(const struct headers *h, struct gw_str name, struct gw_str *value);
