/* SPDX-License-Identifier: Apache-2.0 */
#include <brotli/decode.h>
#include <brotli/encode.h>

#include "gateway/recode_codec.h"

/* About the speed of gzip's default, and smaller. */
#define QUALITY     4
/* 256 KiB: more costs each delivery megabytes for little gain on the web. */
#define WINDOW_BITS 18

struct brotli_codec {
    struct recode_codec codec;
    BrotliDecoderState *decoder;
    BrotliEncoderState *encoder;
    bool started, ended;
};

static enum recode_state run_decoder(struct recode_codec *codec, struct gw_str *in,
                                     enum recode_mode mode, struct gw_buf *out)
{
    struct brotli_codec *b = gw_container_of(codec, struct brotli_codec, codec);
    if (b->ended) { /* bytes behind the end of the stream are nobody's */
        *in = GW_STR_EMPTY;
        return RECODE_OK;
    }
    b->started |= in->len > 0;
    size_t left = in->len, room = out->cap - out->len;
    const uint8_t *from = (const uint8_t *)in->ptr;
    uint8_t *to = (uint8_t *)out->data + out->len;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(b->decoder, &left, &from, &room, &to, NULL);
    *in = gw_str_from(*in, in->len - left);
    out->len = out->cap - room;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        b->ended = true;
        *in = GW_STR_EMPTY;
        return RECODE_OK;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return RECODE_FULL;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: /* nothing at all is an empty body, not a broken
                                                    one */
        return mode == RECODE_FINISH && b->started ? RECODE_BROKEN : RECODE_OK;
    case BROTLI_DECODER_RESULT_ERROR:
        break;
    }
    return RECODE_BROKEN;
}

static enum recode_state run_encoder(struct recode_codec *codec, struct gw_str *in,
                                     enum recode_mode mode, struct gw_buf *out)
{
    static const BrotliEncoderOperation operations[] = {[RECODE_MORE] = BROTLI_OPERATION_PROCESS,
                                                        [RECODE_FLUSH] = BROTLI_OPERATION_FLUSH,
                                                        [RECODE_FINISH] = BROTLI_OPERATION_FINISH};
    struct brotli_codec *b = gw_container_of(codec, struct brotli_codec, codec);
    for (;;) {
        size_t left = in->len, room = out->cap - out->len;
        const uint8_t *from = (const uint8_t *)in->ptr;
        uint8_t *to = (uint8_t *)out->data + out->len;
        if (!BrotliEncoderCompressStream(b->encoder, operations[mode], &left, &from, &room, &to,
                                         NULL))
            return RECODE_BROKEN;
        *in = gw_str_from(*in, in->len - left);
        out->len = out->cap - room;
        if (BrotliEncoderHasMoreOutput(b->encoder))
            return RECODE_FULL;
        if (!in->len)
            return RECODE_OK;
    }
}

static void free_brotli(struct recode_codec *codec)
{
    struct brotli_codec *b = gw_container_of(codec, struct brotli_codec, codec);
    if (b->decoder)
        BrotliDecoderDestroyInstance(b->decoder);
    if (b->encoder)
        BrotliEncoderDestroyInstance(b->encoder);
    free(b);
}

static const struct recode_ops decoder_ops = {run_decoder, free_brotli};
static const struct recode_ops encoder_ops = {run_encoder, free_brotli};

struct recode_codec *recode_brotli_decoder(void)
{
    struct brotli_codec *b = gw_zalloc(sizeof(*b));
    b->codec.ops = &decoder_ops;
    b->decoder = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!b->decoder)
        abort();
    return &b->codec;
}

struct recode_codec *recode_brotli_encoder(void)
{
    struct brotli_codec *b = gw_zalloc(sizeof(*b));
    b->codec.ops = &encoder_ops;
    b->encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (!b->encoder || !BrotliEncoderSetParameter(b->encoder, BROTLI_PARAM_QUALITY, QUALITY) ||
        !BrotliEncoderSetParameter(b->encoder, BROTLI_PARAM_LGWIN, WINDOW_BITS))
        abort();
    return &b->codec;
}
