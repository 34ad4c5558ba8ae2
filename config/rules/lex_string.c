/* SPDX-License-Identifier: Apache-2.0 */
/* String literals (spec/rules-language.md section 2.1): quoted, raw, byte strings, and the quoted
 * form of regexes, whose backslashes belong to the regex. */
#include "config/rules/lex.h"

static size_t remaining(const struct lexer *lx)
{
    return lx->end - lx->at;
}

/* A fixed number of digits that make one byte. */
static bool byte(struct lexer *lx, size_t count, unsigned radix, uint8_t *out)
{
    size_t start = lx->at;
    if (remaining(lx) < count)
        return lex_fail(lx, start, remaining(lx), "expected %zu characters, but found %zu", count,
                        remaining(lx));
    unsigned value = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = gw_hex_value(lx->text.ptr[start + i]);
        if (digit < 0 || (unsigned)digit >= radix)
            return lex_fail(lx, start, count,
                            "invalid digit found in string while parsing with radix %u", radix);
        value = value * radix + (unsigned)digit;
    }
    if (value > 255)
        return lex_fail(lx, start, count,
                        "number too large to fit in target type while parsing with radix %u",
                        radix);
    lx->at += count;
    *out = (uint8_t)value;
    return true;
}

/* Behind a backslash. */
static bool escape(struct lexer *lx, size_t literal, uint8_t *out)
{
    char c = lex_peek(lx);
    if (lx->at >= lx->end)
        return lex_fail(lx, literal, lx->end - literal, "could not find an ending quote");
    if (c >= '0' && c <= '7')
        return byte(lx, 3, 8, out);
    if (c == 'x') {
        lx->at++;
        return byte(lx, 2, 16, out);
    }
    if (c != '"' && c != '\\')
        return lex_fail(lx, lx->at, 1, "expected \", xHH or OOO after \\");
    lx->at++;
    *out = (uint8_t)c;
    return true;
}

bool lex_quoted(struct lexer *lx, struct gw_str *value)
{
    size_t literal = lx->at, len = 0;
    char *out = gw_arena_alloc(lx->arena, remaining(lx) + 1);
    for (;;) {
        if (lx->at >= lx->end)
            return lex_fail(lx, literal, lx->end - literal, "could not find an ending quote");
        char c = lx->text.ptr[lx->at++];
        if (c == '"')
            break;
        uint8_t plain = (uint8_t)c;
        if (c == '\\' && !escape(lx, literal, &plain))
            return false;
        out[len++] = (char)plain;
    }
    *value = gw_str(out, len);
    return true;
}

/* Behind the "r". It ends at the first quote followed by at least as many hashes as it began with
 * (the engine takes only that many, whatever follows). */
static bool raw(struct lexer *lx, struct gw_str *value)
{
    size_t literal = lx->at, hashes = 0;
    while (lex_peek(lx) == '#') {
        lx->at++;
        hashes++;
    }
    if (hashes > 255)
        return lex_fail(lx, literal, lx->end - literal,
                        "invalid raw string hash count, there can't be more than 255 #s");
    if (!lex_accept(lx, "\""))
        return lex_fail(lx, lx->at, remaining(lx), "expected \" or #");
    size_t start = lx->at;
    for (; lx->at < lx->end; lx->at++) {
        if (lx->text.ptr[lx->at] != '"')
            continue;
        size_t run = 0;
        while (run < hashes && lx->at + 1 + run < lx->end && lx->text.ptr[lx->at + 1 + run] == '#')
            run++;
        if (run == hashes) {
            *value = gw_str(lx->text.ptr + start, lx->at - start);
            lx->at += 1 + hashes;
            return true;
        }
    }
    return lex_fail(lx, literal, lx->end - literal, "could not find an ending quote");
}

bool lex_string(struct lexer *lx, struct gw_str *value)
{
    if (lex_accept(lx, "\""))
        return lex_quoted(lx, value);
    if (lex_accept(lx, "r"))
        return raw(lx, value);
    if (lx->at >= lx->end)
        return lex_fail(lx, lx->at, 0, "unrecognised input");
    return lex_fail(lx, lx->at, remaining(lx), "expected \" or r");
}

static bool separator(struct lexer *lx)
{
    return lex_accept(lx, ":") || lex_accept(lx, "-") || lex_accept(lx, ".");
}

bool lex_bytes(struct lexer *lx, struct gw_str *value)
{
    if (lx->at >= lx->end || lex_peek(lx) == '"' || lex_peek(lx) == 'r')
        return lex_string(lx, value);
    /* Anything else is read as hex pairs: this is why a comma in a set is reported as a digit that
     * radix 16 does not have. */
    uint8_t *out = gw_arena_alloc(lx->arena, remaining(lx));
    size_t len = 0;
    do {
        if (!byte(lx, 2, 16, &out[len]))
            return false;
        len++;
        if (len == 1 && remaining(lx) == 0)
            return lex_fail(lx, lx->at, 0, "expected 1 characters, but found 0");
        if (len == 1 && !gw_str_starts(lex_rest(lx), GW_STR(":")) &&
            !gw_str_starts(lex_rest(lx), GW_STR("-")) && !gw_str_starts(lex_rest(lx), GW_STR(".")))
            return lex_fail(lx, lx->at, 1, "expected byte separator");
    } while (separator(lx));
    *value = gw_str((char *)out, len);
    return true;
}

/* A quote inside of a class does not end the literal, and its backslash stays; outside, the
 * backslash in front of a quote is the only one that goes (section 2.1). */
static bool quoted_regex(struct lexer *lx, struct gw_str *pattern)
{
    size_t literal = lx->at, len = 0;
    char *out = gw_arena_alloc(lx->arena, remaining(lx) + 1);
    bool in_class = false;
    while (lx->at < lx->end) {
        char c = lx->text.ptr[lx->at++];
        if (c == '"' && !in_class) {
            *pattern = gw_str(out, len);
            return true;
        }
        if (c == '\\' && lx->at < lx->end) {
            char next = lx->text.ptr[lx->at++];
            if (in_class || next != '"')
                out[len++] = c;
            c = next;
        } else if (c == '[' || c == ']') {
            in_class = c == '[';
        }
        out[len++] = c;
    }
    return lex_fail(lx, literal, lx->end - literal, "could not find an ending quote");
}

bool lex_regex(struct lexer *lx, struct gw_str *pattern, size_t *start)
{
    *start = lx->at;
    return lex_accept(lx, "\"") ? quoted_regex(lx, pattern) : lex_string(lx, pattern);
}
