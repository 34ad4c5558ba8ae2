/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/forward.h"

static const bool hop_by_hop[HEADER_COUNT] = {
    [HEADER_CONNECTION] = true,
    [HEADER_KEEP_ALIVE] = true,
    [HEADER_PROXY_CONNECTION] = true,
    [HEADER_TE] = true,
    [HEADER_TRAILER] = true,
    [HEADER_TRANSFER_ENCODING] = true,
    [HEADER_UPGRADE] = true,
    [HEADER_HTTP2_SETTINGS] = true,
    [HEADER_PROXY_AUTHENTICATE] = true,
    [HEADER_PROXY_AUTHORIZATION] = true,
};

/* Names that steer nobody when they come late; of the others of header_names.h, each is framing,
 * routing, authentication, a condition, or tells how to store or read the content. */
static const bool harmless_late[HEADER_COUNT] = {
    [HEADER_OTHER] = true,
    [HEADER_ETAG] = true,
    [HEADER_CONTENT_MD5] = true,
    [HEADER_X_REQUEST_ID] = true,
};

/* The next option of a field that is a list of tokens, over all its lines. */
static bool next_token(const struct headers *h, enum header_id id, size_t *at, struct gw_str *rest,
                       struct gw_str *token)
{
    for (;;) {
        while (gw_str_next(rest, ',', token)) {
            *token = gw_str_trim(*token);
            if (token->len)
                return true;
        }
        const struct gw_str *line = headers_next(h, id, at);
        if (!line)
            return false;
        *rest = *line;
    }
}

static bool list_has(const struct headers *h, enum header_id id, struct gw_str wanted)
{
    size_t at = 0;
    struct gw_str rest = GW_STR_EMPTY, token;
    if (!headers_has(h, id))
        return false;
    while (next_token(h, id, &at, &rest, &token))
        if (gw_str_ieq(token, wanted))
            return true;
    return false;
}

/* Names with an id need no place in the list: hop_by_hop[] decides them alone. Without `count` and
 * `more` nothing of *f is read, so that a message without Connection pays for two stores. */
void forward_prepare(struct forward *f, const struct headers *headers)
{
    size_t at = 0;
    struct gw_str rest = GW_STR_EMPTY, token;
    f->count = 0;
    f->more = false;
    if (!headers_has(headers, HEADER_CONNECTION))
        return;
    while (!f->more && next_token(headers, HEADER_CONNECTION, &at, &rest, &token)) {
        if (header_id_of(token) != HEADER_OTHER)
            continue;
        if (f->count == FORWARD_NAMES_MAX)
            f->more = true;
        else
            f->names[f->count++] = token;
    }
}

/* With more names than are kept, one too many is dropped rather than one too few: whoever sends so
 * many could as well have named them all. */
bool forward_is_hop_by_hop(const struct forward *f, const struct header *field)
{
    if (field->id != HEADER_OTHER)
        return hop_by_hop[field->id];
    for (unsigned i = 0; i < f->count && !f->more; i++)
        if (gw_str_ieq(f->names[i], field->name))
            return true;
    return f->more;
}

bool forward_connection_has(const struct headers *headers, struct gw_str option)
{
    return list_has(headers, HEADER_CONNECTION, option);
}

bool forward_trailer_allowed(const struct header *field)
{
    return harmless_late[field->id];
}

bool forward_te_trailers(const struct headers *headers)
{
    return list_has(headers, HEADER_TE, GW_STR("trailers"));
}
