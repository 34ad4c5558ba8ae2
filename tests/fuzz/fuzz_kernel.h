/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The kernel as a target with sockets and deadlines sees it. Time passes only when nobody has
 * anything to do, and then at once up to the next instant that somebody waits for: deadlines,
 * back-offs and timers all happen, in their order, and no execution takes long. Whatever address is
 * connected to, the target's own server is there; no name is known; chance is the same in each
 * execution.
 *
 * A program's symbols come before those of its libraries, so that libuv, hiredis and our own code
 * call these. The calendar is left alone: libFuzzer goes by it. Thread: one. */
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/base/hash.h"
#include "tests/fuzz/check.h"

#define FUZZ_HOOK __attribute__((visibility("default")))

static struct fuzz_kernel {
    uint64_t now_ns; /* of all clocks but the calendar */
    struct gw_rng chance;
    struct sockaddr_un server; /* who is there, wherever one connects to */
} fuzz_kernel = {.now_ns = 1000000000000};

static inline void fuzz_kernel_begin(const struct sockaddr_un *server)
{
    fuzz_kernel.chance = (struct gw_rng){1};
    fuzz_kernel.server = *server;
}

/* ---- time ---- */

FUZZ_HOOK int clock_gettime(clockid_t clock, struct timespec *now)
{
    switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        now->tv_sec = (time_t)(fuzz_kernel.now_ns / 1000000000);
        now->tv_nsec = (long)(fuzz_kernel.now_ns % 1000000000);
        return 0;
    default:
        return (int)syscall(SYS_clock_gettime, clock, now);
    }
}

FUZZ_HOOK int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout_ms,
                          const sigset_t *mask)
{
    int ready = (int)syscall(SYS_epoll_pwait, fd, events, max, 0, mask, _NSIG / 8);
    if (ready != 0 || timeout_ms == 0)
        return ready;
    CHECK(timeout_ms > 0); /* else everybody waits for somebody else, for ever */
    fuzz_kernel.now_ns += (uint64_t)timeout_ms * 1000000;
    return 0;
}

FUZZ_HOOK int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    return epoll_pwait(fd, events, max, timeout_ms, NULL);
}

/* ---- the network: sockets of the Internet are Unix ones ---- */

FUZZ_HOOK int socket(int family, int type, int protocol)
{
    bool is_unix = family != AF_INET && family != AF_INET6;
    return (int)syscall(SYS_socket, is_unix ? family : AF_UNIX, type, is_unix ? protocol : 0);
}

FUZZ_HOOK int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    if (to->sa_family == AF_UNIX)
        return (int)syscall(SYS_connect, fd, to, len);
    return (int)syscall(SYS_connect, fd, &fuzz_kernel.server, sizeof(fuzz_kernel.server));
}

FUZZ_HOOK int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return level == IPPROTO_TCP ? 0 : (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

FUZZ_HOOK int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb done,
                             const char *node, const char *service, const struct addrinfo *hints)
{
    (void)loop, (void)request, (void)done, (void)node, (void)service, (void)hints;
    return UV_EAI_NONAME;
}

/* ---- chance ---- */

FUZZ_HOOK ssize_t getrandom(void *out, size_t size, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)gw_rng_next(&fuzz_kernel.chance);
    return (ssize_t)size;
}
