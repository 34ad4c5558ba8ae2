/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One fetch from the origin shared by many requests: they wait for its head together and read its
 * body while it grows (request collapsing and streaming, spec section 2.15).
 *
 * Life: cache_store_begin makes the first request the leader and hands the same fill to all others
 * until the leader ends it with exactly one of finish, refresh, keep, pass or abort. A slow reader
 * never slows a body that is being stored, nor another reader. A body that outgrows the limit goes
 * on to its readers but is not stored: then at most CACHE_WINDOW bytes lie between the slowest
 * reader and the origin. A key whose last answer could not be stored is remembered: its requests do
 * not wait for one another, each is a leader.
 *
 *     WAITING ─head──► STREAMING ─finish─► COMPLETE
 *        ├─refresh, keep─► REFRESHED │
 *        ├─pass──────────► PASS      └─abort─► FAILED
 *        └─abort─────────► RETRY (leader gone) or FAILED (origin failed)
 *
 * Thread: leader calls from one thread at a time; all others from any. No call holds a lock while
 * it calls out. Owns: references; each holder of one drops it with cache_fill_unref. */
#include "cache/store.h"

#define CACHE_WINDOW ((uint64_t)1024 * 1024)

enum cache_fill_state {
    CACHE_FILL_WAITING,   /* no answer yet */
    CACHE_FILL_STREAMING, /* the head is there, the body comes through readers. One that is not
                             stored stays here to its end */
    CACHE_FILL_COMPLETE, /* stored: cache_fill_object is whole; readers may also go on to the end */
    CACHE_FILL_REFRESHED, /* 304: cache_fill_object is whole, there is nothing to read along */
    CACHE_FILL_PASS,      /* the answer is for the leader only: begin again, and be one */
    CACHE_FILL_RETRY,     /* the leader left before an answer came: begin again */
    CACHE_FILL_FAILED,    /* cache_fill_error says why; a stale object may serve if allowed. Who
                             has sent nothing yet may begin again after a truncated body */
};

/* A one-shot notification. `notify` runs on the thread that changed the fill, without a lock, and
 * only tells the waiter's own loop; it must not call into this header. After it has been called the
 * fill has forgotten the waiter, which may be freed or wait again. */
struct cache_waiter {
    struct gw_list link; /* gw_list_init before first use */
    void (*notify)(struct cache_waiter *);
};

/* Registers unless something changed since `version` was read: then false and no notification. */
GW_MUST bool cache_fill_wait(struct cache_fill *fill, struct cache_waiter *w, uint32_t version);
/* When it returns, notify has run completely or never will. Not from inside a notify. */
void cache_fill_unwait(struct cache_fill *fill, struct cache_waiter *w);

/* version may be NULL. */
enum cache_fill_state cache_fill_state(struct cache_fill *fill, uint32_t *version);
int cache_fill_error(struct cache_fill *fill); /* of FAILED and REFRESHED, see err.h */
/* From STREAMING on (and REFRESHED), else NULL; borrowed, lives as long as the fill. Its head,
 * times and lifetime may be read at once; its body, while STREAMING, through a reader only. */
struct cache_object *cache_fill_object(struct cache_fill *fill);
/* One more reference, for a leader whose fetch outlives its own client. */
void cache_fill_ref(struct cache_fill *fill);
void cache_fill_unref(struct cache_fill *fill); /* NULL is fine */

/* For the leader. */
void cache_fill_head(struct cache_fill *fill, const struct cache_object_parts *parts);
enum cache_append {
    CACHE_APPEND_OK,
    CACHE_APPEND_FULL,     /* the bytes were taken; stop reading until cache_fill_resume notifies */
    CACHE_APPEND_UNWANTED, /* nobody reads and nothing will be stored: give the fetch up */
};
enum cache_append cache_fill_append(struct cache_fill *fill, struct gw_str data);
/* After FULL: registers the leader's waiter; false when there is room by now. Undone by unwait. */
GW_MUST bool cache_fill_resume(struct cache_fill *fill, struct cache_waiter *w);
/* GW_ETRUNCATED when fewer or more bytes came than announced: readers fail, nothing is stored. */
GW_MUST int cache_fill_finish(struct cache_fill *fill);
/* The 304 confirmed the stale object of the look-up: parts (head, life, times) make the renewed
 * one. */
void cache_fill_refresh(struct cache_fill *fill, const struct cache_object_parts *parts);
/* Waiters get the stale object as it is: after a 304 that must not renew it (GW_OK), or an error
 * that stale-if-error covers: to them, too, the answer is STALE then. */
void cache_fill_keep(struct cache_fill *fill, int error);
void cache_fill_pass(struct cache_fill *fill);
/* GW_ECANCELLED: the leader's own client left. Anything else: the origin failed, and those who wait
 * fail alike, since asking a dead origin one by one would add its timeouts up. */
void cache_fill_abort(struct cache_fill *fill, int error);
