/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Recoding inside an exchange: what it does to the head, and how the body goes through
 * x->delivery.recoder at the client's pace. Thread: the worker's. */
#include "gateway/exchange.h"
#include "gateway/recode.h"

/* One field of a recoded response: true when it was written here in another form, or left out
 * because it speaks of the bytes as they were. */
bool recode_field(struct cache_recoding recoding, const struct header *field, struct gw_buf *out);
/* What a recoded response says in addition, if `fields`, the original's, do not say it: that it
 * varies; and, with a body, how it is coded. */
void recode_add_vary(struct cache_recoding recoding, const struct headers *fields,
                     struct gw_buf *out);
void recode_add_coding(struct cache_recoding recoding, struct gw_buf *out);

enum recode_flow {
    RECODE_DRAINED,   /* all that was put in is sent: put in more, or the end */
    RECODE_CONGESTED, /* go on when the client takes more */
    RECODE_FAILED,    /* the body cannot be completed */
};
/* Sends what the recoder has ready. */
enum recode_flow recode_send(struct exchange *x);
