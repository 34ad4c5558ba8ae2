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
/* The same as gw_loop_defer from any thread; the task must not be cancelled and belongs to the loop
 * until it runs.
 */
void gw_loop_post(struct gw_loop *loop, struct gw_task *task);

/* Flows, bodies that are moved by the hundred KiB, share a turn: together they move GW_TURN_BYTES
 * in it, a quarter of a millisecond's work, however many there are; who has had its share waits in
 * line behind the others. Without this, five hundred clients that ask for megabytes and whose
 * kernel buffers take them stand before everybody else, each with all it can move. Turns of 2 MiB
 * cost a proxied MiB 5 % less and a POST of 100 KiB 8 %, since the poll reports again and again who
 * waits, but made a visitor beside those five hundred wait for three times as long. */
#define GW_TURN_BYTES   ((size_t)512 * 1024)
#define GW_SHARE        ((size_t)512 * 1024) /* few large ones: moving on costs caches and calls */
/* What a request costs in the same coin, beside its answer's bytes. */
#define GW_REQUEST_COST ((size_t)16 * 1024)
/* Puts the task in line: it runs in a later turn, when those before it have had their shares. */
void gw_loop_queue(struct gw_loop *loop, struct gw_task *task);
/* Bytes that a flow may move before it waits in line (again); 0 while others wait, or the turn is
 * spent, and it is not the caller's turn. */
size_t gw_loop_share(const struct gw_loop *loop);
/* The same for who has not waited yet and may be no flow: some always, and as much as most bodies
 * have while the turn is overdrawn by no more than usual traffic does. */
#define GW_TURN_OVERDRAFT ((size_t)512 * 1024)
#define GW_SHARE_NEW      ((size_t)128 * 1024)
#define GW_SHARE_CROWD    ((size_t)16 * 1024)
size_t gw_loop_share_new(const struct gw_loop *loop);
/* The same for who is known to be one: 0 then, as crumbs cost more system calls than they move. */
size_t gw_loop_share_flow(const struct gw_loop *loop);
void gw_loop_spend(struct gw_loop *loop, size_t bytes); /* they have been moved, or promised */
uint64_t gw_loop_turn(const struct gw_loop *loop);      /* counted from 1 */

/* Deadlines fire between due and due + GW_DEADLINE_TICK_MS. Moving one later is a single store: the
 * wheel notices when it gets there. That is why every request may have one at no cost. */
#define GW_DEADLINE_TICK_MS 50
void gw_deadline_init(struct gw_deadline *d, void (*fire)(struct gw_deadline *));
void gw_deadline_set(struct gw_loop *loop, struct gw_deadline *d, uint64_t in_ms);
void gw_deadline_cancel(struct gw_deadline *d);
