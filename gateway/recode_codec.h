/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One codec: turns a stream of bytes into another, a bounded piece at a time. Private to recode.
 *
 * Thread: one. Owns: its state, freed by ops->free. Limits: a call writes no more than fits into
 * `out`, however far the input expands. */
#include "gateway/base/buf.h"

enum recode_state {
    RECODE_OK,     /* the input is used up and what it gave is in `out` */
    RECODE_FULL,   /* `out` has no room: call again with the rest */
    RECODE_BROKEN, /* the input is not what it claims to be */
};
enum recode_mode {
    RECODE_MORE,   /* may keep bytes back for the input to come */
    RECODE_FLUSH,  /* what was given can be decoded from what has been written */
    RECODE_FINISH, /* this was all */
};

struct recode_codec;
struct recode_ops {
    enum recode_state (*run)(struct recode_codec *c, struct gw_str *in, enum recode_mode mode,
                             struct gw_buf *out);
    void (*free)(struct recode_codec *c);
};
struct recode_codec {
    const struct recode_ops *ops;
};

struct recode_codec *recode_gzip_decoder(void);
struct recode_codec *recode_gzip_encoder(void);
struct recode_codec *recode_brotli_decoder(void);
struct recode_codec *recode_brotli_encoder(void);
