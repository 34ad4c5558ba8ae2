/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Recodes one body while it passes: decoding, encoding, or both in a row. Nothing is kept: a
 * recoded variant is made anew for each delivery, so that the cache holds one copy of an object and
 * its bounds are those of what origins sent.
 *
 * Use: recoder_put a piece, recoder_take until it answers OK, and so on; recoder_finish when no
 * more comes, then recoder_take once more until OK. Thread: one. Owns: its codecs and the input not
 * used yet. Limits: RECODER_INPUT_MAX bytes of input at a time; output as the caller has room for
 * it, so a bomb expands no faster than its client reads. */
#include "cache/coding.h"
#include "gateway/recode_codec.h"

#define RECODER_INPUT_MAX ((size_t)1024 * 1024)

struct recoder;

/* `flows`: each piece is flushed, since nobody knows when the next one comes. */
struct recoder *recoder_new(struct cache_recoding recoding, bool flows);
void recoder_free(struct recoder *r); /* NULL is fine */

/* Copied. */
void recoder_put(struct recoder *r, struct gw_str data);
/* Twice is fine. */
void recoder_finish(struct recoder *r);
bool recoder_finished(const struct recoder *r);
/* Appends to `out` up to its ceiling. */
enum recode_state recoder_take(struct recoder *r, struct gw_buf *out);
