/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"

static int pipe_ends[2];
static char text[1 << 16];

static int open_pipe(void **state)
{
    (void)state;
    if (pipe2(pipe_ends, O_NONBLOCK) < 0)
        return -1;
    gw_log_setup(GW_LOG_INFO, pipe_ends[1]);
    return 0;
}

static int close_pipe(void **state)
{
    (void)state;
    gw_log_setup(GW_LOG_INFO, 2);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return 0;
}

/* Everything written since the last call. */
static struct gw_str written(void)
{
    ssize_t n = read(pipe_ends[0], text, sizeof(text) - 1);
    n = n > 0 ? n : 0;
    text[n] = '\0';
    return gw_str(text, (size_t)n);
}

static void test_form_of_a_line(void **state)
{
    (void)state;
    gw_log_warn("limiter backend=%s up=%d", "redis", 0);
    struct gw_str line = written();
    int year, month, day, hour, minute, second, ms, at = 0;
    assert_int_equal(sscanf(line.ptr, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour,
                            &minute, &second, &ms, &at),
                     7);
    assert_string_equal(line.ptr + at, "warn limiter backend=redis up=0\n");
}

static void test_levels(void **state)
{
    (void)state;
    gw_log_debug("no");
    assert_int_equal(written().len, 0);
    gw_log_setup(GW_LOG_ERROR, pipe_ends[1]);
    gw_log_warn("no");
    gw_log_info("no");
    assert_int_equal(written().len, 0);
    assert_true(gw_log_on(GW_LOG_ERROR));
    assert_false(gw_log_on(GW_LOG_WARN));
    gw_log_error("yes");
    assert_true(gw_str_ends(written(), GW_STR(" error yes\n")));
    gw_log_setup(GW_LOG_DEBUG, pipe_ends[1]);
    gw_log_debug("step");
    assert_true(gw_str_ends(written(), GW_STR(" debug step\n")));
}

static void test_nobody_forges_a_line(void **state)
{
    (void)state;
    gw_log_info("host=%s", "a\r\n2026 error forged\x1b[2J");
    struct gw_str line = written();
    assert_int_equal(gw_str_chr(line, '\n'), line.len - 1);
    assert_true(gw_str_find(line, GW_STR("host=a??2026 error forged?[2J")) != GW_NPOS);
}

static void test_long_line_is_cut(void **state)
{
    (void)state;
    static char big[5000];
    memset(big, 'x', sizeof(big) - 1);
    gw_log_info("%s", big);
    struct gw_str line = written();
    assert_in_range(line.len, 900, 1024);
    assert_int_equal(gw_str_chr(line, '\n'), line.len - 1);
}

struct tally {
    size_t lines;
    unsigned long long repeated;
};

static void tally(struct tally *t)
{
    struct gw_str rest = written(), line;
    while (gw_str_next(&rest, '\n', &line)) {
        size_t at = gw_str_find(line, GW_STR("repeated="));
        unsigned long long n;
        t->lines += line.len > 0;
        if (at != GW_NPOS && sscanf(line.ptr + at, "repeated=%llu", &n) == 1)
            t->repeated += n;
    }
}

static void test_repeats_are_summarised(void **state)
{
    (void)state;
    struct tally t = {0};
    size_t calls = 0;
    uint64_t give_up = gw_kernel_mono_ms() + 10000;
    while (!t.repeated && gw_kernel_mono_ms() < give_up) {
        gw_log_error("origin down n=%zu", calls++);
        tally(&t);
        if (calls > 200)
            usleep(5000);
    }
    assert_in_range(t.lines, 2, 20);
    assert_int_equal(t.lines + t.repeated, calls); /* none is lost */
    gw_log_error("another site");                  /* is not held back by its neighbour */
    assert_true(gw_str_ends(written(), GW_STR("another site\n")));
}

static void test_debug_is_never_held_back(void **state)
{
    (void)state;
    gw_log_setup(GW_LOG_DEBUG, pipe_ends[1]);
    for (int i = 0; i < 50; i++)
        gw_log_debug("step %d", i);
    struct tally t = {0};
    tally(&t);
    assert_int_equal(t.lines, 50);
}

static void *shout(void *letter)
{
    for (int i = 0; i < 100; i++)
        gw_log_debug("%.200s", (const char *)letter);
    return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    static char a[200], b[200];
    memset(a, 'a', sizeof(a) - 1);
    memset(b, 'b', sizeof(b) - 1);
    gw_log_setup(GW_LOG_DEBUG, pipe_ends[1]);
    pthread_t one, two;
    pthread_create(&one, NULL, shout, a);
    pthread_create(&two, NULL, shout, b);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    struct gw_str rest = written(), line;
    size_t lines = 0;
    while (gw_str_next(&rest, '\n', &line) && line.len) {
        assert_true(gw_str_ends(line, gw_str_z(a)) || gw_str_ends(line, gw_str_z(b)));
        assert_int_equal(line.len, strlen("2026-01-01T00:00:00.000Z debug ") + 199);
        lines++;
    }
    assert_int_equal(lines, 200);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_pipe, close_pipe)
    const struct CMUnitTest tests[] = {
        TEST(test_form_of_a_line),
        TEST(test_levels),
        TEST(test_nobody_forges_a_line),
        TEST(test_long_line_is_cut),
        TEST(test_repeats_are_summarised),
        TEST(test_debug_is_never_held_back),
        TEST(test_lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
