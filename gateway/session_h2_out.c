/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies on their way out, and the one place that writes.
 *
 *   exchange ──h2_out_add──► chunks of the stream ──DATA frames──► batch ──conn_write──► socket
 *
 * A batch gathers what nghttp2 makes: frame heads and small pieces in its own space, large pieces
 * borrowed from their chunks, each with a reference that the batch holds until it has been sent. */
#include "gateway/session_h2_inside.h"

#define FRAME_HEAD  9
#define BATCH_SPACE ((size_t)16 * 1024)
#define SMALL       ((size_t)2048)       /* is copied: cheaper than a part and a reference */
#define QUEUE_MAX   ((size_t)256 * 1024) /* in the socket's queue */

/* A piece of a body as it was given. */
struct h2_chunk {
    struct h2_chunk *next;
    unsigned refs; /* the stream's, and one for each batch with bytes of it */
    struct conn_hold hold;
    size_t copied; /* bytes that are our own */
    size_t part, count;
    struct iovec parts[]; /* what is left; copies stand behind */
};

struct h2_batch {
    size_t used, part_count, hold_count;
    uint64_t bytes;
    struct h2_chunk *holds[CONN_IOV_MAX];
    struct iovec parts[CONN_IOV_MAX];
    char space[BATCH_SPACE];
};

/* ---- chunks ---- */

static void chunk_unref(struct h2_chunk *chunk)
{
    if (--chunk->refs)
        return;
    if (chunk->hold.release)
        chunk->hold.release(chunk->hold.object);
    gw_pool_free(chunk);
}

static struct h2_chunk *chunk_borrow(struct gw_pool *pool, const struct iovec *parts, size_t count,
                                     const struct conn_hold *hold)
{
    struct h2_chunk *chunk = gw_pool_alloc(pool, sizeof(*chunk) + count * sizeof(*parts));
    *chunk = (struct h2_chunk){.refs = 1, .hold = *hold, .count = count};
    memcpy(chunk->parts, parts, count * sizeof(*parts));
    return chunk;
}

static struct h2_chunk *chunk_copy(struct gw_pool *pool, const struct iovec *parts, size_t count,
                                   size_t bytes)
{
    struct h2_chunk *chunk = gw_pool_alloc(pool, sizeof(*chunk) + sizeof(*parts) + bytes);
    *chunk = (struct h2_chunk){.refs = 1, .count = 1, .copied = bytes};
    char *at = (char *)(chunk->parts + 1);
    chunk->parts[0] = (struct iovec){at, bytes};
    for (size_t i = 0; i < count; at += parts[i++].iov_len)
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
    return chunk;
}

void h2_out_add(struct h2_stream *st, const struct iovec *parts, size_t count,
                const struct conn_hold *hold)
{
    size_t bytes = conn_bytes(parts, count);
    bool borrow = hold && hold->release && hold->from == 0;
    if (bytes && !st->broken) {
        struct gw_pool *pool = &st->session->session.worker->pool;
        struct h2_chunk *chunk =
            borrow ? chunk_borrow(pool, parts, count, hold) : chunk_copy(pool, parts, count, bytes);
        if (st->last)
            st->last->next = chunk;
        else
            st->first = chunk;
        st->last = chunk;
        if (!st->pending)
            st->moved_ms = h2_now_ms(st->session);
        st->pending += bytes;
        st->session->copied += chunk->copied;
        if (borrow)
            return; /* the chunk releases */
    }
    if (hold && hold->release)
        hold->release(hold->object);
}

static void drop_first(struct h2_stream *st)
{
    struct h2_chunk *chunk = st->first;
    st->first = chunk->next;
    if (!st->first)
        st->last = NULL;
    st->session->copied -= chunk->copied;
    chunk_unref(chunk);
}

/* Of a stream that is reset or gone: what it has not said is not wanted. Batches under way keep
 * their chunks by references of their own. */
void h2_out_drop(struct h2_stream *st)
{
    while (st->first)
        drop_first(st);
    st->pending = 0;
}

/* ---- batches ---- */

/* Once, by conn_write, whatever becomes of the bytes: sent, failed, or lost with the connection. */
static void batch_release(void *object)
{
    struct h2_batch *b = object;
    for (size_t i = 0; i < b->hold_count; i++)
        chunk_unref(b->holds[i]);
    free(b);
}

