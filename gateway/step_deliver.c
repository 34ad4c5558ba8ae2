/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery.h"
#include "gateway/exchange_cache.h"
#include "gateway/recode_exchange.h"
#include "gateway/reply.h"

/* Sends from an object or from a fill that still grows. delivery.h makes the head and knows the
 * parts of the body; this step moves bytes while the client takes them. */

#define PIECES_MAX      32
#define RECODED_AT_ONCE ((size_t)64 * 1024)
#define TURN_RECODED    4 /* pieces: recoding is a hundred times slower than sending */

static void release_object(void *object)
{
    cache_object_unref(object);
}

static void lend_object(void *object)
{
    cache_body_lend(((struct cache_object *)object)->body);
}

/* Keeps the object while a write borrows its bytes, which a slow client may take when this exchange
 * is long over. */
static struct conn_hold hold_object(const struct exchange *x)
{
    cache_object_ref(x->cache.object);
    return (struct conn_hold){.release = release_object,
                              .object = x->cache.object,
                              .mapping = cache_object_mapping(x->cache.object),
                              .lend = lend_object};
}

/* A fill that is complete by now is served like any object: borrowed bytes instead of copied ones.
 */
static void prefer_whole(struct exchange *x)
{
    if (x->cache.whole || cache_fill_state(x->cache.fill, &x->cache.version) != CACHE_FILL_COMPLETE)
        return;
    exchange_cache_take_whole(x);
}

static size_t to_parts(const struct gw_str *pieces, size_t count, struct iovec *parts,
                       size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){(void *)pieces[i].ptr, pieces[i].len};
        *bytes += pieces[i].len;
    }
    return count;
}

/* The next bytes of the current part of a whole object, at most `max`, borrowed; 0 at the part's
 * end. */
static size_t take_whole(struct exchange *x, uint64_t max, struct iovec *parts, size_t *count)
{
    struct exchange_delivery *d = &x->delivery;
    struct gw_str pieces[PIECES_MAX];
    uint64_t left = delivery_part_end(x) - d->at.offset;
    *count = cache_object_read(x->cache.object, &d->at, gw_min_u64(left, max), pieces, PIECES_MAX);
    size_t bytes;
    to_parts(pieces, *count, parts, &bytes);
    cache_object_advance(x->cache.object, &d->at, bytes);
    return bytes;
}

/* Head and, in the usual case, the whole body in one write. False when the edge's page goes out
 * instead (reply.h). */
static bool begin(struct exchange *x)
{
    prefer_whole(x);
    struct response response = {0};
    delivery_head(x, &response);
    /* What is stored is the origin's answer; the page is for the visitor alone. */
    if (reply_brands(x, response.status)) {
        exchange_cache_leave_fill(x);
        reply_error(x, response.status);
        return false;
    }
    struct iovec parts[PIECES_MAX];
    /* Parts of a body are never recoded: their offsets would be those of other bytes (section
     * 2.11). */
    bool full = x->delivery.answer == CACHE_ANSWER_FULL && !response.bodyless;
    if (full && cache_is_recoded(x->delivery.recoding)) {
        x->delivery.recoder = recoder_new(x->delivery.recoding, !x->cache.whole);
    } else if (full && x->cache.whole) {
        bool small = x->cache.object->body_len <= GW_SHARE_NEW;
        uint64_t max = small ? GW_SHARE_NEW : gw_loop_share_new(x->worker->loop);
        size_t bytes = take_whole(x, max, parts, &response.body_parts);
        response.body = parts;
        x->delivery.done = x->delivery.at.offset == x->cache.object->body_len;
        if (bytes)
            response.hold = hold_object(x);
    }
    x->delivery.done |= response.bodyless;
    exchange_respond(x, &response);
    return true;
}

/* Head of a part, or behind the last one the closing delimiter (RFC 9110 section 14.6). */
static void send_text(struct exchange *x, size_t part)
{
    struct gw_buf text;
    gw_buf_init(&text, 4096);
    cache_range_part(&x->delivery.plan, part, &text);
    struct iovec iov = {text.data, text.len};
    if (text.len)
        exchange_send(x, &iov, 1, NULL);
    gw_buf_release(&text);
}

/* Goes to the next part of a multipart body, or ends the body. */
static void next_part(struct exchange *x)
{
    struct exchange_delivery *d = &x->delivery;
    d->part++;
    d->part_begun = false;
    if (d->answer == CACHE_ANSWER_RANGE && d->part < d->plan.count)
        return;
    if (d->answer == CACHE_ANSWER_RANGE && d->plan.count > 1)
        send_text(x, d->plan.count);
    d->done = true;
}

static void begin_part(struct exchange *x)
{
    struct exchange_delivery *d = &x->delivery;
    d->part_begun = true;
    if (d->answer != CACHE_ANSWER_RANGE)
        return;
    if (d->plan.count > 1)
        send_text(x, d->part);
    if (x->cache.whole)
        cache_object_seek(x->cache.object, &d->at, delivery_part_start(x));
}

static void send_whole(struct exchange *x, uint64_t max)
{
    struct iovec parts[PIECES_MAX];
    size_t count;
    if (take_whole(x, max, parts, &count) == 0) {
        next_part(x);
        return;
    }
    const struct conn_hold hold = hold_object(x);
    exchange_send(x, parts, count, &hold);
}

