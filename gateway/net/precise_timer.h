/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One timer with the kernel's precision (tens of microseconds), for a load generator that must send
 * on time. libuv's timers count whole milliseconds and gw_deadline is coarser still; at 20,000
 * requests a second a request is due every 50 µs.
 *
 * It is a timerfd in the loop's poll: setting it is one system call, and setting it again also
 * swallows the expiry, so nothing is ever read from it. Thread: the loop's. Owns: its descriptor.
 */
#include "gateway/net/loop.h"

struct precise_timer;

/* NULL when no descriptor is left. */
struct precise_timer *precise_timer_new(struct gw_loop *loop, void (*fire)(void *ctx), void *ctx);
/* It never fires again; the memory goes in a later turn. NULL is fine. */
void precise_timer_free(struct precise_timer *t);
/* Fires once when gw_loop_real_us() reaches due_us, from the loop, also if that has passed. Moves a
 * timer that is set already. */
void precise_timer_set(struct precise_timer *t, uint64_t due_us);
