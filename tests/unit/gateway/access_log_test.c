/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "gateway/access_log.h"
#include "gateway/exchange.h"

struct fixture {
    char folder[64], path[96], moved[96];
    struct gw_clock clock;
    struct gw_loop *loop;
    struct config_log settings;
    struct config_edge edge;
    struct snapshot_edge edges[1];
    struct snapshot snapshot;
    struct worker_snapshot ws;
    struct exchange x;
    struct gw_task stop;
    struct gw_deadline later;
};

static struct fixture *current; /* the tasks of the loop carry no context of a test */

static void on_stop(struct gw_task *task)
{
    (void)task;
    gw_loop_stop(current->loop);
}

static void on_later(struct gw_deadline *deadline)
{
    (void)deadline;
    gw_loop_stop(current->loop);
}

static int set_up(void **state)
{
    struct fixture *f = gw_zalloc(sizeof(*f));
    snprintf(f->folder, sizeof(f->folder), "/tmp/access_log_test.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/log", f->folder);
    snprintf(f->moved, sizeof(f->moved), "%s/log.1", f->folder);
    gw_clock_init(&f->clock, GW_CLOCK_SYSTEM);
    f->loop = gw_loop_new(&f->clock);
    f->settings.access = CONFIG_LOG_FILE;
    f->settings.access_path = gw_str_z(f->path);
    f->settings.format = CONFIG_LOG_COMMON;
    f->edge.name = GW_STR("FRA");
    f->edges[0].config = &f->edge;
    f->snapshot.edges = f->edges;
    f->ws.snapshot = &f->snapshot;
    f->x.ws = &f->ws;
    f->x.request.url.path = GW_STR("/");
    f->x.responded = true;
    f->x.status = 200;
    gw_task_init(&f->stop, on_stop);
    gw_deadline_init(&f->later, on_later);
    signal(SIGPIPE, SIG_IGN);
    gw_log_setup(GW_LOG_ERROR, 2);
    *state = current = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    gw_loop_free(f->loop);
    unlink(f->path);
    unlink(f->moved);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* One turn: what was put off until its end has run. */
static void turn(struct fixture *f)
{
    gw_loop_post(f->loop, &f->stop);
    gw_loop_run(f->loop);
}

static void turn_for(struct fixture *f, uint64_t ms)
{
    gw_deadline_set(f->loop, &f->later, ms);
    gw_loop_run(f->loop);
}

/* Lines of a file; every one must be whole. */
static size_t lines_in(const char *path)
{
    struct gw_buf text;
    struct gw_str rest, line;
    size_t lines = 0;
    gw_buf_init(&text, 64 << 20);
    assert_int_equal(file_read(path, &text), 0);
    rest = gw_buf_str(&text);
    while (text.len && gw_str_next(&rest, '\n', &line)) {
        if (!line.len && !rest.ptr)
            break;
        assert_true(gw_str_starts(line, GW_STR(" - - [")));
        assert_true(gw_str_ends(line, GW_STR("\"-\" \"-\"")));
        lines++;
    }
    gw_buf_release(&text);
    return lines;
}

static void test_gathers(void **state)
{
    struct fixture *f = *state;
    struct access_log *log = access_log_new(f->loop, &f->settings);
    access_log_reopen(log);
    for (int i = 0; i < 3; i++)
        access_log_write(log, &f->x);
    assert_int_equal(lines_in(f->path), 0);
    turn(f);
    assert_int_equal(lines_in(f->path), 3);
    for (int i = 0; i < 3000; i++) /* more than the buffer holds: some leave before the turn ends */
        access_log_write(log, &f->x);
    assert_true(lines_in(f->path) > 1000);
    access_log_free(log);
    assert_int_equal(lines_in(f->path), 3003);
}

static void test_reopens(void **state)
{
    struct fixture *f = *state;
    struct access_log *log = access_log_new(f->loop, &f->settings);
    access_log_reopen(log);
    access_log_write(log, &f->x);
    turn(f);
    assert_int_equal(rename(f->path, f->moved), 0);
    access_log_write(log, &f->x);
    turn(f);
    access_log_reopen(log);
    access_log_write(log, &f->x);
    turn(f);
    access_log_free(log);
    assert_int_equal(lines_in(f->moved), 2);
    assert_int_equal(lines_in(f->path), 1);
}

static void test_off(void **state)
{
    struct fixture *f = *state;
    struct config_log off = f->settings;
    off.access = CONFIG_LOG_OFF;
    struct access_log *log = access_log_new(f->loop, &off);
    access_log_reopen(log);
    access_log_write(log, &f->x);
    turn(f);
    access_log_configure(log, &f->settings);
    access_log_write(log, &f->x);
    access_log_configure(log, &off); /* flushes */
    access_log_write(log, &f->x);
    access_log_free(log);
    assert_int_equal(lines_in(f->path), 1);
}

/* Reads what the pipe holds into the file `moved`. */
static void drain(struct fixture *f, int fd)
{
    char piece[4096];
    int out = open(f->moved, O_WRONLY | O_APPEND | O_CREAT, 0600);
    for (ssize_t n; (n = read(fd, piece, sizeof(piece))) > 0;)
        assert_int_equal(write(out, piece, (size_t)n), n);
    close(out);
}

/* A reader that does not read: lines wait up to the ceiling, then are dropped whole; when it reads
 * again the log goes on, and no line is torn. */
static void test_slow_reader(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    int reader = open(f->path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    struct access_log *log = access_log_new(f->loop, &f->settings);
    access_log_reopen(log);
    for (int i = 0; i < 20000; i++)
        access_log_write(log, &f->x);
    turn(f);
    drain(f, reader);
    turn_for(f, 200); /* nobody asks for a line now: it is tried again all the same */
    drain(f, reader);
    access_log_write(log, &f->x);
    turn(f);
    access_log_free(log);
    drain(f, reader);
    close(reader);
    size_t lines = lines_in(f->moved);
    assert_true(lines > 1000 && lines < 20000);
}

static void test_reader_gone(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    int reader = open(f->path, O_RDONLY | O_NONBLOCK);
    struct access_log *log = access_log_new(f->loop, &f->settings);
    access_log_reopen(log);
    access_log_write(log, &f->x);
    turn(f);
    drain(f, reader);
    close(reader);
    access_log_write(log, &f->x); /* dropped: the pipe is broken */
    turn(f);
    reader = open(f->path, O_RDONLY | O_NONBLOCK);
    access_log_write(log, &f->x);
    access_log_free(log);
    drain(f, reader);
    close(reader);
    assert_int_equal(lines_in(f->moved), 2);
}

/* /dev/full answers ENOSPC to every write. */
static void test_disk_full(void **state)
{
    struct fixture *f = *state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    f->settings.access_path = GW_STR("/dev/full");
    struct access_log *log = access_log_new(f->loop, &f->settings);
    access_log_reopen(log);
    for (int i = 0; i < 5000; i++)
        access_log_write(log, &f->x);
    turn(f);
    access_log_free(log);
}

static void test_cannot_open(void **state)
{
    struct fixture *f = *state;
    f->settings.access_path = GW_STR("/nonexistent/log");
    struct access_log *log = access_log_new(f->loop, &f->settings);
    access_log_reopen(log);
    access_log_write(log, &f->x);
    turn(f);
    access_log_free(log);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_gathers),     TEST(test_reopens),   TEST(test_off),        TEST(test_slow_reader),
        TEST(test_reader_gone), TEST(test_disk_full), TEST(test_cannot_open)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
