/* SPDX-License-Identifier: Apache-2.0 */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/err.h"

#define CHUNK 65536

/* The descriptor, or a negative errno; a folder opens but cannot be read. */
static int open_file(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = fstat(fd, &info) < 0 ? -errno : S_ISDIR(info.st_mode) ? -EISDIR : 0;
    if (!err)
        return fd;
    close(fd);
    return err;
}

static int read_all(int fd, struct gw_buf *out)
{
    /* The size of a file is not asked for: pipes have none and files grow. */
    for (;;) {
        size_t room = gw_min_size(CHUNK, out->max - out->len);
        /* A full buffer reads one byte more: only that tells a file that just fits from one that is
         * too large. */
        char byte, *into = room ? gw_buf_reserve(out, room) : &byte;
        ssize_t n = read(fd, into, room ? room : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (!room)
            return GW_ELIMIT;
        out->len += (size_t)n;
    }
}

int file_read(const char *path, struct gw_buf *out)
{
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    size_t before = out->len;
    int err = read_all(fd, out);
    close(fd);
    if (err)
        out->len = before;
    return err;
}

/* Opened, for access(2) asks on behalf of the real user, not of the one that reads. */
int file_probe(const char *path)
{
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

struct gw_str file_resolve(struct gw_arena *arena, const char *base, struct gw_str path)
{
    struct gw_str folder = gw_str_z(base);
    size_t slash = gw_str_rchr(folder, '/');
    bool absolute = path.len > 0 && path.ptr[0] == '/';
    size_t prefix = absolute || slash == GW_NPOS ? 0 : slash + 1;
    char *text = gw_arena_alloc(arena, prefix + path.len + 1);
    if (prefix)
        memcpy(text, folder.ptr, prefix);
    if (path.len)
        memcpy(text + prefix, path.ptr, path.len);
    text[prefix + path.len] = '\0';
    return gw_str(text, prefix + path.len);
}
