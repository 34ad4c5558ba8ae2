/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ray ids: 16 hex digits that name an exchange in its response, at the origin, in the log and on
 * error pages. Unique in a process and unguessable from one another in practice (a counter behind a
 * keyed mixer), not secret. Thread: the worker's. */
#include "gateway/worker.h"

#define RAY_LENGTH 16

/* Writes the digits and a NUL. */
void ray_next(struct worker *worker, char out[RAY_LENGTH + 1]);
