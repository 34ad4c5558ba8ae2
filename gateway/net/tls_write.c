/* SPDX-License-Identifier: Apache-2.0 */
/* The sending half of the TLS layer: parts become records, records leave in one call. While the
 * kernel takes no more, plain text waits and not its records: what a cache lends stays lent, and
 * nothing is encrypted for a peer who goes away. */
#include <errno.h>

#include "gateway/net/tls_inside.h"

/* Parts on their way out: number `at`, from `offset` on, is next. */
struct cursor {
    const struct iovec *parts;
    size_t count, at, offset;
};

/* A write that had to wait: copies of its transient parts stand behind the list of all. */
struct tls_waiting {
    struct gw_list link;
    struct cursor cursor;
    struct conn_hold hold;
    struct iovec parts[];
};

static bool is_empty(struct cursor *k)
{
    while (k->at < k->count && k->offset == k->parts[k->at].iov_len) {
        k->at++;
        k->offset = 0;
    }
    return k->at == k->count;
}

static struct gw_str head_of(const struct cursor *k)
{
    const struct iovec *part = &k->parts[k->at];
    return gw_str((const char *)part->iov_base + k->offset, part->iov_len - k->offset);
}

/* The text of the next record. A head and the start of its body share one: a record each would cost
 * a cipher set-up and 22 bytes apiece. Large parts are encrypted from where they lie. */
static struct gw_str next_record(struct cursor *k, char gather[TLS_RECORD])
{
    struct gw_str text = gw_str_first(head_of(k), TLS_RECORD);
    k->offset += text.len;
    if (is_empty(k) || text.len == TLS_RECORD)
        return text;
    size_t len = text.len;
    memcpy(gather, text.ptr, len);
    while (len < TLS_RECORD && !is_empty(k)) {
        text = gw_str_first(head_of(k), TLS_RECORD - len);
        memcpy(gather + len, text.ptr, text.len);
        len += text.len;
        k->offset += text.len;
    }
    return gw_str(gather, len);
}

int tls_flush(struct tls_conn *t)
{
    struct tls_scratch *s = t->scratch;
    struct iovec part = {s->send, s->send_len};
    s->send_len = 0;
    return part.iov_len ? conn_raw_write(t->conn, &part, 1, NULL) : 0;
}

static bool has_room(const struct tls_scratch *s)
{
    return CONN_TLS_SEND_MAX - gw_min_size(s->send_len, CONN_TLS_SEND_MAX) >=
           TLS_RECORD + TLS_OVERHEAD;
}

/* Sends until the kernel takes no more; what is left stays in the cursor. */
static int send_some(struct tls_conn *t, struct cursor *k)
{
    while (!t->conn->queued && !is_empty(k)) {
        while (has_room(t->scratch) && !is_empty(k)) {
            struct gw_str text = next_record(k, t->scratch->gather);
            if (SSL_write(t->ssl, text.ptr, (int)text.len) <= 0) {
                t->failure = tls_error();
                t->broken = true;
                t->scratch->send_len = 0; /* the loop's other connections find it empty */
                return GW_ETLS;
            }
        }
        int err = tls_flush(t);
        if (err)
            return err;
    }
    return 0;
}

static size_t bytes_left(const struct cursor *k)
{
    return conn_bytes(k->parts + k->at, k->count - k->at) - (k->at < k->count ? k->offset : 0);
}

/* Keeps the rest: parts from `hold->from` on are borrowed, the others copied. */
static void keep(struct tls_conn *t, const struct cursor *k, const struct conn_hold *hold)
{
    size_t count = k->count - k->at, copied = 0;
    size_t from = hold ? hold->from : k->count;
    for (size_t i = k->at; i < k->count && i < from; i++)
        copied += k->parts[i].iov_len;
    struct tls_waiting *w = gw_alloc(sizeof(*w) + count * sizeof(struct iovec) + copied);
    char *space = (char *)(w->parts + count);
    for (size_t i = 0; i < count; i++) {
        w->parts[i] = k->parts[k->at + i];
        if (k->at + i >= from || !w->parts[i].iov_len)
            continue;
        memcpy(space, w->parts[i].iov_base, w->parts[i].iov_len);
        w->parts[i].iov_base = space;
        space += w->parts[i].iov_len;
    }
    w->cursor = (struct cursor){w->parts, count, 0, k->offset};
    w->hold = hold ? *hold : (struct conn_hold){0};
    gw_list_push(&t->queue, &w->link);
    t->conn->waiting += bytes_left(&w->cursor);
}

static void release_waiting(struct tls_conn *t, struct tls_waiting *w)
{
    t->conn->waiting -= bytes_left(&w->cursor);
    gw_list_remove(&w->link);
    if (w->hold.release)
        w->hold.release(w->hold.object);
    free(w);
}

/* Only with the connection: plain text that the kernel never took is lost, but what was lent is
 * not. */
void tls_drop_queue(struct tls_conn *t)
{
    while (!gw_list_empty(&t->queue))
        release_waiting(t, gw_list_entry(t->queue.next, struct tls_waiting, link));
}

int tls_write(struct conn *c, const struct iovec *parts, size_t count, const struct conn_hold *hold)
{
    struct tls_conn *t = c->tls;
    struct cursor k = {parts, count, 0, 0};
    int err = t->greeting || t->broken ? -EPIPE : 0;
    if (!err && gw_list_empty(&t->queue))
        err = send_some(t, &k);
    if (!err && !is_empty(&k)) {
        keep(t, &k, hold);
        return 0; /* release_waiting releases */
    }
    if (hold)
        hold->release(hold->object);
    return err;
}

static int send_close_notify(struct tls_conn *t)
{
    /* Once: from a shut with nothing queued, or from the drain that a shut waited for, or as the
     * last word before a close. */
    t->shut = false;
    if (!t->greeting && !t->broken && SSL_shutdown(t->ssl) < 0)
        tls_error();
    return tls_flush(t);
}

void tls_last_word(struct conn *c)
{
    if (send_close_notify(c->tls) != 0)
        c->tls->broken = true; /* it is closed anyway */
}

/* close_notify, then the end of the sending side: whoever sees the one without the other knows that
 * somebody cut the connection. */
static void say_goodbye(struct tls_conn *t)
{
    if (send_close_notify(t) == 0)
        conn_raw_shut(t->conn);
    else
        conn_close(t->conn);
}

void tls_shut(struct conn *c)
{
    c->tls->shut = true;
    if (gw_list_empty(&c->tls->queue))
        say_goodbye(c->tls);
}

static int send_queue(struct tls_conn *t)
{
    while (!gw_list_empty(&t->queue)) {
        struct tls_waiting *w = gw_list_entry(t->queue.next, struct tls_waiting, link);
        size_t before = bytes_left(&w->cursor);
        int err = send_some(t, &w->cursor);
        t->conn->waiting -= before - bytes_left(&w->cursor);
        if (err)
            return err;
        if (!is_empty(&w->cursor))
            return 0;
        release_waiting(t, w);
    }
    return 0;
}

/* Also in a handshake and for records of OpenSSL's own, of which the owner must not hear as if his
 * bytes had left. */
void tls_sent(struct conn *c)
{
    struct tls_conn *t = c->tls;
    int err = send_queue(t);
    if (err && c->finishing)
        conn_close(c);
    else if (err)
        c->events->on_error(c->ctx, err);
    else if (c->queued || c->waiting)
        return;
    else if (t->shut)
        say_goodbye(t);
    else if (!c->finishing && !t->greeting && !c->shut)
        c->events->on_drain(c->ctx);
}
