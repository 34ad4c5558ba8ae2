/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "gateway/recode_codec.h"

#define LEVEL       5 /* an edge compresses for each delivery: near the best ratio at half the cost */
#define GZIP_WINDOW (MAX_WBITS + 16)

struct gzip_codec {
    struct recode_codec codec;
    z_stream z;
    bool ended;   /* decoder: at the end of a member */
    bool started; /* decoder: some input came */
};

/* zlib counts in unsigned int; pieces are far smaller, and what is left comes with the next call.
 */
static void set_in(z_stream *z, struct gw_str in)
{
    z->next_in = (z_const Bytef *)(uintptr_t)in.ptr;
    z->avail_in = (uInt)gw_min_size(in.len, UINT32_MAX);
}

static void set_out(z_stream *z, struct gw_buf *out)
{
    z->next_out = (Bytef *)out->data + out->len;
    z->avail_out = (uInt)gw_min_size(out->cap - out->len, UINT32_MAX);
}

static void note(const z_stream *z, struct gw_str *in, struct gw_buf *out)
{
    *in = gw_str_from(*in, in->len - z->avail_in);
    out->len = out->cap - z->avail_out;
}

/* A gzip file may have several members (RFC 1952 section 2.2); what follows the last one is padding
 * of careless writers and is left out, as gzip does. */
static bool begins_member(struct gzip_codec *g, struct gw_str *in)
{
    if (in->len && (uint8_t)in->ptr[0] == 0x1f && inflateReset(&g->z) == Z_OK) {
        g->ended = false;
        return true;
    }
    *in = GW_STR_EMPTY;
    return false;
}

static enum recode_state run_inflate(struct recode_codec *codec, struct gw_str *in,
                                     enum recode_mode mode, struct gw_buf *out)
{
    struct gzip_codec *g = gw_container_of(codec, struct gzip_codec, codec);
    g->started |= in->len > 0;
    for (;;) {
        if (g->ended && !begins_member(g, in))
            return RECODE_OK;
        set_in(&g->z, *in);
        set_out(&g->z, out);
        int rc = inflate(&g->z, Z_NO_FLUSH);
        note(&g->z, in, out);
        if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
            return RECODE_BROKEN;
        g->ended = rc == Z_STREAM_END;
        if (g->ended)
            continue;
        if (g->z.avail_out == 0)
            return RECODE_FULL;
        if (!in->len)
            return mode == RECODE_FINISH && g->started ? RECODE_BROKEN : RECODE_OK;
    }
}

static enum recode_state run_deflate(struct recode_codec *codec, struct gw_str *in,
                                     enum recode_mode mode, struct gw_buf *out)
{
    static const int flush[] = {
        [RECODE_MORE] = Z_NO_FLUSH, [RECODE_FLUSH] = Z_SYNC_FLUSH, [RECODE_FINISH] = Z_FINISH};
    struct gzip_codec *g = gw_container_of(codec, struct gzip_codec, codec);
    if (g->ended)
        return RECODE_OK;
    set_in(&g->z, *in);
    set_out(&g->z, out);
    if (!g->z.avail_out)
        return RECODE_FULL;
    int rc = deflate(&g->z, flush[mode]);
    note(&g->z, in, out);
    g->ended = rc == Z_STREAM_END;
    if (g->ended)
        return RECODE_OK;
    if (rc != Z_OK && rc != Z_BUF_ERROR) /* the latter: flushed already, nothing to do */
        return RECODE_BROKEN;
    return g->z.avail_out == 0 ? RECODE_FULL : RECODE_OK;
}

static void free_inflate(struct recode_codec *codec)
{
    struct gzip_codec *g = gw_container_of(codec, struct gzip_codec, codec);
    inflateEnd(&g->z);
    free(g);
}

static void free_deflate(struct recode_codec *codec)
{
    struct gzip_codec *g = gw_container_of(codec, struct gzip_codec, codec);
    deflateEnd(&g->z);
    free(g);
}

static const struct recode_ops inflate_ops = {run_inflate, free_inflate};
static const struct recode_ops deflate_ops = {run_deflate, free_deflate};

/* Initialising fails for want of memory only, which ends the process like any other allocation. */
struct recode_codec *recode_gzip_decoder(void)
{
    struct gzip_codec *g = gw_zalloc(sizeof(*g));
    g->codec.ops = &inflate_ops;
    if (inflateInit2(&g->z, GZIP_WINDOW) != Z_OK)
        abort();
    return &g->codec;
}

struct recode_codec *recode_gzip_encoder(void)
{
    struct gzip_codec *g = gw_zalloc(sizeof(*g));
    g->codec.ops = &deflate_ops;
    if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL - 1,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    return &g->codec;
}
