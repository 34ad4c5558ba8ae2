/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Zone settings through the API (spec/api-v4.md section 5): those that change what the cache does.
 *
 * Development mode that the API switched on ends by itself three hours later, on the configured
 * clock; one from the configuration stays on. Thread: any. */
#include "gateway/snapshot.h"

#define API_DEVELOPMENT_S 10800

/* Seconds that development mode goes on for; negative: seconds since it ended; 0: it was never on.
 */
int64_t api_development_left(const struct snapshot_zone *zone, uint64_t wall_ms);
