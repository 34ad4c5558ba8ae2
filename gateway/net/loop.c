/* SPDX-License-Identifier: Apache-2.0 */
/* A turn as libuv runs it: timers (the tick that moves the deadlines' wheel), then the poll with
 * everything that sockets, resolvers and other threads bring, then on_check with deferred tasks and
 * the line, at last the callbacks of closed handles. A task, deadline or place in line that
 * outlives its owner's close callback is found in freed memory a turn later. */
#include "gateway/net/loop.h"

#include <pthread.h>
#include <uv.h>

#define WHEEL_SLOTS 512 /* times GW_DEADLINE_TICK_MS: 25 s; what is due later goes round again */

struct gw_loop {
    uv_loop_t uv;
    const struct gw_clock *clock;
    struct gw_time now; /* valid while uv_now is now_for */
    uint64_t now_for;

    struct gw_list deferred;
    struct gw_list line, line_end; /* the mark is in line while it is served */
    uint64_t turn;
    int64_t unspent;  /* of GW_TURN_BYTES in this turn; what is no flow may overdraw it */
    uv_check_t check; /* runs the deferred tasks right after I/O … */
    uv_idle_t idle;   /* … and keeps the loop from sleeping while there are some */

    uv_async_t wake;
    pthread_mutex_t posted_lock;
    struct gw_list posted;
    bool stopping; /* under posted_lock */

    uv_timer_t tick;
    struct gw_list wheel[WHEEL_SLOTS];
    uint64_t wheel_ms; /* all slots up to this time have been looked at */

    void *scratch;
    char read_buffer[GW_READ_BUFFER];
};

static _Thread_local struct gw_loop *running_here;

/* ---- tasks ---- */

/* A batch: a task that defers itself runs in the next turn, behind what the poll brings, and not
 * for ever in this one. */
static void run_deferred(struct gw_loop *loop)
{
    struct gw_list batch;
    gw_list_take(&batch, &loop->deferred);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct gw_task *task = gw_list_entry(link, struct gw_task, link);
        task->run(task);
    }
}

/* Everybody in line at most once, in order, until the turn is spent. The rest comes first in the
 * next turn: who queues up again meanwhile stands behind the mark. */
static void serve_line(struct gw_loop *loop)
{
    loop->unspent = (int64_t)GW_TURN_BYTES;
    gw_list_push(&loop->line, &loop->line_end);
    while (loop->unspent > 0 && loop->line.next != &loop->line_end) {
        struct gw_list *link = gw_list_pop(&loop->line);
        struct gw_task *task = gw_list_entry(link, struct gw_task, link);
        task->run(task);
    }
    gw_list_remove(&loop->line_end);
}

/* A turn begins here: what deferred tasks, the line and the poll after it move counts as one.
 * Deferred tasks go first: they are steps of requests, the line is bulk. */
static void on_check(uv_check_t *handle)
{
    struct gw_loop *loop = handle->data;
    loop->turn++;
    run_deferred(loop);
    serve_line(loop);
    if (gw_list_empty(&loop->deferred) && gw_list_empty(&loop->line))
        uv_idle_stop(&loop->idle);
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* its being active is what makes the poll return at once */
}

void gw_task_init(struct gw_task *task, void (*run)(struct gw_task *))
{
    gw_list_init(&task->link);
    task->run = run;
}

void gw_loop_defer(struct gw_loop *loop, struct gw_task *task)
{
    if (gw_task_is_waiting(task))
        return;
    gw_list_push(&loop->deferred, &task->link);
    uv_idle_start(&loop->idle, on_idle);
}

void gw_loop_queue(struct gw_loop *loop, struct gw_task *task)
{
    if (gw_task_is_waiting(task))
        return;
    gw_list_push(&loop->line, &task->link);
    uv_idle_start(&loop->idle, on_idle);
}

size_t gw_loop_share(const struct gw_loop *loop)
{
    /* The mark is in the line while somebody of it runs, who is the one that asks. */
    bool serving = !gw_list_empty(&loop->line_end);
    bool alone = loop->unspent > 0 && gw_list_empty(&loop->line);
    return serving || alone ? GW_SHARE : 0;
}

