/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cloudflare's API v4 on the admin listener (spec/api-v4.md): the envelope, errors with pointers,
 * pages, and identities. What the handlers of gateway/api_* share; the handlers themselves are rows
 * of the table in admin.c.
 *
 * Reads answer from the exchange's snapshot, on worker 0's thread. Writes are functions of
 * api_write.h and run on the main thread. Members of answers are in alphabetical order, as the real
 * API writes them. Limits: API_PROBLEMS_MAX errors in one answer. Owns: nothing; a call's
 * memory is its exchange's. */
#include "gateway/admin_route.h"
#include "gateway/snapshot.h"

#define API_ID_LEN       32 /* lower-case hex digits */
#define API_TIME_LEN     27 /* 2026-01-31T12:00:00.000000Z */
#define API_PROBLEMS_MAX 100

/* There is one account; whoever configures several zones owns them all. */
#define API_ACCOUNT_ID   "6e656172656467652d6163636f756e74"
#define API_ACCOUNT_NAME "nearedge"

/* ---- identities and times ---- */

bool api_is_id(struct gw_str text);
/* Random; writes API_ID_LEN digits. */
void api_new_id(char *out);
/* The same for the same words, on every machine: for what a file leaves unnamed. */
void api_derived_id(struct gw_str space, struct gw_str name, char *out);
/* Writes API_TIME_LEN bytes. */
void api_time(uint64_t date_ms, char *out);

/* The zone of /client/v4/zones/:zone/…, or NULL. */
const struct snapshot_zone *api_zone_in(const struct snapshot *s, struct gw_str path);
/* The same in the call's snapshot; NULL after an answer (404, 7003). */
const struct snapshot_zone *api_zone(struct admin_call *call);

/* ---- answers ---- */

/* {"result": — and what follows the result. */
void api_begin(struct gw_buf *out);
void api_end(struct gw_buf *out);
/* The same with entries, already written, for "messages" and behind it ("" or a whole member). */
void api_end_with(struct gw_buf *out, struct gw_str messages, struct gw_str more);
/* "name":"value" with a comma before it unless it is the first of its object. */
void api_member(struct gw_buf *out, const char *name, struct gw_str value);

/* ---- errors that point into the body ---- */

struct api_problems {
    struct gw_buf json;  /* entries, separated by commas */
    struct gw_str strip; /* pointers lose this front: a single rule is the whole body */
    size_t count;
};
void api_problems_init(struct api_problems *p);
void api_problems_release(struct api_problems *p);
/* `code` 0: none is known; an empty pointer is left out. */
void api_problem(struct api_problems *p, unsigned code, struct gw_str pointer, const char *fmt, ...)
    GW_PRINTF(4, 5);
/* Reports every member that is not in `known` (NULL-terminated); true when there was none. */
bool api_known_members(struct api_problems *p, const struct json *object, struct gw_str pointer,
                       const char *const *known);
/* Answers with all of them. */
void api_fail_problems(struct admin_call *call, unsigned status, const struct api_problems *p);

/* ---- pages ---- */

struct api_page {
    uint64_t page, per_page; /* page from 1 */
};
/* False after an answer. */
GW_MUST bool api_page_read(struct admin_call *call, struct api_page *page);
/* Is item `index` of the list on this page? */
static inline bool api_page_has(const struct api_page *page, size_t index)
{
    return index / page->per_page == page->page - 1;
}
/* The end of a paged answer. */
void api_page_end(struct gw_buf *out, const struct api_page *page, size_t count, size_t total);
