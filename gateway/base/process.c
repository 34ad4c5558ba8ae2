/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/str.h"

/* Reads a small file whole; false when it is missing or empty. */
static bool slurp(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, size - 1); /* one read: the kernel writes such a file in one go */
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Boot time in seconds since the epoch: /proc/self/stat counts from there. */
static double boot_seconds(void)
{
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        return 0;
    char line[256];
    unsigned long long seconds = 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "btime %llu", &seconds) == 1)
            break;
    fclose(file);
    return (double)seconds;
}

static void read_stat(struct gw_process *p)
{
    char text[1024];
    if (!slurp("/proc/self/stat", text, sizeof(text)))
        return;
    /* The name in field 2 may hold spaces and brackets: fields are counted behind the last ')'. */
    const char *fields = strrchr(text, ')');
    unsigned long long user, system, start, virtual_bytes; /* fields 14, 15, 22, 23, then 24 */
    long long pages;
    if (!fields || sscanf(fields + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
                          "%*d %*d %llu %llu %lld",
                          &user, &system, &start, &virtual_bytes, &pages) != 5)
        return;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    p->cpu_seconds = (double)(user + system) / ticks;
    p->start_seconds = boot_seconds() + (double)start / ticks;
    p->virtual_bytes = virtual_bytes;
    p->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    uint64_t count = 0;
    /* "." and ".." are the only names that are no number. */
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count - 1; /* the directory's own */
}

struct gw_process gw_process_read(void)
{
    struct gw_process p = {0};
    read_stat(&p);
    p.open_fds = count_fds();
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        p.max_fds = limit.rlim_cur;
    return p;
}
