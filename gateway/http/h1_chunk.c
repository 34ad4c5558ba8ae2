/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/h1_chunk.h"

#include "gateway/http/bytes.h"

static struct gw_str skip_space(struct gw_str s)
{
    while (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
        s = gw_str_from(s, 1);
    return s;
}

static bool skip_token(struct gw_str *s)
{
    size_t n = 0;
    while (n < s->len && byte_is(s->ptr[n], BYTE_TOKEN))
        n++;
    *s = gw_str_from(*s, n);
    return n > 0;
}

/* quoted-string, RFC 9110 section 5.6.4; *s begins at the opening quote. */
static bool skip_quoted(struct gw_str *s)
{
    for (size_t i = 1; i < s->len; i++) {
        if (s->ptr[i] == '"') {
            *s = gw_str_from(*s, i + 1);
            return true;
        }
        if (s->ptr[i] == '\\')
            i++;
    }
    return false;
}

/* BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] */
static bool skip_extension(struct gw_str *s)
{
    *s = skip_space(*s);
    if (!s->len || *s->ptr != ';')
        return false;
    *s = skip_space(gw_str_from(*s, 1));
    if (!skip_token(s))
        return false;
    struct gw_str value = skip_space(*s);
    if (!value.len || *value.ptr != '=')
        return true;
    value = skip_space(gw_str_from(value, 1));
    bool ok = value.len && *value.ptr == '"' ? skip_quoted(&value) : skip_token(&value);
    *s = value;
    return ok;
}

bool h1_chunk_parse(struct gw_str line, uint64_t *size)
{
    uint64_t value = 0;
    size_t digits = 0;
    while (digits < line.len && byte_is(line.ptr[digits], BYTE_HEX)) {
        value = value << 4 | (uint64_t)gw_hex_value(line.ptr[digits]);
        /* Leading zeros count: two hundred of them are a number to one reader and an overflow to
         * another. */
        if (++digits > 16)
            return false;
    }
    /* Some readers keep sizes in a signed word: what wraps there is another message than here. */
    if (!digits || value > INT64_MAX)
        return false;
    struct gw_str rest = gw_str_from(line, digits);
    while (rest.len)
        if (!skip_extension(&rest))
            return false;
    *size = value;
    return true;
}
