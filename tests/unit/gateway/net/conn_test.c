/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memfd_create */
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/mapping.h"
#include "tests/unit/gateway/net/pair_fixture.h"

static void on_connect(void *ctx, int err)
{
    struct end *e = ctx;
    assert_int_equal(err, 0);
    e->greeted++;
    if (e->pair->server.conn)
        gw_loop_stop(e->pair->loop);
}

static void on_eof(void *ctx)
{
    struct end *e = ctx;
    e->eofs++;
    conn_close(e->conn);
}

static void on_error(void *ctx, int err)
{
    (void)err;
    struct end *e = ctx;
    e->errors++;
    conn_close(e->conn);
}

static const struct conn_events events = {on_connect,    pair_on_read, on_eof,
                                          pair_on_drain, on_error,     pair_on_close};

static void on_accept(void *ctx, struct conn *c)
{
    struct pair *p = ctx;
    p->server.conn = c;
    conn_set_owner(c, &events, &p->server);
    if (p->client.greeted)
        gw_loop_stop(p->loop);
}

static void open_pair(struct pair *p)
{
    pair_listen(p, on_accept);
    pair_connect(p, &events);
    gw_loop_run(p->loop);
    assert_non_null(p->server.conn);
}

static void close_pair(struct pair *p)
{
    pair_release(p);
    assert_int_equal(p->client.closes, 1);
    assert_int_equal(p->server.closes, 1);
}

/* Sends the parts and has all of them read. */
static void carry(struct pair *p, const struct iovec *parts, size_t count,
                  const struct conn_hold *hold)
{
    assert_int_equal(conn_write(p->client.conn, parts, count, hold), 0);
    p->expect = conn_bytes(parts, count);
    conn_resume(p->server.conn);
    gw_loop_run(p->loop);
    assert_int_equal(p->server.got.len, p->expect);
}

static void small_writes_leave_at_once(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    struct iovec parts[2] = {{"hello ", 6}, {"world", 5}};
    const struct conn_hold hold = pair_hold(&p, 1, NULL);
    assert_int_equal(conn_write(p.client.conn, parts, 2, &hold), 0);
    assert_int_equal(p.released, 1);
    assert_int_equal(conn_queued(p.client.conn), 0);
    p.expect = 11;
    conn_resume(p.server.conn);
    gw_loop_run(p.loop);
    assert_memory_equal(p.server.got.data, "hello world", 11);
    close_pair(&p);
}

/* More than the kernel buffers: transient parts are copied, borrowed ones held until the last byte
 * is out. */
static void large_writes_are_queued_and_arrive_whole(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    size_t size = 16 << 20;
    char *body = gw_alloc(size);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)(i * 7 >> 3);
    char head[] = "head|";
    struct iovec parts[2] = {{head, 5}, {body, size}};
    const struct conn_hold hold = pair_hold(&p, 1, NULL);
    assert_int_equal(conn_write(p.client.conn, parts, 2, &hold), 0);
    memset(head, '!', 5); /* the caller's again */
    assert_int_equal(p.released, 0);
    assert_true(conn_queued(p.client.conn) > 0);
    p.expect = size + 5;
    conn_resume(p.server.conn);
    gw_loop_run(p.loop);
    assert_int_equal(p.server.got.len, size + 5);
    assert_memory_equal(p.server.got.data, "head|", 5);
    assert_memory_equal(p.server.got.data + 5, body, size);
    assert_int_equal(p.released, 1);
    free(body);
    close_pair(&p);
}

/* Parts of a file between parts that are copied, some too small to go by reference; more than the
 * kernel buffers, so that the last ones are queued. */
