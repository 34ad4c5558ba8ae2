/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may say, and what ends the connection instead of the process. */
#include "limiter/backend_redis_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define SUBSCRIBED "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
#define MESSAGE    "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"

enum state { AWAITED, IDLE, SUBSCRIBER };

static const struct {
    enum state state;
    const char *said;
    bool good;
} cases[] = {
    {AWAITED, "+OK\r\n", true},
    {AWAITED, ":1\r\n", true},
    {AWAITED, "$-1\r\n", true},
    {AWAITED, "*0\r\n", true},
    {AWAITED, "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n", true},
    {AWAITED, "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n", true},
    {AWAITED, "*2147483647\r\n", false},
    {AWAITED, "*2\r\n*131072\r\n", false}, /* with the two around it one too many */
    {IDLE, "-ERR max number of clients reached\r\n", true},
    {IDLE, "+OK\r\n", false},
    {IDLE, ":1\r\n", false},
    {IDLE, "$-1\r\n", false},
    {IDLE, MESSAGE, false},
    {SUBSCRIBER, SUBSCRIBED, true},
    {SUBSCRIBER, MESSAGE, true},
    {SUBSCRIBER, "+OK\r\n", false},
    {SUBSCRIBER, "*0\r\n", false},
    {SUBSCRIBER, "*-1\r\n", false},
    {SUBSCRIBER, "*1\r\n$9\r\nsubscribe\r\n", false},
    {SUBSCRIBER, "*3\r\n:1\r\n$1\r\nc\r\n:1\r\n", false},
    {SUBSCRIBER, "*3\r\n$7\r\nmessage\r\n:1\r\n$1\r\nx\r\n", false},
    {SUBSCRIBER, "*3\r\n$7\r\nmessage\r\n$-1\r\n$1\r\nx\r\n", false},
    {SUBSCRIBER, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n*0\r\n", false},
    {SUBSCRIBER, "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n$1\r\nx\r\n", false},
    {SUBSCRIBER, "*3\r\n$8\r\npmessage\r\n$1\r\nc\r\n$1\r\nx\r\n", false},
};

/* The parts of a connection that are looked at. */
static void open_reader(redisAsyncContext *ac, redisCallback *callback, enum state state)
{
    *ac = (redisAsyncContext){.c.reader = redisReaderCreate()};
    ac->replies.head = state == AWAITED ? callback : NULL;
    ac->c.flags = state == SUBSCRIBER ? REDIS_SUBSCRIBED : 0;
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        redisAsyncContext ac;
        redisCallback callback = {0};
        struct redis_reader r;
        void *reply = NULL;
        open_reader(&ac, &callback, cases[i].state);
        redis_reader_install(&r, &ac);
        redisReaderFeed(ac.c.reader, cases[i].said, strlen(cases[i].said));
        bool good = redisReaderGetReply(ac.c.reader, &reply) == REDIS_OK && reply;
        if (good != cases[i].good || !good != (r.refused != NULL))
            fail_msg("%zu: %s: %s", i, cases[i].said, r.refused ? r.refused : "taken");
        if (reply)
            freeReplyObject(reply);
        redisReaderFree(ac.c.reader);
    }
}

static void test_an_endless_answer(void **state)
{
    (void)state;
    static char part[1 << 20];
    redisAsyncContext ac;
    redisCallback callback = {0};
    struct redis_reader r;
    void *reply = NULL;
    size_t fed = 0;
    open_reader(&ac, &callback, AWAITED);
    redis_reader_install(&r, &ac);
    redisReaderFeed(ac.c.reader, "$1000000000\r\n", 13);
    for (; !redis_reader_is_full(&r) && fed < 4 * REDIS_UNREAD_MAX; fed += sizeof(part)) {
        redisReaderFeed(ac.c.reader, part, sizeof(part));
        assert_int_equal(redisReaderGetReply(ac.c.reader, &reply), REDIS_OK);
        assert_null(reply);
    }
    assert_in_range(fed, REDIS_UNREAD_MAX, REDIS_UNREAD_MAX + sizeof(part));
    redisReaderFree(ac.c.reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_an_endless_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
