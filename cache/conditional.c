/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/conditional.h"

#include "gateway/http/date.h"
#include "gateway/http/etag.h"

/* RFC 9110 section 13.1.3: one line with a valid date, or the field is ignored. The time of storing
 * settles the century of two-digit years. */
static bool unchanged_since(const struct cache_object *o, const struct headers *request)
{
    int64_t asked, have, stored_s = (int64_t)(o->stored_ms / 1000);
    size_t at = 0;
    const struct gw_str *since = headers_next(request, HEADER_IF_MODIFIED_SINCE, &at);
    struct gw_str last_modified = cache_object_text(o, o->head.last_modified);
    return since && last_modified.len && !headers_next(request, HEADER_IF_MODIFIED_SINCE, &at) &&
           date_parse(*since, stored_s, &asked) && date_parse(last_modified, stored_s, &have) &&
           have <= asked;
}

/* If-None-Match decides alone when it is there, whatever a date says: it is the finer one (RFC 9110
 * section 13.2.2). */
static bool not_modified(const struct cache_object *o, const struct headers *request)
{
    if (headers_has(request, HEADER_IF_NONE_MATCH))
        return etag_listed(request, HEADER_IF_NONE_MATCH, cache_object_text(o, o->head.etag),
                           ETAG_WEAK);
    return headers_has(request, HEADER_IF_MODIFIED_SINCE) && unchanged_since(o, request);
}

static bool range_applies(const struct cache_object *o, const struct headers *request)
{
    const struct gw_str *condition = headers_get(request, HEADER_IF_RANGE);
    return !condition || etag_if_range(*condition, cache_object_text(o, o->head.etag),
                                       cache_object_text(o, o->head.last_modified));
}

enum cache_answer cache_answer(const struct cache_object *o, const struct headers *request,
                               struct gw_arena *arena, struct cache_range_plan *plan)
{
    /* Any other status is what it is, whatever the conditions (RFC 9110 section 13.2.1). */
    if (o->status != 200)
        return CACHE_ANSWER_FULL;
    if (not_modified(o, request))
        return CACHE_ANSWER_NOT_MODIFIED;
    const struct gw_str *value = headers_get(request, HEADER_RANGE);
    if (!value || !o->length_known || !range_applies(o, request))
        return CACHE_ANSWER_FULL;
    struct range found[RANGE_COUNT_MAX];
    size_t count;
    switch (range_parse(*value, o->body_len, found, RANGE_COUNT_MAX, &count)) {
    case RANGE_WHOLE:
        return CACHE_ANSWER_FULL;
    case RANGE_UNSATISFIABLE:
        return CACHE_ANSWER_UNSATISFIABLE;
    case RANGE_PART:
        break;
    }
    /* The list on the stack holds as many as may be asked for; what is kept for the way is as long
     * as what was. Without room for it the whole is a correct answer too (RFC 9110 section 14.2).
     */
    struct range *kept = gw_arena_alloc(arena, count * sizeof(*kept));
    if (!kept)
        return CACHE_ANSWER_FULL;
    memcpy(kept, found, count * sizeof(*kept));
    cache_range_plan_init(plan, o, kept, count);
    return CACHE_ANSWER_RANGE;
}
