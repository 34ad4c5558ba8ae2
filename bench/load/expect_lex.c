/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/expect_lex.h"

#include "bench/load/units.h"

static bool is_letter(char c)
{
    return (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || c == '_' || (c & 0x80);
}

static bool is_word(char c)
{
    return is_letter(c) || gw_is_digit(c) || c == '-' || c == '.' || c == '/';
}

/* "50ms", "10%", "9/s", "10/5s"; "20..30" ends before the dots. */
static size_t unit_length(struct gw_str rest)
{
    size_t n = 0;
    if (rest.len && rest.ptr[0] == '%')
        return 1;
    while (n < rest.len && (is_letter(rest.ptr[n]) || (n == 0 && rest.ptr[n] == '/') ||
                            (n && rest.ptr[0] == '/' && gw_is_digit(rest.ptr[n]))))
        n++;
    return n;
}

static struct expect_token lex_number(struct gw_str rest)
{
    struct expect_token t = {.kind = TOKEN_NUMBER};
    struct gw_str behind = rest;
    if (!units_number(&behind, &t.number))
        return (struct expect_token){.kind = TOKEN_BAD, .text = gw_str_first(rest, 1)};
    t.unit = gw_str_first(behind, unit_length(behind));
    t.text = gw_str_first(rest, rest.len - behind.len + t.unit.len);
    return t;
}

static struct expect_token lex_sign(struct gw_str rest)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "..", "+-", "±",
                                        "=",  "<",  ">",  ":",  ",",  NULL};
    for (size_t i = 0; signs[i]; i++)
        if (gw_str_starts(rest, gw_str_z(signs[i])))
            return (struct expect_token){.kind = TOKEN_SIGN,
                                         .text = gw_str_first(rest, strlen(signs[i]))};
    return (struct expect_token){.kind = TOKEN_BAD, .text = gw_str_first(rest, 1)};
}

void expect_lex_next(struct expect_lexer *l)
{
    struct gw_str rest = gw_str_from(l->text, l->at);
    while (rest.len && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t'))
        rest = gw_str_from(rest, 1);
    size_t n = 0;
    struct expect_token sign = lex_sign(rest); /* before words: "±" begins like a letter */
    if (!rest.len)
        l->token = (struct expect_token){.kind = TOKEN_END, .text = rest};
    else if (gw_is_digit(rest.ptr[0]))
        l->token = lex_number(rest);
    else if (sign.kind == TOKEN_SIGN || !is_letter(rest.ptr[0]))
        l->token = sign;
    else {
        while (n < rest.len && is_word(rest.ptr[n]))
            n++;
        l->token = (struct expect_token){.kind = TOKEN_WORD, .text = gw_str_first(rest, n)};
    }
    l->at = l->text.len - rest.len + l->token.text.len;
}

void expect_lex_start(struct expect_lexer *l, struct gw_str text)
{
    *l = (struct expect_lexer){.text = text};
    expect_lex_next(l);
}

size_t expect_lex_offset(const struct expect_lexer *l)
{
    return l->at - l->token.text.len;
}

bool expect_lex_is(const struct expect_lexer *l, const char *text)
{
    return gw_str_eq(l->token.text, gw_str_z(text));
}

bool expect_lex_take(struct expect_lexer *l, const char *text)
{
    if (!l->token.text.len || !expect_lex_is(l, text))
        return false;
    expect_lex_next(l);
    return true;
}
