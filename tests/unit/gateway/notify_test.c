/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager receives, on a path and on an abstract name. */
#include "gateway/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/clock.h"

struct manager {
    int fd;
    char address[108];
};

/* The process id makes it a name of its own: tests of several builds may run at once. */
static struct manager listen_at(const char *prefix)
{
    struct manager m;
    snprintf(m.address, sizeof(m.address), "%s%d", prefix, (int)getpid());
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, m.address, strlen(m.address));
    if (m.address[0] == '@')
        at.sun_path[0] = '\0';
    m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(m.fd >= 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(m.address));
    assert_int_equal(bind(m.fd, (struct sockaddr *)&at, len), 0);
    setenv("NOTIFY_SOCKET", m.address, 1);
    return m;
}

static void close_manager(struct manager *m)
{
    close(m->fd);
    if (m->address[0] == '/')
        unlink(m->address);
    unsetenv("NOTIFY_SOCKET");
}

static void receive(struct manager *m, char text[512])
{
    ssize_t n = recv(m->fd, text, 511, MSG_DONTWAIT);
    assert_true(n >= 0);
    text[n] = '\0';
}

static void test_states_arrive(void **state)
{
    static const char *const prefixes[] = {"/tmp/nearedge-notify-", "@nearedge-notify-"};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(prefixes); i++) {
        struct manager m = listen_at(prefixes[i]);
        char text[512];
        notify(NOTIFY_READY, NULL);
        receive(&m, text);
        assert_string_equal(text, "READY=1");
        notify(NOTIFY_READY, "serving 2 zones");
        receive(&m, text);
        assert_string_equal(text, "READY=1\nSTATUS=serving 2 zones");
        notify(NOTIFY_STOPPING, "draining");
        receive(&m, text);
        assert_string_equal(text, "STOPPING=1\nSTATUS=draining");
        close_manager(&m);
    }
}

static void test_a_reload_says_since_when(void **state)
{
    (void)state;
    struct manager m = listen_at("@nearedge-notify-");
    char text[512];
    uint64_t before = gw_kernel_mono_us();
    notify(NOTIFY_RELOADING, NULL);
    receive(&m, text);
    unsigned long long since = 0;
    assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu", &since), 1);
    assert_true(since >= before && since <= gw_kernel_mono_us());
    close_manager(&m);
}

static void test_a_long_status_is_cut(void **state)
{
    (void)state;
    struct manager m = listen_at("@nearedge-notify-");
    char status[2000], text[512];
    memset(status, 'x', sizeof(status) - 1);
    status[sizeof(status) - 1] = '\0';
    notify(NOTIFY_READY, status);
    receive(&m, text);
    assert_int_equal(strncmp(text, "READY=1\nSTATUS=xxx", 18), 0);
    close_manager(&m);
}

/* Nobody there, nobody listening, an unknown kind of address: the caller goes on. */
static void test_no_manager_is_no_matter(void **state)
{
    static const char *const addresses[] = {"", "@", "/nowhere/notify", "vsock:2:1", "relative"};
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify(NOTIFY_READY, NULL);
    for (size_t i = 0; i < GW_COUNT(addresses); i++) {
        setenv("NOTIFY_SOCKET", addresses[i], 1);
        notify(NOTIFY_READY, "nobody hears this");
    }
    unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_arrive),
        cmocka_unit_test(test_a_reload_says_since_when),
        cmocka_unit_test(test_a_long_status_is_cut),
        cmocka_unit_test(test_no_manager_is_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
