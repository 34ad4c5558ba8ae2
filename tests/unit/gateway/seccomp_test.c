/* SPDX-License-Identifier: Apache-2.0 */
/* What the filter refuses, each in a child of its own: nothing takes a filter off again. */
#define _GNU_SOURCE
#include "gateway/seccomp.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- refused ---- */

static int execute(void)
{
    char *const nothing[] = {NULL};
    return execve("/bin/true", nothing, nothing);
}

static int fork_process(void)
{
    return (int)fork();
}

static int open_raw_socket(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static int map_writable_code(void)
{
    void *page = mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int signal_another(void)
{
    return kill(getppid(), 0);
}

static int trace_another(void)
{
    return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static int change_root(void)
{
    return chroot("/");
}

static int become_root(void)
{
    return setuid(0);
}

/* ---- allowed ---- */

static void *nothing(void *arg)
{
    return arg;
}

static int start_thread(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL) ? -1 : 0;
}

static int open_stream_socket(void)
{
    return socket(AF_INET6, SOCK_STREAM, 0);
}

static int signal_itself(void)
{
    return kill(getpid(), 0);
}

static int map_memory(void)
{
    void *page = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : munmap(page, 4096);
}

struct attempt {
    const char *name;
    int (*make)(void);
};

static const struct attempt refused[] = {
    {"execve", execute},        {"fork", fork_process},    {"AF_PACKET", open_raw_socket},
    {"W+X", map_writable_code}, {"mprotect X", make_code}, {"kill", signal_another},
    {"ptrace", trace_another},  {"chroot", change_root},   {"setuid", become_root},
};
static const struct attempt accepted[] = {
    {"thread", start_thread},
    {"AF_INET6", open_stream_socket},
    {"kill itself", signal_itself},
    {"mmap", map_memory},
};

enum outcome { DONE, REFUSED, OTHERWISE, NO_FILTER };

/* The status of a child that installs the filter and makes the attempt. */
static int status_of(const struct attempt *attempt, enum config_seccomp_action action)
{
    pid_t child = fork();
    if (child == 0) {
        enum outcome outcome = NO_FILTER;
        if (seccomp_install(action) == 0)
            outcome = attempt->make() != -1 ? DONE : errno == EPERM ? REFUSED : OTHERWISE;
        _exit(outcome);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_what_an_edge_never_does_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(refused); i++) {
        int status = status_of(&refused[i], CONFIG_SECCOMP_DENY);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED)
            fail_msg("%s: status %x", refused[i].name, (unsigned)status);
    }
}

static void test_what_an_edge_does_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(accepted); i++) {
        int status = status_of(&accepted[i], CONFIG_SECCOMP_KILL);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != DONE)
            fail_msg("%s: status %x", accepted[i].name, (unsigned)status);
    }
}

static void test_kill_ends_the_process(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(refused); i++) {
        int status = status_of(&refused[i], CONFIG_SECCOMP_KILL);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            fail_msg("%s: status %x", refused[i].name, (unsigned)status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_an_edge_never_does_is_refused),
        cmocka_unit_test(test_what_an_edge_does_is_not),
        cmocka_unit_test(test_kill_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
