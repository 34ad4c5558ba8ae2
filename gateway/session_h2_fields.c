/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h2_fields.h"

#include "gateway/base/buf.h"
#include "gateway/http/h2_request.h"

static void grow(struct h2_fields *f)
{
    f->cap *= 2;
    nghttp2_nv *larger =
        gw_realloc(f->items == f->first ? NULL : f->items, f->cap * sizeof(*larger));
    if (f->items == f->first)
        memcpy(larger, f->first, sizeof(f->first));
    f->items = larger;
}

static inline void add(struct h2_fields *f, struct gw_str name, struct gw_str value, uint8_t flags)
{
    if (gw_unlikely(f->count == f->cap))
        grow(f);
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

/* RFC 8441 section 5: Sec-WebSocket-Accept answers a key that was ours. */
static bool is_left_out(enum header_id id)
{
    return h2_is_of_a_connection(id) || id == HEADER_SEC_WEBSOCKET_ACCEPT;
}

/* What flags_of and is_left_out know; a name of another length is none of these, so that most are
 * not looked up. */
static enum header_id special_id(struct gw_str name)
{
#define LENGTH(name) ((uint32_t)1 << (sizeof(name) - 1))
    static const uint32_t lengths =
        LENGTH("CF-Ray") | LENGTH("Set-Cookie") | LENGTH("X-Nearedge-Decision") |
        LENGTH("Connection") | LENGTH("Keep-Alive") | LENGTH("Proxy-Connection") |
        LENGTH("Transfer-Encoding") | LENGTH("Upgrade") | LENGTH("Sec-WebSocket-Accept");
#undef LENGTH
    return name.len < 32 && lengths >> name.len & 1 ? header_id_of(name) : HEADER_OTHER;
}

/* Nobody writes more than one space behind the colon, or any before the end. */
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
        bool space = colon + 1 < line.len && line.ptr[colon + 1] == ' ';
        struct gw_str value = gw_str_from(line, colon + 1 + space);
        if (value.len && value.ptr[value.len - 1] == '\r')
            value.len--;
        enum header_id id = special_id(name);
        if (!is_left_out(id))
            add(f, name, value, flags_of(id));
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
