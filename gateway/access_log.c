/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */
#include "gateway/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/access_log_line.h"
#include "gateway/base/err.h"
#include "gateway/exchange.h"

#define FLUSH_AT  ((size_t)64 << 10)
#define RETRY_MS  50
#define REPORT_MS 1000

struct access_log {
    struct gw_loop *loop;
    const struct config_log *settings;
    struct access_line line;
    int fd;                        /* -1: off, or the file could not be opened */
    enum config_log_target opened; /* what fd is */
    bool is_file, is_socket;
    struct gw_buf pending; /* whole lines, but the first may have begun to leave already */
    bool first_has_begun;
    struct gw_task flush;
    struct gw_deadline retry;
    uint64_t dropped, reported_ms;
    int drop_reason;
};

/* ---- target ---- */

/* A pipe or terminal is opened anew through /proc: O_NONBLOCK then holds for our descriptor alone,
 * while on the inherited one it would also change the shell's or the supervisor's end. A file must
 * not be: `> log 2>&1` shares one offset between both streams, and a second one would overwrite
 * what the other wrote. Sockets (journald) cannot be; they are sent to with MSG_DONTWAIT. */
static int open_standard(int number)
{
    char path[32];
    struct stat st;
    if (fstat(number, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", number);
        int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    return fcntl(number, F_DUPFD_CLOEXEC, 3);
}

/* -1 with errno for "cannot", and for "off". */
static int open_target(const struct config_log *settings)
{
    switch (settings->access) {
    case CONFIG_LOG_OFF:
        return -1;
    case CONFIG_LOG_STDOUT:
        return open_standard(STDOUT_FILENO);
    case CONFIG_LOG_STDERR:
        return open_standard(STDERR_FILENO);
    case CONFIG_LOG_FILE:
        /* Also a FIFO: without a reader the open fails with ENXIO instead of waiting for one. */
        return open(settings->access_path.ptr,
                    O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    }
    return -1;
}

static void use(struct access_log *log, int fd)
{
    struct stat st = {0};
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    log->opened = log->settings->access;
    if (fd >= 0 && fstat(fd, &st) != 0)
        st.st_mode = 0;
    log->is_file = S_ISREG(st.st_mode);
    log->is_socket = S_ISSOCK(st.st_mode);
}

/* After logrotate has moved the file; when there is no new one, the old is better than none. A
 * standard stream is opened once: it has no other end to find, and a process that has become
 * another user may not open it again. */
void access_log_reopen(struct access_log *log)
{
    if (log->fd >= 0 && log->opened == log->settings->access && log->opened != CONFIG_LOG_FILE)
        return;
    int fd = open_target(log->settings);
    int err = errno;
    if (fd < 0 && log->settings->access != CONFIG_LOG_OFF) {
        gw_log_error("access_log_open path=%s error=\"%s\"",
                     log->settings->access_path.ptr ? log->settings->access_path.ptr : "-",
                     gw_strerror(-err));
        return;
    }
    use(log, fd);
}

/* ---- writing ---- */

static ssize_t write_some(const struct access_log *log, struct gw_str bytes)
{
    ssize_t n;
    do
        n = log->is_socket ? send(log->fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL)
                           : write(log->fd, bytes.ptr, bytes.len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* What leaves in one call. A file takes all of it atomically (O_APPEND); a pipe keeps only
 * PIPE_BUF bytes together, so there it is as many whole lines as fit into that, or one long line.
 */
static struct gw_str next_piece(const struct access_log *log)
{
    struct gw_str all = gw_buf_str(&log->pending);
    if (log->is_file || all.len <= PIPE_BUF)
        return all;
    const char *end = memrchr(all.ptr, '\n', PIPE_BUF);
    if (!end)
        end = memchr(all.ptr, '\n', all.len);
    return gw_str_first(all, end ? (size_t)(end - all.ptr) + 1 : all.len);
}

static size_t count_lines(struct gw_str text)
{
    size_t lines = 0;
    while (gw_str_chr(text, '\n') != GW_NPOS) {
        text = gw_str_from(text, gw_str_chr(text, '\n') + 1);
        lines++;
    }
    return lines;
}

/* Once a second, also when the target takes bytes again: the last drops must not go unsaid. */
static void report_dropped(struct access_log *log)
{
    uint64_t now = gw_loop_real_ms(log->loop);
    if (log->dropped == 0 || (log->reported_ms && now - log->reported_ms < REPORT_MS))
        return;
    gw_log_warn("access_log_dropped lines=%llu error=\"%s\"", (unsigned long long)log->dropped,
                gw_strerror(log->drop_reason));
    log->dropped = 0;
    log->reported_ms = now;
}

static void drop(struct access_log *log, uint64_t lines, int reason)
{
    log->dropped += lines;
    log->drop_reason = reason;
    report_dropped(log);
}

/* The target is broken, not slow. A line of which a part is written already keeps its rest, so that
 * the next line will not be glued to a torn one. */
static void drop_pending(struct access_log *log, int err)
{
    struct gw_str all = gw_buf_str(&log->pending);
    size_t keep = log->first_has_begun ? gw_str_chr(all, '\n') + 1 : 0;
    log->pending.len = keep;
    drop(log, count_lines(gw_str_from(all, keep)), err);
}

/* As much as the target takes now. Runs at the end of a turn, when the buffer is full, on the retry
 * deadline, and before the target changes. */
static void flush(struct access_log *log)
{
    while (log->pending.len && log->fd >= 0) {
        ssize_t n = write_some(log, next_piece(log));
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            gw_deadline_set(log->loop, &log->retry, RETRY_MS);
            return;
        }
        if (n <= 0) {
            drop_pending(log, n < 0 ? -errno : -EIO);
            return;
        }
        log->first_has_begun = log->pending.data[n - 1] != '\n';
        gw_buf_consume(&log->pending, (size_t)n);
    }
    report_dropped(log);
}

static void on_flush(struct gw_task *task)
{
    flush(gw_container_of(task, struct access_log, flush));
}

static void on_retry(struct gw_deadline *deadline)
{
    flush(gw_container_of(deadline, struct access_log, retry));
}

void access_log_write(struct access_log *log, const struct exchange *x)
{
    if (log->fd < 0)
        return;
    if (log->pending.len >= FLUSH_AT)
        flush(log);
    if (log->pending.len >= FLUSH_AT) { /* a slow reader: lines wait up to the ceiling only */
        drop(log, 1, -EAGAIN);
        return;
    }
    access_line_write(&log->line, x, gw_loop_real_us(log->loop) - x->start_us, &log->pending);
    gw_loop_defer(log->loop, &log->flush);
}

/* ---- life ---- */

/* What cannot leave through the old target by now goes to the new one: lines belong to no file. */
void access_log_configure(struct access_log *log, const struct config_log *settings)
{
    flush(log);
    access_line_init(&log->line, settings);
    log->settings = settings;
    if (settings->access == CONFIG_LOG_OFF)
        log->pending.len = 0;
    access_log_reopen(log);
}

struct access_log *access_log_new(struct gw_loop *loop, const struct config_log *settings)
{
    struct access_log *log = gw_zalloc(sizeof(*log));
    log->loop = loop;
    log->settings = settings;
    log->fd = -1;
    gw_buf_init(&log->pending, FLUSH_AT + ACCESS_LINE_MAX);
    gw_task_init(&log->flush, on_flush);
    gw_deadline_init(&log->retry, on_retry);
    access_line_init(&log->line, settings);
    if (settings->access != CONFIG_LOG_FILE)
        access_log_reopen(log);
    return log;
}

/* Called once, by the worker at its end, before its loop goes. */
void access_log_free(struct access_log *log)
{
    if (!log)
        return;
    flush(log);
    if (log->pending.len)
        drop_pending(log, -EAGAIN);
    gw_task_cancel(&log->flush);
    gw_deadline_cancel(&log->retry);
    if (log->fd >= 0)
        close(log->fd);
    gw_buf_release(&log->pending);
    free(log);
}
