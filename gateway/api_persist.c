/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* realpath, mkostemp */
#include "gateway/api_persist.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)128 << 20)

static void write_document(const struct api_ruleset *rs, const struct api_version *version,
                           struct gw_buf *out)
{
    struct gw_buf head;
    gw_buf_init(&head, FILE_BYTES_MAX);
    api_ruleset_write(rs, version, false, &head);
    gw_buf_add(out, gw_str_first(gw_buf_str(&head), head.len - 1)); /* reopened for the rules */
    gw_buf_release(&head);
    gw_buf_add(out, GW_STR(",\n \"rules\": ["));
    for (size_t i = 0; i < version->count; i++) {
        gw_buf_add(out, i > 0 ? GW_STR(",\n  ") : GW_STR("\n  "));
        api_rule_write(&version->rules[i], out);
    }
    gw_buf_add(out, version->count ? GW_STR("\n ]\n}\n") : GW_STR("]\n}\n"));
}

static int write_all(int fd, struct gw_str data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.ptr, data.len);
        if (n < 0 && errno != EINTR)
            return -errno;
        data = gw_str_from(data, n > 0 ? (size_t)n : 0);
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

/* The new file has the old one's permissions: it is the same file to whoever reads it. */
static int replace(const char *path, struct gw_str data)
{
    struct stat old;
    char name[4096];
    struct gw_buf temporary = gw_buf_over(name, sizeof(name));
    gw_buf_printf(&temporary, "%s.XXXXXX", path);
    gw_buf_char(&temporary, '\0');
    if (temporary.overflow)
        return -ENAMETOOLONG;
    if (stat(path, &old) != 0)
        return -errno;
    if (access(path, W_OK) != 0) /* a file that was made read-only is meant to stay as it is */
        return -errno;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = fchmod(fd, old.st_mode & 07777) == 0 ? write_all(fd, data) : -errno;
    if (close(fd) != 0 && err == 0)
        err = -errno;
    if (err == 0 && rename(name, path) != 0)
        err = -errno;
    if (err != 0)
        unlink(name);
    return err;
}

/* A link is followed: renaming over it would part it from what it points to. */
int api_persist(const char *path, const struct api_ruleset *rs, const struct api_version *version)
{
    char *real = realpath(path, NULL);
    if (!real)
        return -errno;
    struct gw_buf data;
    gw_buf_init(&data, FILE_BYTES_MAX);
    write_document(rs, version, &data);
    int err = data.overflow ? -EFBIG : replace(real, gw_buf_str(&data));
    gw_buf_release(&data);
    free(real);
    return err;
}
