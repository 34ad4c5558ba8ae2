/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/recode.h"

#define BETWEEN ((size_t)16 * 1024)

struct recoder {
    struct recode_codec *decoder, *encoder; /* one of them may be NULL */
    struct gw_buf input;
    struct gw_str decoded; /* between the two, in `space` */
    bool decoder_full;     /* it has more of what it was given already */
    bool flows, finished;
    char space[BETWEEN + 1];
};

static struct recode_codec *decoder_for(enum cache_coding coding)
{
    switch (coding) {
    case CACHE_CODING_GZIP:
        return recode_gzip_decoder();
    case CACHE_CODING_BROTLI:
        return recode_brotli_decoder();
    case CACHE_CODING_IDENTITY:
    case CACHE_CODING_OTHER:
        break;
    }
    return NULL;
}

static struct recode_codec *encoder_for(enum cache_coding coding)
{
    switch (coding) {
    case CACHE_CODING_GZIP:
        return recode_gzip_encoder();
    case CACHE_CODING_BROTLI:
        return recode_brotli_encoder();
    case CACHE_CODING_IDENTITY:
    case CACHE_CODING_OTHER:
        break;
    }
    return NULL;
}

struct recoder *recoder_new(struct cache_recoding recoding, bool flows)
{
    struct recoder *r = gw_alloc(sizeof(*r));
    memset(r, 0, offsetof(struct recoder, space));
    r->decoder = decoder_for(recoding.from);
    r->encoder = encoder_for(recoding.to);
    r->flows = flows;
    gw_buf_init(&r->input, RECODER_INPUT_MAX);
    return r;
}

void recoder_free(struct recoder *r)
{
    if (!r)
        return;
    if (r->decoder)
        r->decoder->ops->free(r->decoder);
    if (r->encoder)
        r->encoder->ops->free(r->encoder);
    gw_buf_release(&r->input);
    free(r);
}

void recoder_put(struct recoder *r, struct gw_str data)
{
    gw_buf_add(&r->input, data);
}

void recoder_finish(struct recoder *r)
{
    r->finished = true;
}

bool recoder_finished(const struct recoder *r)
{
    return r->finished;
}

/* Decodes the next stretch; without an encoder it goes straight to the caller. */
static enum recode_state decode(struct recoder *r, struct gw_str *in, struct gw_buf *out)
{
    struct gw_buf between = gw_buf_over(r->space, sizeof(r->space));
    struct gw_buf *to = r->encoder ? &between : out;
    enum recode_state state =
        r->decoder->ops->run(r->decoder, in, r->finished ? RECODE_FINISH : RECODE_MORE, to);
    r->decoder_full = state == RECODE_FULL;
    r->decoded = gw_buf_str(&between);
    return state;
}

/* FINISH writes a trailer, so it has to wait until the decoder has given all. What flows is flushed
 * with each piece: a reader of events must not wait for the compressor's block to fill. */
static enum recode_state encode(struct recoder *r, struct gw_str *in, struct gw_buf *out)
{
    enum recode_mode mode = r->decoder_full ? RECODE_MORE
                            : r->finished   ? RECODE_FINISH
                            : r->flows      ? RECODE_FLUSH
                                            : RECODE_MORE;
    return r->encoder->ops->run(r->encoder, in, mode, out);
}

/* The decoder's output is spent before it is asked again: `decoded` points into its only space. */
static enum recode_state run(struct recoder *r, struct gw_str *in, struct gw_buf *out)
{
    if (!r->decoder)
        return encode(r, in, out);
    for (;;) {
        if (!r->decoded.len) {
            enum recode_state state = decode(r, in, out);
            if (state == RECODE_BROKEN || !r->encoder)
                return state;
        }
        enum recode_state state = encode(r, &r->decoded, out);
        if (state != RECODE_OK || !r->decoder_full)
            return state;
    }
}

enum recode_state recoder_take(struct recoder *r, struct gw_buf *out)
{
    if (r->input.overflow) /* bytes are missing: whatever came out now would be another body */
        return RECODE_BROKEN;
    struct gw_str in = gw_buf_str(&r->input);
    enum recode_state state = run(r, &in, out);
    gw_buf_consume(&r->input, r->input.len - in.len);
    return state;
}
