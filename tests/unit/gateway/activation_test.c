/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken over of a service manager's sockets. The descriptors have to be 3 and up: a child
 * of the test gets them there, as a service does. */
#include "gateway/activation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct net_address loopback(uint16_t port)
{
    const struct gw_ip ip = {GW_IP_V4, {127, 0, 0, 1}};
    return net_address_ip(&ip, port);
}

static struct net_address address_of(int fd)
{
    struct net_address at = {.len = sizeof(at.un)};
    if (getsockname(fd, &at.any, &at.len) != 0)
        abort();
    return at;
}

static int bound(int type, uint16_t port)
{
    struct net_address at = loopback(port);
    int fd = socket(AF_INET, type, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
    return bind(fd, &at.any, at.len) == 0 ? fd : -1;
}

static int listening(uint16_t port)
{
    int fd = bound(SOCK_STREAM, port);
    return listen(fd, 5) == 0 ? fd : -1;
}

/* As a manager does it between fork and exec: `fds` become 3, 4, …. */
static void pass(const int *fds, size_t count, const char *number, int pid)
{
    char text[16];
    int high[8];
    for (size_t i = 0; i < count; i++)
        high[i] = fcntl(fds[i], F_DUPFD, 100);
    for (size_t i = 0; i < count; i++)
        dup2(high[i], 3 + (int)i);
    for (size_t i = 0; i < count; i++)
        close(high[i]);
    snprintf(text, sizeof(text), "%d", pid);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", number, 1);
    setenv("LISTEN_FDNAMES", "web:admin", 1);
}

/* The child's verdict is its exit code: the line that did not hold, or 0. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ & 255 ? __LINE__ & 255 : 1);                                            \
    } while (0)

static void in_a_child(void (*body)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_closed(int fd)
{
    return fcntl(fd, F_GETFD) < 0;
}

static void take_two(void)
{
    int web = listening(0), admin = listening(0);
    struct net_address web_at = address_of(web), admin_at = address_of(admin), other = loopback(1);
    struct activation a;
    pass((int[]){web, admin}, 2, "2", getpid());
    activation_take(&a);
    HOLDS(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
    HOLDS(a.count == 2 && fcntl(3, F_GETFD) == FD_CLOEXEC && fcntl(4, F_GETFD) == FD_CLOEXEC);
    HOLDS(activation_count(&a, &web_at) == 1 && activation_count(&a, &admin_at) == 1);
    HOLDS(activation_count(&a, &other) == 0 && activation_copy(&a, &other, 0) == -1);
    int copy = activation_copy(&a, &admin_at, 7);
    struct net_address at = address_of(copy);
    HOLDS(copy > 4 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
    HOLDS(net_address_port(&at) == net_address_port(&admin_at));
    HOLDS(!a.sockets[0].used && a.sockets[1].used);
    activation_warn(&a);
    activation_release(&a);
    HOLDS(is_closed(3) && is_closed(4) && !is_closed(copy));
    HOLDS(activation_count(&a, &web_at) == 0);
}

static void share_one_address(void)
{
    int one = listening(0);
    struct net_address at = address_of(one);
    int two = listening(net_address_port(&at));
    struct activation a;
    pass((int[]){one, two}, 2, "2", getpid());
    activation_take(&a);
    HOLDS(activation_count(&a, &at) == 2);
    HOLDS(activation_copy(&a, &at, 1) >= 0 && !a.sockets[0].used && a.sockets[1].used);
    HOLDS(activation_copy(&a, &at, 2) >= 0 && a.sockets[0].used);
    activation_release(&a);
}

static void take_no_other_kinds(void)
{
    int silent = bound(SOCK_STREAM, 0), datagram = bound(SOCK_DGRAM, 0), pair[2], pipes[2];
    struct net_address silent_at = address_of(silent), datagram_at = address_of(datagram);
    struct activation a;
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(pipes) == 0);
    pass((int[]){silent, datagram, pair[0], pipes[0]}, 4, "5", getpid()); /* 7 may not be open */
    activation_take(&a);
    HOLDS(a.count == 5);
    HOLDS(activation_count(&a, &silent_at) == 0 && activation_count(&a, &datagram_at) == 0);
    activation_warn(&a);
    activation_release(&a);
    HOLDS(is_closed(3) && is_closed(6));
}

static void leave_what_is_not_ours(void)
{
    static const char *const numbers[] = {"0", "-1", "two", "", "1025", "99999999999999999999"};
    int web = listening(0);
    struct net_address at = address_of(web);
    struct activation a;
    pass(&web, 1, "1", getpid() + 1);
    activation_take(&a);
    HOLDS(a.count == 0 && activation_count(&a, &at) == 0 && !getenv("LISTEN_FDS"));
    for (size_t i = 0; i < GW_COUNT(numbers); i++) {
        pass(&web, 1, numbers[i], getpid());
        activation_take(&a);
        HOLDS(a.count == 0 && !getenv("LISTEN_PID"));
    }
    unsetenv("LISTEN_PID");
    activation_take(&a);
    activation_release(&a);
    HOLDS(!is_closed(3));
}

static void match_paths(void)
{
    char path[64];
    struct net_address at, other;
    struct activation a;
    snprintf(path, sizeof(path), "/tmp/nearedge-passed-%d", (int)getpid());
    HOLDS(net_address_unix(gw_str_z(path), &at) == 0);
    HOLDS(net_address_unix(GW_STR("/tmp/nearedge-passed"), &other) == 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    HOLDS(bind(fd, &at.any, at.len) == 0 && listen(fd, 5) == 0);
    unlink(path);
    pass(&fd, 1, "1", getpid());
    activation_take(&a);
    HOLDS(activation_count(&a, &at) == 1 && activation_count(&a, &other) == 0);
    activation_release(&a);
}

#define CHILD_TEST(name)                                                                           \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        in_a_child(name);                                                                          \
    }
CHILD_TEST(take_two)
CHILD_TEST(share_one_address)
CHILD_TEST(take_no_other_kinds)
CHILD_TEST(leave_what_is_not_ours)
CHILD_TEST(match_paths)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_two),
        cmocka_unit_test(test_share_one_address),
        cmocka_unit_test(test_take_no_other_kinds),
        cmocka_unit_test(test_leave_what_is_not_ours),
        cmocka_unit_test(test_match_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
