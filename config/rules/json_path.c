/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/json_path.h"

struct scan {
    struct gw_str text;
    size_t at;
    unsigned depth;
    const struct arg *path;
    size_t steps;
    struct json_token *out;
    bool found;
};

/* `step` counts the path steps that led to a value: it is on the path while step <= steps. */
#define OFF_PATH SIZE_MAX

static char peek(const struct scan *s)
{
    return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static void space(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

/* The end reads as NUL, and so may a byte of the text: the place tells them apart. */
static bool take(struct scan *s, char c)
{
    if (peek(s) != c || s->at >= s->text.len)
        return false;
    s->at++;
    return true;
}

static bool hex4(const struct scan *s, size_t at)
{
    for (size_t i = 0; i < 4; i++) {
        if (at + i >= s->text.len || gw_hex_value(s->text.ptr[at + i]) < 0)
            return false;
    }
    return true;
}

static bool string(struct scan *s, struct gw_str *inside)
{
    if (!take(s, '"'))
        return false;
    size_t start = s->at;
    for (; s->at < s->text.len; s->at++) {
        char c = s->text.ptr[s->at];
        if (c == '"') {
            *inside = gw_str(s->text.ptr + start, s->at - start);
            s->at++;
            return true;
        }
        if ((uint8_t)c < 0x20)
            return false;
        if (c != '\\')
            continue;
        s->at++;
        if (peek(s) == 'u' && hex4(s, s->at + 1))
            s->at += 4;
        else if (s->at >= s->text.len || !peek(s) || !strchr("\"\\/bfnrt", peek(s)))
            return false;
    }
    return false;
}

static bool digits(struct scan *s)
{
    size_t start = s->at;
    while (gw_is_digit(peek(s)))
        s->at++;
    return s->at > start;
}

static bool number(struct scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !digits(s))
        return false;
    if (take(s, '.') && !digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            (void)take(s, '-');
        return digits(s);
    }
    return true;
}

static bool word(struct scan *s, struct gw_str text)
{
    if (!gw_str_starts(gw_str_from(s->text, s->at), text))
        return false;
    s->at += text.len;
    return true;
}

static bool value(struct scan *s, size_t step);

static bool key_fits(const struct scan *s, size_t step, struct gw_str key)
{
    if (step >= s->steps || s->path[step].literal.kind != RULES_VALUE_BYTES)
        return false;
    struct gw_str wanted = s->path[step].literal.s;
    if (gw_str_chr(key, '\\') == GW_NPOS)
        return gw_str_eq(key, wanted);
    /* A key that needs its escapes and is longer than this is taken for another one: unescaping
     * needs room, and no rule asks for such a key. */
    char plain[256];
    return key.len <= sizeof(plain) && gw_str_eq(gw_str(plain, json_unescape(key, plain)), wanted);
}

static bool object(struct scan *s, size_t step)
{
    s->at++;
    space(s);
    if (take(s, '}'))
        return true;
    do {
        struct gw_str key;
        space(s);
        if (!string(s, &key))
            return false;
        space(s);
        if (!take(s, ':'))
            return false;
        bool fits = key_fits(s, step, key);
        if (fits)
            s->found = false; /* of two equal keys the later counts, even if it leads nowhere */
        if (!value(s, fits ? step + 1 : OFF_PATH))
            return false;
        space(s);
    } while (take(s, ','));
    return take(s, '}');
}

static bool array(struct scan *s, size_t step)
{
    s->at++;
    space(s);
    if (take(s, ']'))
        return true;
    int64_t wanted = step < s->steps && s->path[step].literal.kind == RULES_VALUE_INT
                         ? s->path[step].literal.i
                         : -1;
    int64_t position = 0;
    do {
        if (!value(s, position++ == wanted ? step + 1 : OFF_PATH))
            return false;
        space(s);
    } while (take(s, ','));
    return take(s, ']');
}

static bool scalar(struct scan *s, char first, struct json_token *token)
{
    size_t start = s->at;
    *token = (struct json_token){.kind = first};
    if (first == '"')
        return string(s, &token->text);
    if (first == 't' || first == 'f' || first == 'n')
        return word(s, first == 't'   ? GW_STR("true")
                       : first == 'f' ? GW_STR("false")
                                      : GW_STR("null"));
    token->kind = '0';
    if (!number(s))
        return false;
    token->text = gw_str(s->text.ptr + start, s->at - start);
    return true;
}

static bool value(struct scan *s, size_t step)
{
    space(s);
    char first = peek(s);
    struct json_token token = {.kind = first};
    bool ok;
    if (first == '{' || first == '[') {
        if (++s->depth > JSON_PATH_NESTING_MAX)
            return false;
        ok = first == '{' ? object(s, step) : array(s, step);
        s->depth--;
    } else {
        ok = scalar(s, first, &token);
    }
    if (ok && step == s->steps) {
        *s->out = token;
        s->found = true;
    }
    return ok;
}

/* Goes on behind a hit: the rest may be no JSON, or name the same key again. */
bool json_path(struct gw_str text, const struct arg *path, size_t steps, struct json_token *out)
{
    struct scan s = {.text = text, .path = path, .steps = steps, .out = out};
    if (!value(&s, 0))
        return false;
    space(&s);
    return s.found && s.at == text.len;
}

static unsigned code_unit(const char *hex)
{
    unsigned code = 0;
    for (size_t i = 0; i < 4; i++)
        code = code << 4 | (unsigned)gw_hex_value(hex[i]);
    return code;
}

/* \uXXXX, with the low half of a surrogate pair if it follows; a lone half becomes U+FFFD. An
 * escape is never shorter than its UTF-8 form. */
static size_t unicode(struct gw_str text, size_t *at, char *to)
{
    unsigned code = code_unit(text.ptr + *at);
    *at += 4;
    if (code >= 0xd800 && code < 0xdc00 && text.len - *at >= 6 && text.ptr[*at] == '\\' &&
        text.ptr[*at + 1] == 'u') {
        unsigned low = code_unit(text.ptr + *at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *at += 6;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            to[0] = (char)(0xf0 | code >> 18);
            to[1] = (char)(0x80 | (code >> 12 & 0x3f));
            to[2] = (char)(0x80 | (code >> 6 & 0x3f));
            to[3] = (char)(0x80 | (code & 0x3f));
            return 4;
        }
    }
    if (code >= 0xd800 && code < 0xe000)
        code = 0xfffd;
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : 3;
    to[0] = (char)(len == 2 ? 0xc0 | code >> 6 : 0xe0 | code >> 12);
    if (len == 3)
        to[1] = (char)(0x80 | (code >> 6 & 0x3f));
    to[len - 1] = (char)(0x80 | (code & 0x3f));
    return len;
}

size_t json_unescape(struct gw_str text, char *to)
{
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        char c = text.ptr[at++];
        if (c == '\\') {
            c = text.ptr[at++];
            if (c == 'u') {
                len += unicode(text, &at, to + len);
                continue;
            }
            const char *name = strchr(names, c);
            c = name ? bytes[name - names] : c;
        }
        to[len++] = c;
    }
    return len;
}
