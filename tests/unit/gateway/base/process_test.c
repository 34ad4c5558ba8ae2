/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/process.h"

static void test_read(void **state)
{
    (void)state;
    struct gw_process before = gw_process_read();
    assert_in_range(before.resident_bytes, 100 << 10, 1ULL << 34);
    assert_true(before.virtual_bytes >= before.resident_bytes);
    assert_in_range(before.open_fds, 3, before.max_fds);
    double now = (double)gw_kernel_wall_ms() / 1000;
    assert_true(before.start_seconds <= now + 2 && before.start_seconds > now - 3600);

    int fd = open("/dev/null", O_RDONLY);
    while (gw_process_read().cpu_seconds < before.cpu_seconds + 0.02) {
    }
    assert_int_equal(gw_process_read().open_fds, before.open_fds + 1);
    close(fd);
    assert_int_equal(gw_process_read().open_fds, before.open_fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
