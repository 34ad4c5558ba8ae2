/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/backend_redis_reader.h"

#include "gateway/base/str.h"

#if HIREDIS_MAJOR < 1
typedef int hiredis_count;
#else
typedef size_t hiredis_count;
#endif

#define MESSAGE_PARTS 3 /* "message", the channel, the text */

/* What hiredis is about to make. Its task knows less: a nil there has the type it would have had,
 * an array no length yet. */
struct made {
    int type;
    struct gw_str text; /* of a string */
    size_t elements;    /* of an array */
};

static bool refuse(struct redis_reader *r, const char *why)
{
    r->refused = why;
    return false;
}

/* An answer begins. hiredis takes answers and those who wait for them off in step, so this one is
 * awaited when anybody still is. An error that nobody awaits is how a server says goodbye ("max
 * number of clients reached"): hiredis ends the connection with it. */
static bool may_begin(struct redis_reader *r, const struct made *made)
{
    r->elements = 0;
    r->awaited = r->ac->replies.head != NULL;
    if (r->awaited || made->type == REDIS_REPLY_ERROR)
        return true;
    bool message = made->type == REDIS_REPLY_ARRAY && made->elements == MESSAGE_PARTS;
    if (!message || !(r->ac->c.flags & REDIS_SUBSCRIBED))
        return refuse(r, "the server answers what nobody asked");
    return true;
}

/* Of a message: two strings, and a number behind "subscribe", a text behind "message". There are no
 * other kinds, since nothing here unsubscribes or takes patterns. */
static bool may_follow(struct redis_reader *r, const struct made *made, int at)
{
    bool number = made->type == REDIS_REPLY_INTEGER && at == MESSAGE_PARTS - 1;
    if (r->awaited)
        return true;
    if (made->type != REDIS_REPLY_STRING && !number)
        return refuse(r, "the server sends something else than messages");
    if (at == 0 && !gw_str_eq(made->text, GW_STR("subscribe")) &&
        !gw_str_eq(made->text, GW_STR("message")))
        return refuse(r, "the server sends messages of an unknown kind");
    return true;
}

static bool may_be(const redisReadTask *task, struct made made)
{
    struct redis_reader *r = task->privdata;
    return task->parent ? may_follow(r, &made, task->idx) : may_begin(r, &made);
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
    struct redis_reader *r = task->privdata;
    bool good = may_be(task, (struct made){.type = task->type, .text = gw_str(text, len)});
    return good ? r->usual.createString(task, text, len) : NULL;
}

static void *make_array(const redisReadTask *task, hiredis_count count)
{
    struct redis_reader *r = task->privdata;
    struct made made = {.type = REDIS_REPLY_ARRAY, .elements = (size_t)count};
    if (!may_be(task, made))
        return NULL;
    if (made.elements > REDIS_ELEMENTS_MAX - r->elements) {
        refuse(r, "an answer has too many elements");
        return NULL;
    }
    r->elements += made.elements;
    return r->usual.createArray(task, count);
}

static void *make_integer(const redisReadTask *task, long long value)
{
    struct redis_reader *r = task->privdata;
    bool good = may_be(task, (struct made){.type = REDIS_REPLY_INTEGER});
    return good ? r->usual.createInteger(task, value) : NULL;
}

static void *make_nil(const redisReadTask *task)
{
    struct redis_reader *r = task->privdata;
    return may_be(task, (struct made){.type = REDIS_REPLY_NIL}) ? r->usual.createNil(task) : NULL;
}

void redis_reader_install(struct redis_reader *r, redisAsyncContext *ac)
{
    *r = (struct redis_reader){.ac = ac, .own = *ac->c.reader->fn, .usual = *ac->c.reader->fn};
    r->own.createString = make_string;
    r->own.createArray = make_array;
    r->own.createInteger = make_integer;
    r->own.createNil = make_nil;
    ac->c.reader->fn = &r->own;
    ac->c.reader->privdata = r;
}

bool redis_reader_is_full(const struct redis_reader *r)
{
    return r->ac->c.reader->len > REDIS_UNREAD_MAX;
}
