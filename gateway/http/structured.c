/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/structured.h"

#include "gateway/http/bytes.h"

/* Recursive descent along RFC 9651 section 4.2, without values: each takes its piece off the front,
 * or answers false. The only recursion, an inner list, cannot hold another, so depth is fixed. */

static bool take(struct gw_str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = gw_str_from(*s, 1);
    return true;
}

static void skip_spaces(struct gw_str *s)
{
    while (take(s, ' '))
        continue;
}

static bool is_alpha(char c)
{
    return gw_lower(c) >= 'a' && gw_lower(c) <= 'z';
}

static bool take_key(struct gw_str *s)
{
    if (!s->len || (!is_alpha(s->ptr[0]) && s->ptr[0] != '*'))
        return false;
    size_t n = 1;
    while (n < s->len && (is_alpha(s->ptr[n]) || gw_is_digit(s->ptr[n]) ||
                          gw_str_chr(GW_STR("_-.*"), s->ptr[n]) != GW_NPOS))
        n++;
    *s = gw_str_from(*s, n);
    return true;
}

/* Lengths are not limited to the RFC's 15 digits: a lifetime with more means "very long". */
static bool take_number(struct gw_str *s)
{
    take(s, '-');
    size_t whole = gw_str_digits(*s);
    *s = gw_str_from(*s, whole);
    if (!whole || !take(s, '.'))
        return whole > 0;
    size_t fraction = gw_str_digits(*s);
    *s = gw_str_from(*s, fraction);
    return fraction > 0;
}

static bool take_string(struct gw_str *s)
{
    if (!take(s, '"'))
        return false;
    while (s->len && s->ptr[0] != '"') {
        bool escape = s->ptr[0] == '\\';
        if (escape && (s->len < 2 || (s->ptr[1] != '"' && s->ptr[1] != '\\')))
            return false;
        if (s->ptr[0] < ' ' || s->ptr[0] > '~')
            return false;
        *s = gw_str_from(*s, escape ? 2 : 1);
    }
    return take(s, '"');
}

static bool take_token(struct gw_str *s)
{
    size_t n = 0;
    while (n < s->len && (byte_is(s->ptr[n], BYTE_TOKEN) || s->ptr[n] == ':' || s->ptr[n] == '/'))
        n++;
    *s = gw_str_from(*s, n);
    return n > 0;
}

static bool take_bytes(struct gw_str *s)
{
    size_t n = 1;
    while (n < s->len && (is_alpha(s->ptr[n]) || gw_is_digit(s->ptr[n]) ||
                          gw_str_chr(GW_STR("+/="), s->ptr[n]) != GW_NPOS))
        n++;
    *s = gw_str_from(*s, n);
    return take(s, ':');
}

static bool take_bare(struct gw_str *s)
{
    char c = s->len ? s->ptr[0] : '\0';
    if (c == '-' || gw_is_digit(c))
        return take_number(s);
    if (c == '"')
        return take_string(s);
    if (c == '*' || is_alpha(c))
        return take_token(s);
    if (c == ':')
        return take_bytes(s);
    return take(s, '?') && (take(s, '0') || take(s, '1'));
}

static bool take_parameters(struct gw_str *s)
{
    while (take(s, ';')) {
        skip_spaces(s);
        if (!take_key(s) || (take(s, '=') && !take_bare(s)))
            return false;
    }
    return true;
}

static bool take_inner_list(struct gw_str *s)
{
    for (;;) {
        skip_spaces(s);
        if (take(s, ')'))
            return true;
        if (!take_bare(s) || !take_parameters(s))
            return false;
        if (s->len && s->ptr[0] != ' ' && s->ptr[0] != ')')
            return false;
    }
}

static bool take_member(struct gw_str *s)
{
    if (!take_key(s))
        return false;
    if (take(s, '=') && !(take(s, '(') ? take_inner_list(s) : take_bare(s)))
        return false;
    return take_parameters(s);
}

bool structured_is_member(struct gw_str text)
{
    return take_member(&text) && !text.len;
}

bool structured_is_dictionary(struct gw_str text)
{
    text = gw_str_trim(text);
    while (text.len) {
        if (!take_member(&text))
            return false;
        text = gw_str_trim(text);
        if (!text.len)
            return true;
        if (!take(&text, ','))
            return false;
        text = gw_str_trim(text);
        /* A comma at the end makes the whole invalid (RFC 9651 section 4.2.2), and an invalid field
         * is passed over for the next in line (RFC 9213 section 2.2). */
        if (!text.len)
            return false;
    }
    return true;
}
