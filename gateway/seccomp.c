/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* CLONE_THREAD */
#include "gateway/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Names with a space between them. One that this architecture lacks is passed over. */
static const char *const allowed[] = {
    /* the loop */
    "epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 poll ppoll "
    "select pselect6 timerfd_create timerfd_settime pipe2",
    /* connections; socket is below */
    "bind listen accept4 connect shutdown setsockopt getsockopt getsockname getpeername "
    "socketpair recvfrom recvmsg recvmmsg sendto sendmsg sendmmsg sendfile",
    /* bytes */
    "read readv pread64 preadv write writev pwrite64 pwritev close lseek fcntl ioctl dup "
    "dup2 dup3",
    /* files: a reload, logs, rulesets that the API writes, the trust store's folder */
    "open openat stat fstat lstat newfstatat statx access faccessat faccessat2 readlink "
    "readlinkat getdents64 getcwd rename renameat renameat2 unlink unlinkat mkdir mkdirat "
    "fsync fdatasync ftruncate fchmod chmod fchmodat umask flock fadvise64 fallocate",
    /* memory; mmap and mprotect are below */
    "brk munmap mremap madvise mincore membarrier memfd_create",
    /* threads and signals; clone, kill and tgkill are below */
    "futex futex_waitv set_robust_list get_robust_list rseq set_tid_address sched_yield "
    "sched_getaffinity sched_getparam sched_getscheduler gettid exit exit_group "
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigsuspend sigaltstack "
    "restart_syscall",
    /* time, chance, who and where we are */
    "nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time getrandom "
    "getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups uname "
    "sysinfo getrusage times getrlimit prlimit64 getcpu arch_prctl",
};

/* One call under one condition; several of one call add up. */
struct bounded {
    const char *name;
    struct scmp_arg_cmp when;
};

/* Argument number `at` as an int: the upper half of its register may hold anything. */
#define IS(at, value) BITS(at, UINT32_MAX, value)
#define BITS(at, mask, value)                                                                      \
    {                                                                                              \
        at, SCMP_CMP_MASKED_EQ, mask, value                                                        \
    }

/* What a call may be asked for. Netlink is getaddrinfo's, which looks for the kinds of addresses
 * that this machine has. */
static int allow_bounded(scmp_filter_ctx filter)
{
    const scmp_datum_t writable_code = PROT_WRITE | PROT_EXEC;
    const struct bounded rules[] = {
        {"socket", IS(0, AF_INET)},
        {"socket", IS(0, AF_INET6)},
        {"socket", IS(0, AF_UNIX)},
        {"socket", IS(0, AF_NETLINK)},
        {"mmap", BITS(2, writable_code, 0)},
        {"mmap", BITS(2, writable_code, PROT_WRITE)},
        {"mmap", BITS(2, writable_code, PROT_EXEC)}, /* glibc's modules */
        {"mprotect", BITS(2, PROT_EXEC, 0)},
        {"clone", BITS(0, CLONE_THREAD, CLONE_THREAD)},
        {"prctl", IS(0, PR_SET_NAME)},
        {"prctl", IS(0, PR_GET_DUMPABLE)},
        {"prctl", IS(0, 0x53564d41)}, /* PR_SET_VMA: glibc names its arenas */
        {"kill", IS(0, (scmp_datum_t)getpid())},
        {"tgkill", IS(0, (scmp_datum_t)getpid())}, /* abort, pthread_kill */
    };
    int err = 0;
    for (size_t i = 0; i < GW_COUNT(rules) && !err; i++)
        err = seccomp_rule_add_array(
            filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(rules[i].name), 1, &rules[i].when);
    return err;
}

static int allow_all(scmp_filter_ctx filter, struct gw_str names)
{
    struct gw_str name;
    int err = 0;
    while (!err && gw_str_next(&names, ' ', &name)) {
        char *text = gw_str_dupz(name);
        int number = seccomp_syscall_resolve_name(text);
        if (number != __NR_SCMP_ERROR)
            err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 0, NULL);
        free(text);
    }
    return err;
}

static int fill(scmp_filter_ctx filter)
{
    int err = 0;
    for (size_t i = 0; i < GW_COUNT(allowed) && !err; i++)
        err = allow_all(filter, gw_str_z(allowed[i]));
    /* A filter sees no memory, and clone3 has its flags there. Told that it does not exist, glibc
     * takes clone, whose flags are checked. */
    if (!err)
        err = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    return err ? err : allow_bounded(filter);
}

int seccomp_install(enum config_seccomp_action action)
{
    scmp_filter_ctx filter =
        seccomp_init(action == CONFIG_SECCOMP_KILL ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return -ENOMEM;
    /* The kernel's log then names what was refused, and a tree costs a request a handful of
     * comparisons a call instead of a hundred. Old kernels lack both. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!err)
        err = fill(filter);
    if (!err)
        err = seccomp_load(filter);
    seccomp_release(filter);
    return err;
}
