/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/precise_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

struct precise_timer {
    uv_poll_t poll;
    int fd;
    void (*fire)(void *ctx);
    void *ctx;
};

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)events;
    struct precise_timer *t = handle->data;
    /* Disarmed before the callback, which may set it again: the poll is level-triggered. */
    const struct itimerspec never = {0};
    timerfd_settime(t->fd, 0, &never, NULL);
    if (status == 0)
        t->fire(t->ctx);
}

struct precise_timer *precise_timer_new(struct gw_loop *loop, void (*fire)(void *ctx), void *ctx)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct precise_timer *t = gw_zalloc(sizeof(*t));
    t->fd = fd;
    t->fire = fire;
    t->ctx = ctx;
    t->poll.data = t;
    uv_poll_init(gw_loop_uv(loop), &t->poll, fd);
    uv_poll_start(&t->poll, UV_READABLE, on_readable);
    return t;
}

static void on_closed(uv_handle_t *handle)
{
    struct precise_timer *t = handle->data;
    /* Not before: libuv must not poll a number that may be another descriptor's by then. */
    close(t->fd);
    free(t);
}

void precise_timer_free(struct precise_timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->poll, on_closed);
}

void precise_timer_set(struct precise_timer *t, uint64_t due_us)
{
    due_us = gw_max_u64(due_us, 1); /* all zeros would mean "never" */
    const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(due_us / 1000000),
                                               .tv_nsec = (long)(due_us % 1000000) * 1000}};
    timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &at, NULL);
}
