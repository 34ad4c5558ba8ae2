/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "gateway/admin_client.h"
#include "gateway/base/err.h"

static void test_address_of(void **state)
{
    char text[NET_ADDRESS_TEXT_MAX];
    struct net_address address;
    struct config_address listen = {.ip = {.family = GW_IP_V4}, .port = 8081};
    (void)state;
    assert_true(admin_address_of(&listen, &address));
    net_address_format(&address, text);
    assert_string_equal(text, "127.0.0.1:8081");
    listen.ip.family = GW_IP_V6;
    assert_true(admin_address_of(&listen, &address));
    net_address_format(&address, text);
    assert_string_equal(text, "[::1]:8081");
    listen.port = 0;
    assert_false(admin_address_of(&listen, &address));
    listen = (struct config_address){.unix_path = GW_STR("/run/x")};
    assert_true(admin_address_of(&listen, &address));
    assert_true(net_address_is_unix(&address));
}

static void test_escape(void **state)
{
    struct gw_buf out;
    (void)state;
    gw_buf_init(&out, 1024);
    admin_client_escape(&out, gw_str("a-Z_0.~ &=%/\xc3\xa4\0", 15));
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("a-Z_0.~%20%26%3D%25%2F%C3%A4%00")));
    gw_buf_release(&out);
}

/* Feeds a text cut into pieces of `size`, then the end. */
static int feed(const char *text, size_t size, struct admin_reply *reply)
{
    struct admin_answer *answer = admin_answer_new(reply);
    struct gw_str rest = gw_str_z(text);
    int result = 0;
    while (!result && rest.len) {
        result = admin_answer_feed(answer, gw_str_first(rest, size));
        rest = gw_str_from(rest, size);
    }
    if (!result)
        result = admin_answer_feed(answer, GW_STR_EMPTY);
    admin_answer_free(answer);
    return result;
}

static void test_answer(void **state)
{
    static const struct {
        const char *text;
        int result;
        unsigned status;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1, 200, "ok"},
        {"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: "
         "chunked\r\n\r\n2\r\nno\r\n1\r\n!\r\n0\r\n\r\n",
         1, 404, "no!"},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 1, 200, "until the end"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 1, 204, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", GW_ETRUNCATED, 200, "ok"},
        {"HTTP/1.1 200 OK\r\nConte", GW_ETRUNCATED, 0, ""},
        {"", GW_ETRUNCATED, 0, ""},
        {"220 mail.example.com ESMTP\r\n\r\n", GW_EPARSE, 0, ""},
    };
    static const size_t sizes[] = {1, 3, 1000};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        for (size_t s = 0; s < GW_COUNT(sizes); s++) {
            struct admin_reply reply;
            assert_int_equal(feed(cases[i].text, sizes[s], &reply), cases[i].result);
            assert_int_equal(reply.status, cases[i].status);
            assert_true(gw_str_eq(gw_buf_str(&reply.body), gw_str_z(cases[i].body)));
            admin_reply_release(&reply);
        }
}

/* A server for one connection: keeps what was asked, says what it is told to. */
struct server {
    int listener;
    const char *answer; /* NULL: says nothing until the client leaves */
    char asked[4096];
    struct net_address address;
    char path[64];
    pthread_t thread;
};

static void *serve(void *argument)
{
    struct server *s = argument;
    size_t len = 0;
    int fd = accept(s->listener, NULL, NULL);
    for (ssize_t n; len < sizeof(s->asked) - 1; len += (size_t)n) {
        n = recv(fd, s->asked + len, sizeof(s->asked) - 1 - len, 0);
        if (n <= 0)
            break;
        s->asked[len + (size_t)n] = 0;
        if (s->answer && strstr(s->asked, "\r\n\r\n")) {
            assert_true(send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) > 0);
            break;
        }
    }
    close(fd);
    return NULL;
}

static void start(struct server *s, const char *answer)
{
    *s = (struct server){.answer = answer};
    snprintf(s->path, sizeof(s->path), "/tmp/admin_client_test.%d", (int)getpid());
    unlink(s->path);
    assert_int_equal(net_address_unix(gw_str_z(s->path), &s->address), 0);
    s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, &s->address.any, s->address.len), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
    unlink(s->path);
}

static void test_call(void **state)
{
    struct server s;
    struct admin_reply reply;
    (void)state;
    start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    const struct admin_endpoint to = {s.address, GW_STR("s3cret"), NULL, 5000};
    assert_int_equal(
        admin_client_call(&to, GW_STR("POST"), GW_STR("/x?y=1"), GW_STR("{\"a\":1}"), &reply), 0);
    stop(&s);
    assert_int_equal(reply.status, 200);
    assert_true(gw_str_eq(gw_buf_str(&reply.body), GW_STR("{}")));
    admin_reply_release(&reply);
    assert_string_equal(s.asked,
                        "POST /x?y=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Authorization: Bearer s3cret\r\nContent-Type: application/json\r\n"
                        "Content-Length: 7\r\n\r\n{\"a\":1}");
}

/* Who refuses a body does not read it. */
static void test_refused_early(void **state)
{
    static char body[4 << 20];
    struct server s;
    struct admin_reply reply;
    (void)state;
    memset(body, 'x', sizeof(body));
    start(&s, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!");
    const struct admin_endpoint to = {s.address, GW_STR_EMPTY, NULL, 20000};
    assert_int_equal(
        admin_client_call(&to, GW_STR("POST"), GW_STR("/"), gw_str(body, sizeof(body)), &reply), 0);
    stop(&s);
    assert_int_equal(reply.status, 413);
    assert_true(gw_str_eq(gw_buf_str(&reply.body), GW_STR("no!")));
    admin_reply_release(&reply);
}

static void test_call_fails(void **state)
{
    struct server s;
    struct admin_reply reply;
    (void)state;
    start(&s, NULL);
    struct admin_endpoint to = {s.address, GW_STR_EMPTY, NULL, 100};
    assert_int_equal(admin_client_call(&to, GW_STR("GET"), GW_STR("/"), GW_STR_EMPTY, &reply),
                     GW_ETIMEOUT_READ);
    admin_reply_release(&reply);
    stop(&s);
    /* Nobody is there. */
    assert_int_equal(admin_client_call(&to, GW_STR("GET"), GW_STR("/"), GW_STR_EMPTY, &reply),
                     -ENOENT);
    admin_reply_release(&reply);
    /* Nothing is sent that would end a line early. */
    to.token = GW_STR("a\r\nX: y");
    assert_int_equal(admin_client_call(&to, GW_STR("GET"), GW_STR("/"), GW_STR_EMPTY, &reply),
                     -EINVAL);
    assert_int_equal(admin_client_call(&to, GW_STR("GET"), GW_STR("/ HTTP"), GW_STR_EMPTY, &reply),
                     -EINVAL);
    admin_reply_release(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_of),    cmocka_unit_test(test_escape),
        cmocka_unit_test(test_answer),        cmocka_unit_test(test_call),
        cmocka_unit_test(test_refused_early), cmocka_unit_test(test_call_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
