/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A limiter that compares ("compare" in its file): each call is decided by its own store as ever,
 * and beside it every other store of the list judges the same call. The others are shadows: they
 * are asked when the own store has been, refuse nobody and hold nobody up; their verdicts go into
 * the matrix (matrix.h), with the own store's.
 *
 * A shadow is the same limiter under a name of its own ("aiGenerate~k" for kv), decided by the very
 * code that enforces. So it has its own counters, in the process or in Redis, and its own values of
 * KV, written on the configured clock, and takes the limiter's settings. (Its storage key is two
 * bytes longer, which only a key at KV's ceiling of 512 bytes could notice.)
 *
 * Thread: the worker's. Owns: one comparison for each call until the last verdict is in. Limits:
 * COMPARE_UNDER_WAY_MAX comparisons in a worker, and half of its decisions; beyond, calls are
 * decided and not compared, which the matrix counts. */
#include "limiter/limiter_inside.h"

#define COMPARE_UNDER_WAY_MAX 4096

/* As limiter_decide, for a limiter whose `compare` is not 0. */
enum limiter_outcome compare_decide(struct limiter_worker *worker, const struct limiter_ask *ask,
                                    struct limiter_call *call, struct limiter_verdict *out);
