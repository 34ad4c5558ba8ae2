/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Zone settings through the API (spec/api-v4.md section 5): those that change what the edge does.
 *
 * Development mode that the API switched on ends by itself three hours later, on the configured
 * clock; one from the configuration stays on. `ssl` chooses how origins are spoken to whose URL
 * leaves that open ("//host"); a zone without one has it read-only, and what it would not change is
 * refused in words. Thread: any. */
#include "gateway/snapshot.h"

#define API_DEVELOPMENT_S 10800

/* Seconds that development mode goes on for; negative: seconds since it ended; 0: it was never on.
 */
int64_t api_development_left(const struct snapshot_zone *zone, uint64_t wall_ms);