size_t gw_loop_share_flow(const struct gw_loop *loop)
{
    size_t first = loop->unspent > -(int64_t)GW_TURN_OVERDRAFT ? GW_SHARE_NEW : 0;
    return gw_loop_share(loop) ? GW_SHARE : first;
}

size_t gw_loop_share_new(const struct gw_loop *loop)
{
    size_t share = gw_loop_share_flow(loop);
    return share ? share : GW_SHARE_CROWD;
}

void gw_loop_spend(struct gw_loop *loop, size_t bytes)
{
    loop->unspent -= (int64_t)bytes;
}

uint64_t gw_loop_turn(const struct gw_loop *loop)
{
    return loop->turn;
}

void gw_task_cancel(struct gw_task *task)
{
    gw_list_remove(&task->link);
}

void gw_loop_post(struct gw_loop *loop, struct gw_task *task)
{
    if (loop == running_here) { /* no lock, no system call */
        gw_loop_defer(loop, task);
        return;
    }
    pthread_mutex_lock(&loop->posted_lock);
    gw_list_push(&loop->posted, &task->link);
    pthread_mutex_unlock(&loop->posted_lock);
    uv_async_send(&loop->wake);
}

void gw_loop_stop(struct gw_loop *loop)
{
    pthread_mutex_lock(&loop->posted_lock);
    loop->stopping = true;
    pthread_mutex_unlock(&loop->posted_lock);
    uv_async_send(&loop->wake);
}

/* Any number of posts may end in one wake (uv_async_send coalesces): the list has them all. What
 * was posted before a stop still runs; a loop that was stopped may run again. */
static void on_wake(uv_async_t *handle)
{
    struct gw_loop *loop = handle->data;
    struct gw_list batch;
    pthread_mutex_lock(&loop->posted_lock);
    gw_list_take(&batch, &loop->posted);
    bool stopping = loop->stopping;
    loop->stopping = false;
    pthread_mutex_unlock(&loop->posted_lock);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct gw_task *task = gw_list_entry(link, struct gw_task, link);
        task->run(task);
    }
    if (stopping)
        uv_stop(&loop->uv);
}

/* ---- deadlines: a timing wheel of one level, entries are looked at again rather than moved ----
 */

static void put_in_wheel(struct gw_loop *loop, struct gw_deadline *d)
{
    uint64_t farthest = loop->wheel_ms + (WHEEL_SLOTS - 1) * GW_DEADLINE_TICK_MS;
    /* The slot of wheel_ms has been looked at: what were put there would wait for a whole round. */
    d->check_ms = gw_max_u64(gw_min_u64(d->due_ms, farthest), loop->wheel_ms + 1);
    size_t slot = (d->check_ms + GW_DEADLINE_TICK_MS - 1) / GW_DEADLINE_TICK_MS % WHEEL_SLOTS;
    gw_list_push(&loop->wheel[slot], &d->link);
}

static void look_at(struct gw_loop *loop, struct gw_list *slot, uint64_t now_ms)
{
    struct gw_list batch;
    /* Taken out first: a deadline that fires may set itself or cancel others, of this slot too. */
    gw_list_take(&batch, slot);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct gw_deadline *d = gw_list_entry(link, struct gw_deadline, link);
        if (d->due_ms > now_ms)
            put_in_wheel(loop, d);
        else
            d->fire(d);
    }
}

static void on_tick(uv_timer_t *handle)
{
    struct gw_loop *loop = handle->data;
    uint64_t now_ms = uv_now(&loop->uv);
    /* After a long stall one round over all slots is enough. */
    uint64_t oldest =
        now_ms > WHEEL_SLOTS * GW_DEADLINE_TICK_MS ? now_ms - WHEEL_SLOTS * GW_DEADLINE_TICK_MS : 0;
    loop->wheel_ms = gw_max_u64(loop->wheel_ms, oldest / GW_DEADLINE_TICK_MS * GW_DEADLINE_TICK_MS);
    while (loop->wheel_ms + GW_DEADLINE_TICK_MS <= now_ms) {
        loop->wheel_ms += GW_DEADLINE_TICK_MS;
        look_at(loop, &loop->wheel[loop->wheel_ms / GW_DEADLINE_TICK_MS % WHEEL_SLOTS], now_ms);
    }
}

