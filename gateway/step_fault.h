/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The step FAULT holds a request back for a while; whoever ends it meanwhile lets go here. Thread:
 * the worker's. */
struct exchange;

void step_fault_cancel(struct exchange *x);