/* A write that fails shows in the connection's own events. */
static void batch_write(struct session_h2 *s)
{
    struct h2_batch *b = s->batch;
    s->batch = NULL;
    if (!b)
        return;
    const struct conn_hold hold = {.release = batch_release, .object = b};
    s->written += b->bytes;
    if (conn_write(s->session.conn, b->parts, b->part_count, &hold) != 0 &&
        !conn_is_closing(s->session.conn))
        conn_close(s->session.conn);
}

/* A batch with room for a part more, and for `bytes` in its space. */
static struct h2_batch *batch_for(struct session_h2 *s, size_t bytes)
{
    if (s->batch && (s->batch->part_count == CONN_IOV_MAX || BATCH_SPACE - s->batch->used < bytes))
        batch_write(s);
    if (!s->batch) {
        s->batch = gw_alloc(sizeof(*s->batch));
        memset(s->batch, 0, offsetof(struct h2_batch, holds));
    }
    return s->batch;
}

static void batch_copy(struct session_h2 *s, const char *data, size_t len)
{
    while (len) {
        size_t n = gw_min_size(len, BATCH_SPACE);
        struct h2_batch *b = batch_for(s, n);
        char *at = b->space + b->used;
        memcpy(at, data, n);
        struct iovec *last = b->part_count ? &b->parts[b->part_count - 1] : NULL;
        if (last && (char *)last->iov_base + last->iov_len == at)
            last->iov_len += n;
        else
            b->parts[b->part_count++] = (struct iovec){at, n};
        b->used += n;
        b->bytes += n;
        data += n;
        len -= n;
    }
}

static void batch_borrow(struct session_h2 *s, struct h2_chunk *chunk, char *data, size_t len)
{
    struct h2_batch *b = batch_for(s, 0);
    b->parts[b->part_count++] = (struct iovec){data, len};
    b->bytes += len;
    /* Each hold comes with a part, so holds never outnumber CONN_IOV_MAX. */
    if (b->hold_count && b->holds[b->hold_count - 1] == chunk)
        return;
    chunk->refs++;
    b->holds[b->hold_count++] = chunk;
}

/* ---- what nghttp2 asks ---- */

ssize_t h2_out_read(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
                    nghttp2_data_source *source, void *ctx)
{
    (void)h2, (void)id, (void)buf, (void)ctx;
    struct h2_stream *st = source->ptr;
    if (!st->pending && !st->output_ended) {
        st->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t n = gw_min_size(length, st->pending);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == st->pending && st->output_ended)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void take_bytes(struct h2_stream *st, size_t length)
{
    st->pending -= length;
    while (length) {
        struct h2_chunk *chunk = st->first;
        struct iovec *part = &chunk->parts[chunk->part];
        size_t n = gw_min_size(length, part->iov_len);
        if (n <= SMALL)
            batch_copy(st->session, part->iov_base, n);
        else
            batch_borrow(st->session, chunk, part->iov_base, n);
        part->iov_base = (char *)part->iov_base + n;
        part->iov_len -= n;
        length -= n;
        while (chunk->part < chunk->count && !chunk->parts[chunk->part].iov_len)
            chunk->part++;
        if (chunk->part == chunk->count)
            drop_first(st);
    }
}

/* The bytes that h2_out_read promised; a stream that was broken in between has them no more. */
int h2_out_send(nghttp2_session *h2, nghttp2_frame *frame, const uint8_t *head, size_t length,
                nghttp2_data_source *source, void *ctx)
{
    (void)h2, (void)frame;
    struct session_h2 *s = ctx;
    struct h2_stream *st = source->ptr;
    if (st->pending < length)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (conn_queued(s->session.conn) > QUEUE_MAX || conn_is_closing(s->session.conn))
        return NGHTTP2_ERR_WOULDBLOCK;
    batch_copy(s, (const char *)head, FRAME_HEAD);
    take_bytes(st, length);
    st->moved_ms = h2_now_ms(s);
    return 0;
}

void h2_flush(struct session_h2 *s)
{
    struct conn *c = s->session.conn;
    while (!conn_is_closing(c) && conn_queued(c) <= QUEUE_MAX) {
        const uint8_t *data;
        ssize_t n = nghttp2_session_mem_send(s->h2, &data);
        if (n < 0)
            conn_close(c);
        if (n <= 0)
            break;
        batch_copy(s, (const char *)data, (size_t)n);
    }
    batch_write(s);
}