void gw_deadline_init(struct gw_deadline *d, void (*fire)(struct gw_deadline *))
{
    *d = (struct gw_deadline){.fire = fire};
    gw_list_init(&d->link);
}

void gw_deadline_set(struct gw_loop *loop, struct gw_deadline *d, uint64_t in_ms)
{
    d->due_ms = uv_now(&loop->uv) + in_ms;
    bool waiting = !gw_list_empty(&d->link);
    if (waiting && d->check_ms <= d->due_ms)
        return;
    if (waiting)
        gw_list_remove(&d->link);
    put_in_wheel(loop, d);
}

void gw_deadline_cancel(struct gw_deadline *d)
{
    gw_list_remove(&d->link);
}

/* ---- life ---- */

struct gw_loop *gw_loop_new(const struct gw_clock *clock)
{
    struct gw_loop *loop = gw_zalloc(sizeof(*loop));
    loop->clock = clock;
    loop->now_for = UINT64_MAX;
    gw_list_init(&loop->deferred);
    gw_list_init(&loop->line);
    gw_list_init(&loop->line_end);
    loop->turn = 1;
    loop->unspent = (int64_t)GW_TURN_BYTES;
    gw_list_init(&loop->posted);
    pthread_mutex_init(&loop->posted_lock, NULL);
    if (uv_loop_init(&loop->uv) != 0)
        abort();
    uv_check_init(&loop->uv, &loop->check);
    uv_idle_init(&loop->uv, &loop->idle);
    uv_async_init(&loop->uv, &loop->wake, on_wake);
    uv_timer_init(&loop->uv, &loop->tick);
    loop->check.data = loop->idle.data = loop->wake.data = loop->tick.data = loop;
    uv_check_start(&loop->check, on_check);
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        gw_list_init(&loop->wheel[i]);
    loop->wheel_ms = uv_now(&loop->uv) / GW_DEADLINE_TICK_MS * GW_DEADLINE_TICK_MS;
    uv_timer_start(&loop->tick, on_tick, GW_DEADLINE_TICK_MS, GW_DEADLINE_TICK_MS);
    return loop;
}

void gw_loop_run(struct gw_loop *loop)
{
    running_here = loop;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    running_here = NULL;
}

void gw_loop_free(struct gw_loop *loop)
{
    if (!loop)
        return;
    run_deferred(loop); /* some tasks own what they free (a cancelled look-up, a dropped TLS) */
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* close callbacks, look-ups that threads still do */
    if (uv_loop_close(&loop->uv) != 0)
        abort(); /* a handle was left open: a bug of its owner */
    pthread_mutex_destroy(&loop->posted_lock);
    free(loop->scratch);
    free(loop);
}

struct gw_time gw_loop_now(struct gw_loop *loop)
{
    if (loop->clock->mode == GW_CLOCK_VIRTUAL)
        return gw_clock_now(loop->clock);
    uint64_t turn = uv_now(&loop->uv);
    if (loop->now_for != turn) {
        loop->now = gw_clock_now(loop->clock);
        loop->now_for = turn;
    }
    return loop->now;
}

uint64_t gw_loop_real_ms(const struct gw_loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t gw_loop_real_us(const struct gw_loop *loop)
{
    (void)loop;
    return uv_hrtime() / 1000;
}

struct uv_loop_s *gw_loop_uv(struct gw_loop *loop)
{
    return &loop->uv;
}

char *gw_loop_read_buffer(struct gw_loop *loop)
{
    return loop->read_buffer;
}

void *gw_loop_scratch(struct gw_loop *loop, size_t size)
{
    if (!loop->scratch)
        loop->scratch = gw_zalloc(size);
    return loop->scratch;
}
