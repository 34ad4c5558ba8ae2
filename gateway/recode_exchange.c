/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/recode_exchange.h"

#include "gateway/http/etag.h"

#define STRETCH ((size_t)32 * 1024)

static bool lists_accept_encoding(struct gw_str vary)
{
    struct gw_str item;
    while (gw_str_next(&vary, ',', &item)) {
        item = gw_str_trim(item);
        if (gw_str_ieq(item, GW_STR("Accept-Encoding")) || gw_str_eq(item, GW_STR("*")))
            return true;
    }
    return false;
}

/* Caches behind us must not give one client's coding to another (RFC 9110 section 12.5.5). */
static void add_vary(const struct header *field, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("Vary: "));
    gw_buf_add(out, field->value);
    if (!lists_accept_encoding(field->value))
        gw_buf_add(out, field->value.len ? GW_STR(", Accept-Encoding") : GW_STR("Accept-Encoding"));
    gw_buf_add(out, GW_STR("\r\n"));
}

/* The representation means the same and has other bytes: that is what a weak tag says (RFC 9110
 * section 8.8.1). */
static void add_weak_etag(const struct header *field, struct gw_buf *out)
{
    if (!etag_valid(field->value))
        return;
    gw_buf_add(out, etag_is_weak(field->value) ? GW_STR("ETag: ") : GW_STR("ETag: W/"));
    gw_buf_add(out, field->value);
    gw_buf_add(out, GW_STR("\r\n"));
}

bool recode_field(struct cache_recoding recoding, const struct header *field, struct gw_buf *out)
{
    if (!cache_is_recoded(recoding))
        return false;
    switch (field->id) {
    case HEADER_ETAG:
        add_weak_etag(field, out);
        return true;
    case HEADER_VARY:
        add_vary(field, out);
        return true;
    case HEADER_CONTENT_LENGTH:
    case HEADER_CONTENT_ENCODING:
    case HEADER_CONTENT_MD5:
    case HEADER_ACCEPT_RANGES: /* ranges of what is made on the way are not served */
        return true;
    case HEADER_OTHER: /* RFC 9530: both are digests of coded bytes */
        return gw_str_ieq(field->name, GW_STR("Content-Digest")) ||
               gw_str_ieq(field->name, GW_STR("Repr-Digest"));
    default:
        return false;
    }
}

void recode_add_vary(struct cache_recoding recoding, const struct headers *fields,
                     struct gw_buf *out)
{
    if (cache_is_recoded(recoding) && !headers_has(fields, HEADER_VARY))
        gw_buf_add(out, GW_STR("Vary: Accept-Encoding\r\n"));
}

void recode_add_coding(struct cache_recoding recoding, struct gw_buf *out)
{
    if (!cache_is_recoded(recoding) || recoding.to == CACHE_CODING_IDENTITY)
        return;
    gw_buf_add(out, GW_STR("Content-Encoding: "));
    gw_buf_add(out, cache_coding_name(recoding.to));
    gw_buf_add(out, GW_STR("\r\n"));
}

enum recode_flow recode_send(struct exchange *x)
{
    char space[STRETCH + 1];
    for (;;) {
        struct gw_buf out = gw_buf_over(space, sizeof(space));
        enum recode_state state = recoder_take(x->delivery.recoder, &out);
        const struct iovec part = {out.data, out.len};
        if (out.len)
            exchange_send(x, &part, 1, NULL);
        if (state == RECODE_BROKEN)
            return RECODE_FAILED;
        if (state == RECODE_OK)
            return RECODE_DRAINED;
        if (x->io->congested(x->session))
            return RECODE_CONGESTED;
    }
}
