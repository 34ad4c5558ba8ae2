/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h2_fields.h"

#include "gateway/base/buf.h"
#include "gateway/http/headers.h"

static void add(struct h2_fields *f, struct gw_str name, struct gw_str value, uint8_t flags)
{
    if (f->count == f->cap) {
        f->cap *= 2;
        nghttp2_nv *larger =
            gw_realloc(f->items == f->first ? NULL : f->items, f->cap * sizeof(*larger));
        if (f->items == f->first)
            memcpy(larger, f->first, sizeof(f->first));
        f->items = larger;
    }
    f->items[f->count++] = (nghttp2_nv){.name = (uint8_t *)name.ptr,
                                        .value = (uint8_t *)value.ptr,
                                        .namelen = name.len,
                                        .valuelen = value.len,
                                        .flags = flags};
}

void h2_fields_init(struct h2_fields *f, unsigned status)
{
    f->items = f->first;
    f->count = 0;
    f->cap = H2_FIELDS_FIRST;
    f->status[0] = (char)('0' + status / 100 % 10);
    f->status[1] = (char)('0' + status / 10 % 10);
    f->status[2] = (char)('0' + status % 10);
    add(f, GW_STR(":status"), gw_str(f->status, 3), NGHTTP2_NV_FLAG_NONE);
}

void h2_fields_release(struct h2_fields *f)
{
    if (f->items != f->first)
        free(f->items);
}

/* Unlike on every response, these would push what is worth keeping out of the peer's table; and
 * what a table holds can be guessed at byte by byte (RFC 7541 section 7.1.3), so no cookies. */
static uint8_t flags_of(enum header_id id)
{
    bool never = id == HEADER_CF_RAY || id == HEADER_SET_COOKIE || id == HEADER_X_NEAREDGE_DECISION;
    return never ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

static bool is_of_a_connection(enum header_id id)
{
    switch ((int)id) {
    case HEADER_CONNECTION:
    case HEADER_KEEP_ALIVE:
    case HEADER_PROXY_CONNECTION:
    case HEADER_TRANSFER_ENCODING:
    case HEADER_UPGRADE:
    case HEADER_SEC_WEBSOCKET_ACCEPT: /* RFC 8441 section 5: answers a key that was ours */
        return true;
    default:
        return false;
    }
}

void h2_fields_lines(struct h2_fields *f, struct gw_str lines)
{
    while (lines.len) {
        size_t end = gw_str_chr(lines, '\n');
        struct gw_str line = gw_str_first(lines, end == GW_NPOS ? lines.len : end);
        lines = gw_str_from(lines, line.len + 1);
        size_t colon = gw_str_chr(line, ':');
        if (colon == GW_NPOS)
            continue;
        struct gw_str name = gw_str_first(line, colon);
        struct gw_str value = gw_str_from(line, colon + 1);
        if (value.len && value.ptr[value.len - 1] == '\r')
            value.len--;
        enum header_id id = header_id_of(name);
        if (!is_of_a_connection(id))
            add(f, name, gw_str_trim(value), flags_of(id));
    }
}

void h2_fields_head(struct h2_fields *f, struct gw_str head)
{
    size_t end = gw_str_chr(head, '\n');
    h2_fields_lines(f, gw_str_from(head, end == GW_NPOS ? head.len : end + 1));
}

void h2_fields_length(struct h2_fields *f, uint64_t length)
{
    size_t len = gw_u64_digits(f->length, length);
    add(f, GW_STR("content-length"), gw_str(f->length, len), NGHTTP2_NV_FLAG_NONE);
}