static void parts_of_a_file_arrive_in_their_place(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    const size_t size = 8 << 20, large = 3 << 20;
    int fd = memfd_create("conn_test", 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    char *file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (size_t i = 0; i < size; i++)
        file[i] = (char)(i * 7 >> 3);
    const struct gw_mapping mapping = {.fd = fd, .base = file, .size = size, .least = 4096};
    struct iovec parts[] = {{file, large}, {"head|", 5},          {file + 17, large},
                            {file, 4095},  {file + large, large}, {"|tail", 5}};
    const struct conn_hold hold = pair_hold(&p, 1, &mapping);
    carry(&p, parts, GW_COUNT(parts), &hold);
    const char *at = p.server.got.data;
    for (size_t i = 0; i < GW_COUNT(parts); at += parts[i++].iov_len)
        assert_memory_equal(at, parts[i].iov_base, parts[i].iov_len);
    assert_int_equal(p.released, 1);
    assert_true(p.lent > 0);
    munmap(file, size);
    close(fd);
    close_pair(&p);
}

/* The owner is told of that way only when bytes have gone it: not of what is transient, too little,
 * or of another place. */
static void what_is_copied_is_not_lent(void **state)
{
    (void)state;
    static char file[8192], elsewhere[8192];
    const struct gw_mapping mapping = {.fd = -1, .base = file, .size = sizeof(file), .least = 4096};
    struct pair p;
    open_pair(&p);
    struct iovec parts[] = {{file, 8192}, {file, 4095}, {elsewhere, 8192}};
    const struct conn_hold hold = pair_hold(&p, 1, &mapping);
    carry(&p, parts, GW_COUNT(parts), &hold);
    assert_int_equal(p.released, 1);
    assert_int_equal(p.lent, 0);
    close_pair(&p);
}

static void finish_sends_what_is_queued_before_it_closes(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    size_t size = 4 << 20;
    char *body = gw_zalloc(size);
    struct iovec part = {body, size};
    assert_int_equal(conn_write(p.client.conn, &part, 1, NULL), 0);
    conn_finish(p.client.conn);
    assert_true(conn_is_closing(p.client.conn));
    conn_resume(p.server.conn);
    gw_loop_run(p.loop); /* until both are closed */
    assert_int_equal(p.server.got.len, size);
    assert_int_equal(p.server.eofs, 1);
    free(body);
    close_pair(&p);
}

static void a_closed_connection_tells_nothing_more(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    struct iovec part = {"x", 1};
    assert_int_equal(conn_write(p.client.conn, &part, 1, NULL), 0);
    conn_resume(p.server.conn);
    conn_close(p.server.conn);
    assert_int_not_equal(conn_write(p.server.conn, &part, 1, NULL), 0);
    conn_resume(p.client.conn);
    gw_loop_run(p.loop);
    assert_int_equal(p.server.got.len, 0);
    close_pair(&p);
}

static void refused_connects_are_told_later(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    struct net_address nowhere;
    assert_int_equal(net_address_unix(GW_STR("/nonexistent/socket"), &nowhere), 0);
    struct end e = {.pair = &p};
    e.conn = conn_connect(p.loop, &nowhere, &events, &e);
    conn_abandon(e.conn); /* before it is told: then nothing comes */
    close_pair(&p);
    assert_int_equal(e.greeted + e.closes, 0);
}

/* ---- many who have much to say ---- */

#define SPEAKERS 12
#define SPEECH   ((size_t)3 << 20)

struct hall {
    struct gw_loop *loop;
    struct conn *speakers[SPEAKERS], *ears[SPEAKERS];
    size_t ear_count, heard, closed;
    uint64_t turn;
    size_t in_turn, longest_turn;
    size_t enough; /* heard bytes at which everybody is thrown out; 0: nobody is */
};

static void throw_out(struct hall *h)
{
    for (size_t i = 0; i < SPEAKERS; i++) {
        conn_reset(h->ears[i]);
        conn_close(h->speakers[i]);
    }
}

static void count(struct hall *h, size_t bytes)
{
    if (h->turn != gw_loop_turn(h->loop))
        h->in_turn = 0;
    h->turn = gw_loop_turn(h->loop);
    h->in_turn += bytes;
    h->heard += bytes;
    h->longest_turn = gw_max_u64(h->longest_turn, h->in_turn);
}

static void hear(void *ctx, struct gw_str data)
{
    struct hall *h = ctx;
    count(h, data.len);
    if (h->enough && h->heard >= h->enough)
        throw_out(h);
    if (h->heard == SPEAKERS * SPEECH)
        gw_loop_stop(h->loop);
}

static void on_speaker_connected(void *ctx, int err)
{
    (void)ctx;
    assert_int_equal(err, 0);
}

static void on_spoken(void *ctx)
{
    (void)ctx;
}

static void on_left(void *ctx)
{
    struct hall *h = ctx;
    if (++h->closed == 2 * SPEAKERS)
        gw_loop_stop(h->loop);
}

static const struct conn_events hall_events = {.on_connect = on_speaker_connected,
                                               .on_read = hear,
                                               .on_drain = on_spoken,
                                               .on_close = on_left};

static void on_ear(void *ctx, struct conn *c)
{
    struct hall *h = ctx;
    h->ears[h->ear_count++] = c;
    conn_set_owner(c, &hall_events, h);
    if (h->ear_count == SPEAKERS)
        gw_loop_stop(h->loop);
}

static struct listener *open_hall(struct hall *h)
{
    const struct gw_ip loopback = {GW_IP_V4, {127, 0, 0, 1}};
    struct net_address at = net_address_ip(&loopback, 0);
    int err;
    struct listener *listener = listener_open(h->loop, &at, on_ear, h, &err);
    assert_non_null(listener);
    at = listener_address(listener);
    for (size_t i = 0; i < SPEAKERS; i++)
        h->speakers[i] = conn_connect(h->loop, &at, &hall_events, h);
    gw_loop_run(h->loop);
    return listener;
}

/* All of it lies in the kernel before anybody listens. Returns when all was heard, or when
 * everybody has left. */
static void speak(struct hall *h, size_t bytes)
{
    struct iovec speech = {gw_zalloc(bytes), bytes};
    for (size_t i = 0; i < SPEAKERS; i++)
        assert_int_equal(conn_write(h->speakers[i], &speech, 1, NULL), 0);
    for (size_t i = 0; i < SPEAKERS; i++)
        conn_resume(h->ears[i]);
    gw_loop_run(h->loop);
    free(speech.iov_base);
}

static struct listener *hold_speeches(struct hall *h)
{
    struct listener *listener = open_hall(h);
    speak(h, SPEECH);
    return listener;
}

static void close_hall(struct hall *h, struct listener *listener)
{
    for (size_t i = 0; i < SPEAKERS; i++) {
        conn_close(h->speakers[i]);
        conn_close(h->ears[i]);
    }
    gw_loop_run(h->loop);
    listener_close(listener);
    gw_loop_free(h->loop);
}

/* How much of it one turn of the loop takes is how long everybody else waits. */
static void who_has_much_to_say_does_not_keep_the_turn(void **state)
{
    (void)state;
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    struct hall h = {.loop = gw_loop_new(&clock)};
    struct listener *listener = hold_speeches(&h);
    assert_true(h.longest_turn <= GW_TURN_BYTES + GW_SHARE + SPEAKERS * GW_SHARE_NEW);
    close_hall(&h, listener);
    assert_int_equal(h.heard, SPEAKERS * SPEECH);
}

struct asked {
    struct hall *hall;
    struct conn *conn;
};

/* Each question is a byte, and its answer the work of two turns. */
static void on_question(void *ctx, struct gw_str data)
{
    struct asked *a = ctx;
    struct hall *h = a->hall;
    conn_spend(a->conn, 2 * GW_TURN_BYTES);
    count(h, data.len);
    if (h->heard == SPEAKERS)
        gw_loop_stop(h->loop);
}

static void on_asked_close(void *ctx)
{
    on_left(((struct asked *)ctx)->hall);
}

static void who_asks_for_much_in_few_bytes_waits_too(void **state)
{
    (void)state;
    static const struct conn_events asked_events = {.on_read = on_question,
                                                    .on_close = on_asked_close};
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    struct hall h = {.loop = gw_loop_new(&clock)};
    struct listener *listener = open_hall(&h);
    struct asked asked[SPEAKERS];
    for (size_t i = 0; i < SPEAKERS; i++) {
        asked[i] = (struct asked){&h, h.ears[i]};
        conn_set_owner(h.ears[i], &asked_events, &asked[i]);
    }
    for (int round = 0; round < 3; round++) { /* in the first nobody is known */
        h.heard = h.longest_turn = 0;
        speak(&h, 1);
    }
    assert_true(h.longest_turn <= 2); /* one from the line, and one before it */
    close_hall(&h, listener);
}

/* A reset connection that waits for its share of a turn must not be found in the line when it is
 * gone: several wait at each of these moments. */
static void who_is_reset_leaves_the_line(void **state)
{
    (void)state;
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    for (size_t enough = GW_TURN_BYTES; enough <= 4 * GW_TURN_BYTES; enough += GW_SHARE) {
        struct hall h = {.loop = gw_loop_new(&clock), .enough = enough};
        struct listener *listener = hold_speeches(&h);
        assert_int_equal(h.closed, 2 * SPEAKERS);
        assert_true(h.heard < SPEAKERS * SPEECH);
        listener_close(listener);
        gw_loop_free(h.loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_writes_leave_at_once),
        cmocka_unit_test(large_writes_are_queued_and_arrive_whole),
        cmocka_unit_test(parts_of_a_file_arrive_in_their_place),
        cmocka_unit_test(what_is_copied_is_not_lent),
        cmocka_unit_test(finish_sends_what_is_queued_before_it_closes),
        cmocka_unit_test(a_closed_connection_tells_nothing_more),
        cmocka_unit_test(refused_connects_are_told_later),
        cmocka_unit_test(who_has_much_to_say_does_not_keep_the_turn),
        cmocka_unit_test(who_asks_for_much_in_few_bytes_waits_too),
        cmocka_unit_test(who_is_reset_leaves_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
