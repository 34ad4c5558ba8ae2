/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by tests: the calendar is so many seconds off as a file says at this moment. The file
 * is mapped before anything else happens, so that it costs no system call that a filter would
 * refuse. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t *offset_s;

__attribute__((constructor)) static void map_offset(void)
{
    int fd = open(getenv("CALENDAR_OFFSET"), O_RDONLY | O_CLOEXEC);
    void *at = mmap(NULL, sizeof(*offset_s), PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        abort();
    close(fd);
    offset_s = at;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int err = (int)syscall(SYS_clock_gettime, id, ts);
    if (!err && id == CLOCK_REALTIME && offset_s)
        ts->tv_sec += *(volatile const int64_t *)offset_s;
    return err;
}

time_t time(time_t *out)
{
    struct timespec ts = {0};
    clock_gettime(CLOCK_REALTIME, &ts);
    if (out)
        *out = ts.tv_sec;
    return ts.tv_sec;
}
