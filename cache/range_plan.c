/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/range_plan.h"

#include "gateway/base/hash.h"
#include "gateway/http/h1_write.h"

/* A text that no body holds by accident: random, and new for each answer. */
static void draw_boundary(char *out)
{
    uint64_t number[2];
    gw_random(number, sizeof(number));
    for (size_t i = 0; i < CACHE_BOUNDARY_LEN; i++) {
        out[i] = (char)('0' + number[i & 1] % 10);
        number[i & 1] /= 10;
    }
}

static uint64_t length(struct range r)
{
    return r.last - r.first + 1;
}

void cache_range_part(const struct cache_range_plan *plan, size_t index, struct gw_buf *out)
{
    /* Also the first one: what stands before it is an empty preamble (RFC 2046 section 5.1.1). */
    gw_buf_add(out, GW_STR("\r\n--"));
    gw_buf_add(out, gw_str(plan->boundary, CACHE_BOUNDARY_LEN));
    if (index == plan->count) {
        gw_buf_add(out, GW_STR("--\r\n"));
        return;
    }
    char text[RANGE_TEXT_MAX];
    size_t len = range_format(text, plan->ranges[index], plan->size);
    gw_buf_add(out, GW_STR("\r\n"));
    if (plan->content_type.len) {
        gw_buf_add(out, GW_STR("Content-Type: "));
        gw_buf_add(out, plan->content_type);
        gw_buf_add(out, GW_STR("\r\n"));
    }
    gw_buf_add(out, GW_STR("Content-Range: "));
    gw_buf_add(out, gw_str(text, len));
    gw_buf_add(out, GW_STR("\r\n\r\n"));
}

/* The parts' heads are written once to be measured: their lengths vary with the numbers in them. */
static uint64_t multipart_length(const struct cache_range_plan *plan)
{
    struct gw_buf head;
    gw_buf_init(&head, CACHE_TEXT_MAX);
    uint64_t sum = 0;
    for (size_t i = 0; i <= plan->count; i++) {
        gw_buf_clear(&head);
        cache_range_part(plan, i, &head);
        sum += head.len + (i < plan->count ? length(plan->ranges[i]) : 0);
    }
    gw_buf_release(&head);
    return sum;
}

void cache_range_plan_init(struct cache_range_plan *plan, const struct cache_object *o,
                           const struct range *ranges, size_t count)
{
    *plan = (struct cache_range_plan){.ranges = ranges,
                                      .count = count,
                                      .size = o->body_len,
                                      .content_type = cache_object_text(o, o->head.content_type)};
    /* One range, or one that is left of many, is never sent as multipart (RFC 9110 section
     * 15.3.7.2). */
    if (count == 1) {
        plan->body_len = length(ranges[0]);
        return;
    }
    draw_boundary(plan->boundary);
    plan->body_len = multipart_length(plan);
}

void cache_range_fields(const struct cache_range_plan *plan, struct gw_buf *out)
{
    if (plan->count == 1) {
        char text[RANGE_TEXT_MAX];
        size_t len = range_format(text, plan->ranges[0], plan->size);
        gw_buf_add(out, GW_STR("Content-Range: "));
        gw_buf_add(out, gw_str(text, len));
    } else {
        gw_buf_add(out, GW_STR("Content-Type: multipart/byteranges; boundary="));
        gw_buf_add(out, gw_str(plan->boundary, CACHE_BOUNDARY_LEN));
    }
    gw_buf_add(out, GW_STR("\r\n"));
    h1_write_u64(out, HEADER_CONTENT_LENGTH, plan->body_len);
}