/* The stretch of these pieces that lies inside the current part, at most `max` bytes of it; what is
 * in front of it is skipped. */
static size_t clip(const struct exchange *x, uint64_t max, struct gw_str *pieces, size_t count,
                   size_t *consumed)
{
    uint64_t from = delivery_part_start(x), at = x->delivery.position;
    uint64_t to = gw_min_u64(delivery_part_end(x), gw_max_u64(from, at) + max);
    size_t kept = 0;
    *consumed = 0;
    for (size_t i = 0; i < count && at < to; i++) {
        struct gw_str piece = gw_str_first(pieces[i], (size_t)gw_min_u64(pieces[i].len, to - at));
        *consumed += piece.len;
        if (at + piece.len > from) {
            size_t skip = at < from ? (size_t)(from - at) : 0;
            pieces[kept++] = gw_str_from(piece, skip);
        }
        at += piece.len;
    }
    return kept;
}

/* Bytes that the client was promised will not come. */
static enum step_result cut(struct exchange *x)
{
    x->io->cut(x->session);
    x->step = STEP_LOG;
    return STEP_DONE;
}

/* Bytes of a growing fill are copied when the client does not take them at once: they may be
 * dropped once we have passed them. */
static enum step_result send_growing(struct exchange *x, uint64_t max)
{
    struct exchange_delivery *d = &x->delivery;
    struct gw_str pieces[PIECES_MAX];
    struct iovec parts[PIECES_MAX];
    size_t count = PIECES_MAX, consumed, bytes;
    if (d->position >= delivery_part_end(x)) {
        next_part(x);
        return STEP_MORE;
    }
    switch (cache_reader_read(&x->cache.reader, pieces, &count, &x->cache.version)) {
    case CACHE_READ_DATA:
        count = clip(x, max, pieces, count, &consumed);
        to_parts(pieces, count, parts, &bytes);
        if (bytes)
            exchange_send(x, parts, count, NULL);
        cache_reader_advance(&x->cache.reader, consumed);
        d->position += consumed;
        return STEP_MORE;
    case CACHE_READ_WAIT:
        return exchange_cache_wait(x) ? STEP_WAIT : STEP_MORE;
    case CACHE_READ_END:
        next_part(x);
        return STEP_MORE;
    case CACHE_READ_FAILED:
        break;
    }
    return cut(x);
}

/* Puts the next piece of the body into the recoder, or its end. */
static enum step_result feed_recoder(struct exchange *x)
{
    struct exchange_delivery *d = &x->delivery;
    struct gw_str piece;
    size_t count = 1;
    if (x->cache.whole) {
        count = cache_object_read(x->cache.object, &d->at, RECODED_AT_ONCE, &piece, 1);
        if (count) {
            recoder_put(d->recoder, piece);
            cache_object_advance(x->cache.object, &d->at, piece.len);
        } else {
            recoder_finish(d->recoder);
        }
        return STEP_MORE;
    }
    switch (cache_reader_read(&x->cache.reader, &piece, &count, &x->cache.version)) {
    case CACHE_READ_DATA:
        piece = gw_str_first(piece, RECODED_AT_ONCE);
        recoder_put(d->recoder, piece);
        cache_reader_advance(&x->cache.reader, piece.len);
        return STEP_MORE;
    case CACHE_READ_WAIT:
        return exchange_cache_wait(x) ? STEP_WAIT : STEP_MORE;
    case CACHE_READ_END:
        recoder_finish(d->recoder);
        return STEP_MORE;
    case CACHE_READ_FAILED:
        break;
    }
    return cut(x);
}

static enum step_result send_recoded(struct exchange *x)
{
    switch (recode_send(x)) {
    case RECODE_CONGESTED:
        return STEP_WAIT;
    case RECODE_FAILED:
        return cut(x);
    case RECODE_DRAINED:
        break;
    }
    x->delivery.done = recoder_finished(x->delivery.recoder);
    return x->delivery.done ? STEP_MORE : feed_recoder(x);
}

enum step_result step_deliver(struct exchange *x)
{
    unsigned recoded = 0;
    if (!x->responded && !begin(x))
        return STEP_MORE;
    /* What is small does not wait for those who are in line. */
    const struct gw_loop *loop = x->worker->loop;
    const uint64_t enough =
        gw_max_u64(x->bytes_sent + gw_loop_share(loop), gw_loop_share_new(loop));
    while (!x->delivery.done) {
        if (x->io->congested(x->session))
            return STEP_WAIT;
        if (x->bytes_sent >= enough)
            return exchange_yield(x);
        if (recoded == TURN_RECODED) {
            gw_loop_spend(x->worker->loop, GW_TURN_BYTES);
            return exchange_yield(x);
        }
        if (!x->delivery.part_begun)
            begin_part(x);
        enum step_result result = STEP_MORE;
        if (x->delivery.recoder)
            recoded++, result = send_recoded(x);
        else if (x->cache.whole)
            send_whole(x, enough - x->bytes_sent);
        else
            result = send_growing(x, enough - x->bytes_sent);
        if (result == STEP_WAIT)
            return STEP_WAIT;
        if (result == STEP_DONE)
            return STEP_MORE; /* cut: on to LOG */
    }
    x->io->end(x->session);
    x->step = STEP_LOG;
    return STEP_MORE;
}
