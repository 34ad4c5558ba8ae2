/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One worker's event loop: libuv's loop, the time of the turn, work put off to later in the turn,
 * work sent by other threads, and coarse deadlines.
 *
 * Rules (libuv's design.rst and pgbouncer's justfree lists are the models):
 *  1. A callback never runs inside the call that asked for it: gw_loop_defer runs it before the
 * loop next sleeps.
 *  2. A task or deadline runs exactly once per request for it, unless it was cancelled first; after
 * that never.
 *  3. gw_loop_now is one instant for a whole turn; nothing else reads a clock on the request path.
 *
 * Thread: everything belongs to the loop's own thread, except gw_loop_post and gw_loop_stop.
 * Owns: tasks and deadlines are embedded in their owner, who cancels them before it dies. */
#include "gateway/base/clock.h"
#include "gateway/base/list.h"
#include "gateway/base/str.h"

struct uv_loop_s;
struct gw_loop;

struct gw_task {
    struct gw_list link;
    void (*run)(struct gw_task *);
};

struct gw_deadline {
    struct gw_list link;
    uint64_t due_ms;   /* real monotonic time of the loop */
    uint64_t check_ms; /* when the wheel looks at it next, at most due_ms */
    void (*fire)(struct gw_deadline *);
};

/* The clock is borrowed and outlives the loop. */
struct gw_loop *gw_loop_new(const struct gw_clock *clock);
/* All handles of others are closed by now; runs the loop until libuv agrees, then frees it. */
void gw_loop_free(struct gw_loop *loop);
/* Returns after gw_loop_stop. */
void gw_loop_run(struct gw_loop *loop);
void gw_loop_stop(struct gw_loop *loop); /* any thread */

/* Time for cache, limiter and rules (it may be virtual). */
struct gw_time gw_loop_now(struct gw_loop *loop);
/* Real monotonic milliseconds of this turn, for socket timeouts; never virtual. */
uint64_t gw_loop_real_ms(const struct gw_loop *loop);
/* Real microseconds, read now: for measuring durations. */
uint64_t gw_loop_real_us(const struct gw_loop *loop);
struct uv_loop_s *gw_loop_uv(struct gw_loop *loop);

/* A scratch area that lives as long as one read callback: the read buffer is the worker's, not an
 * idle connection's. */
#define GW_READ_BUFFER ((size_t)65536)
char *gw_loop_read_buffer(struct gw_loop *loop);
/* One more such area, for a layer that transforms bytes on their way (TLS): made by the first call,
 * which says how large it is; the others say the same. It lives as long as the loop. */
void *gw_loop_scratch(struct gw_loop *loop, size_t size);

void gw_task_init(struct gw_task *task, void (*run)(struct gw_task *));
/* Runs the task before the loop sleeps again. A task that waits already is left where it is. */
void gw_loop_defer(struct gw_loop *loop, struct gw_task *task);
static inline bool gw_task_is_waiting(const struct gw_task *task)
{
    return !gw_list_empty(&task->link);
}
void gw_task_cancel(struct gw_task *task);
/* The same from any thread; the task must not be cancelled and belongs to the loop until it runs.
 */
void gw_loop_post(struct gw_loop *loop, struct gw_task *task);

/* Deadlines fire between due and due + GW_DEADLINE_TICK_MS. Moving one later is a single store: the
 * wheel notices when it gets there. That is why every request may have one at no cost. */
#define GW_DEADLINE_TICK_MS 50
void gw_deadline_init(struct gw_deadline *d, void (*fire)(struct gw_deadline *));
void gw_deadline_set(struct gw_loop *loop, struct gw_deadline *d, uint64_t in_ms);
void gw_deadline_cancel(struct gw_deadline *d);
