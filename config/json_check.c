/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive descent over RFC 8259 plus comments. It stops at the first fault: what follows a
 * missing quote or brace would be noise. Depth is bounded, so that a hostile text cannot use up the
 * stack.
 */
#include "config/json_check.h"

#include <math.h>

struct check {
    const struct gw_source *source;
    char *text; /* the copy; comments vanish from it as they are passed */
    size_t len, at;
    unsigned depth;
    size_t values_left;
    struct gw_diags *diags;
};

#define FAIL(c, offset, width, ...)                                                                \
    (gw_diag_at((c)->diags, GW_DIAG_ERROR, (c)->source, offset, width, __VA_ARGS__), false)

static bool check_value(struct check *c);

/* The byte `ahead` of the place, or 0 behind the end. */
static char peek(const struct check *c, size_t ahead)
{
    return c->at + ahead < c->len ? c->text[c->at + ahead] : '\0';
}

static unsigned line_of(const struct check *c, size_t offset)
{
    unsigned line, column;
    gw_line_column(c->source->text, offset, &line, &column);
    return line;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
    return (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || gw_is_digit(c) || c == '_' || c == '-';
}

/* The offset behind the comment at `at`, `at` itself when none is there, GW_NPOS when it is never
 * closed. */
static size_t comment_end(struct gw_str text, size_t at)
{
    struct gw_str rest = gw_str_from(text, at);
    if (gw_str_starts(rest, GW_STR("//"))) {
        size_t end = gw_str_chr(rest, '\n');
        return end == GW_NPOS ? text.len : at + end;
    }
    if (!gw_str_starts(rest, GW_STR("/*")))
        return at;
    size_t end = gw_str_find(gw_str_from(rest, 2), GW_STR("*/"));
    return end == GW_NPOS ? GW_NPOS : at + 2 + end + 2;
}

/* Keeps line ends, so that lines stay lines. */
static void blank(char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (text[i] != '\n')
            text[i] = ' ';
}

static bool skip_space(struct check *c)
{
    for (;;) {
        while (c->at < c->len && is_space(c->text[c->at]))
            c->at++;
        size_t end = comment_end(gw_str(c->text, c->len), c->at);
        if (end == c->at)
            return true;
        if (end == GW_NPOS)
            return FAIL(c, c->at, 2, "this comment is never closed; expected \"*/\"");
        blank(c->text, c->at, end);
        c->at = end;
    }
}

static size_t word_length(const struct check *c)
{
    size_t n = 0;
    while (is_word(peek(c, n)))
        n++;
    return n;
}

/* Tells what stands where `expected` should, with the advice for what people write by habit. */
static bool fail_unexpected(struct check *c, const char *expected)
{
    static const struct {
        const char *start;
        const char *advice;
    } habits[] = {
        {"'", "strings stand in double quotes, not in single quotes"},
        {"`", "strings stand in double quotes, not in backquotes"},
        {"\xe2\x80\x9c", "these are typographic quotes; use the plain \""},
        {"\xe2\x80\x9d", "these are typographic quotes; use the plain \""},
        {"\xe2\x80\x9e", "these are typographic quotes; use the plain \""},
        {"#", "comments start with // or stand between /* and */"},
        {"+", "numbers have no plus sign"},
        {".", "numbers start with a digit; write 0.5, not .5"},
        {"=", "names and values are separated by \":\", not \"=\""},
        {";", "items are separated by \",\", not \";\""},
    };
    if (c->at >= c->len)
        return FAIL(c, c->len, 1, "the file ends too early; expected %s", expected);
    struct gw_str rest = gw_str(c->text + c->at, c->len - c->at);
    for (size_t i = 0; i < GW_COUNT(habits); i++)
        if (gw_str_starts(rest, gw_str_z(habits[i].start)))
            return FAIL(c, c->at, strlen(habits[i].start), "expected %s; %s", expected,
                        habits[i].advice);
    size_t width = word_length(c);
    if (width)
        return FAIL(c, c->at, width, "expected %s, not \"%.*s\"", expected,
                    (int)gw_min_size(width, 40), rest.ptr);
    unsigned char byte = (unsigned char)rest.ptr[0];
    if (byte < 0x20 || byte > 0x7e)
        return FAIL(c, c->at, 1, "expected %s, not the byte 0x%02x", expected, byte);
    return FAIL(c, c->at, 1, "expected %s, not \"%c\"", expected, byte);
}

bool json_hex4(struct gw_str text, size_t at, unsigned *code)
{
    unsigned value = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < text.len ? gw_hex_value(text.ptr[i]) : -1;
        if (digit < 0)
            return false;
        value = value * 16 + (unsigned)digit;
    }
    *code = value;
    return true;
}

/* cJSON keeps strings by their NUL: "a\u0000b" would silently become "a", and a check that saw the
 * whole and one that sees the rest could be played against each other. */
static bool check_unicode_escape(struct check *c)
{
    struct gw_str text = gw_str(c->text, c->len);
    unsigned code, low;
    if (!json_hex4(text, c->at + 2, &code))
        return FAIL(c, c->at, 2, "\\u is followed by four hexadecimal digits");
    if (code == 0)
        return FAIL(c, c->at, 6, "\\u0000 cannot stand in a text");
    bool high = code >= 0xd800 && code < 0xdc00;
    if (code >= 0xdc00 && code < 0xe000)
        return FAIL(c, c->at, 6, "the second half of a surrogate pair without its first half");
    if (high && !(peek(c, 6) == '\\' && peek(c, 7) == 'u' && json_hex4(text, c->at + 8, &low) &&
                  low >= 0xdc00 && low < 0xe000))
        return FAIL(c, c->at, 6, "a surrogate pair needs its second half, \\udc00 to \\udfff");
    c->at += high ? 12 : 6;
    return true;
}

static bool check_escape(struct check *c)
{
    char kind = peek(c, 1);
    if (kind == 'u')
        return check_unicode_escape(c);
    if (kind && strchr("\"\\/bfnrt", kind)) {
        c->at += 2;
        return true;
    }
    return FAIL(c, c->at, 2, "unknown escape; a backslash itself is written \\\\");
}

/* Length of the UTF-8 sequence at the place, 0 when there is none (RFC 3629: shortest form, no
 * surrogates, at most U+10FFFF). */
static size_t utf8_length(const struct check *c)
{
    unsigned char first = (unsigned char)peek(c, 0), second = (unsigned char)peek(c, 1);
    if (first < 0x80)
        return 1;
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0xc2 || first > 0xf4 || second < low || second > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (((unsigned char)peek(c, i) & 0xc0) != 0x80)
            return 0;
    return n;
}

/* A string ends with its line at the latest (RFC 8259 section 7), so that a forgotten quote is
 * found where it is missing and not at the end of the file. */
static bool check_string(struct check *c)
{
    size_t start = c->at++;
    while (c->at < c->len && c->text[c->at] != '"') {
        char byte = c->text[c->at];
        if (byte == '\n' || byte == '\r')
            break;
        if (byte == '\\') {
            if (!check_escape(c))
                return false;
            continue;
        }
        if ((unsigned char)byte < 0x20)
            return FAIL(c, c->at, 1, "a control character in a string; write it as %s",
                        byte == '\t' ? "\\t" : "\\u00XX");
        size_t n = utf8_length(c);
        if (n == 0)
            return FAIL(c, c->at, 1, "the byte 0x%02x is not UTF-8", (unsigned char)byte);
        c->at += n;
    }
    if (peek(c, 0) != '"')
        return FAIL(c, start, c->at - start,
                    "this string is not closed; expected \" before the end of the line");
    c->at++;
    return true;
}

static size_t skip_digits(struct check *c)
{
    size_t start = c->at;
    while (gw_is_digit(peek(c, 0)))
        c->at++;
    return c->at - start;
}

/* RFC 8259 section 6 to the letter; cJSON would take 01, 1. and a number of any length in part. */
static bool check_number(struct check *c)
{
    size_t start = c->at;
    c->at += peek(c, 0) == '-';
    bool zero = peek(c, 0) == '0';
    size_t digits = skip_digits(c);
    if (digits == 0)
        return FAIL(c, start, 1, "expected a digit after \"-\"");
    if (zero && (digits > 1 || gw_lower(peek(c, 0)) == 'x'))
        return FAIL(c, start, c->at - start,
                    "numbers are decimal and do not start with a superfluous 0");
    if (peek(c, 0) == '.') {
        c->at++;
        if (skip_digits(c) == 0)
            return FAIL(c, start, c->at - start, "expected a digit after the decimal point");
    }
    if (gw_lower(peek(c, 0)) == 'e') {
        c->at++;
        c->at += peek(c, 0) == '-' || peek(c, 0) == '+';
        if (skip_digits(c) == 0)
            return FAIL(c, start, c->at - start, "expected a digit in the exponent");
    }
    size_t width = c->at - start;
    if (is_word(peek(c, 0)))
        return FAIL(c, start, width + word_length(c),
                    "a unit or name cannot follow a number; a size stands in quotes: \"256MiB\"");
    if (width > JSON_DIGITS_MAX)
        return FAIL(c, start, width, "this number has more than %d characters", JSON_DIGITS_MAX);
    char digits_z[JSON_DIGITS_MAX + 1] = {0};
    memcpy(digits_z, c->text + start, width);
    if (!isfinite(strtod(digits_z, NULL)))
        return FAIL(c, start, width, "this number is too large");
    return true;
}

static bool check_word(struct check *c)
{
    static const char *const words[] = {"true", "false", "null"};
    struct gw_str word = gw_str(c->text + c->at, word_length(c));
    for (size_t i = 0; i < GW_COUNT(words); i++) {
        if (gw_str_eq(word, gw_str_z(words[i]))) {
            c->at += word.len;
            return true;
        }
        if (gw_str_ieq(word, gw_str_z(words[i])))
            return FAIL(c, c->at, word.len, "write it in lower case: %s", words[i]);
    }
    if (word.len)
        return FAIL(c, c->at, word.len,
                    "unknown word \"%.*s\"; texts stand in double quotes, "
                    "other words are true, false and null",
                    (int)gw_min_size(word.len, 40), word.ptr);
    return fail_unexpected(c, "a value");
}

static bool check_member(struct check *c)
{
    if (peek(c, 0) != '"')
        return fail_unexpected(c, "a name in double quotes");
    if (!check_string(c) || !skip_space(c))
        return false;
    if (peek(c, 0) != ':')
        return fail_unexpected(c, "\":\" after the name");
    c->at++;
    return skip_space(c) && check_value(c);
}

/* Behind an item: finds the comma or the end. *more tells which. */
static bool check_separator(struct check *c, char close, size_t open_at, bool *more)
{
    size_t behind = c->at;
    if (!skip_space(c))
        return false;
    char byte = peek(c, 0);
    *more = byte == ',';
    if (byte == close || byte == ',') {
        size_t comma = c->at++;
        if (byte == close || !skip_space(c))
            return byte == close;
        if (peek(c, 0) == close)
            return FAIL(c, comma, 1, "this comma has nothing behind it; remove it");
        return true;
    }
    if (c->at >= c->len)
        return FAIL(c, open_at, 1, "this \"%c\" is never closed; expected \"%c\"", c->text[open_at],
                    close);
    /* The next item is fine: what is missing belongs behind the one before. */
    if (byte == '"' || byte == '{' || byte == '[')
        return FAIL(c, behind - 1, 1, "expected \",\" or \"%c\" behind this", close);
    return fail_unexpected(c, close == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
}

static bool check_container(struct check *c, char close, bool (*check_item)(struct check *))
{
    size_t open_at = c->at++;
    /* Taken off again on success alone: after a fault nothing is read any more. */
    if (++c->depth > JSON_DEPTH_MAX)
        return FAIL(c, open_at, 1, "nested deeper than %d levels", JSON_DEPTH_MAX);
    bool more = true;
    if (!skip_space(c))
        return false;
    if (c->at >= c->len)
        return FAIL(c, open_at, 1, "this \"%c\" is never closed; expected \"%c\"", c->text[open_at],
                    close);
    if (peek(c, 0) == close) {
        c->at++;
        more = false;
    }
    while (more)
        if (!check_item(c) || !check_separator(c, close, open_at, &more))
            return false;
    c->depth--;
    return true;
}

static bool check_value(struct check *c)
{
    char byte = peek(c, 0);
    /* Two bytes of text are eighty of memory once they are a value. */
    if (c->values_left-- == 0)
        return FAIL(c, c->at, 1, "too many values stand before this one");
    if (byte == '{')
        return check_container(c, '}', check_member);
    if (byte == '[')
        return check_container(c, ']', check_value);
    if (byte == '"')
        return check_string(c);
    if (byte == '-' || gw_is_digit(byte))
        return check_number(c);
    return check_word(c);
}

bool json_check(const struct gw_source *source, char *text, size_t values_max,
                struct gw_diags *diags)
{
    struct check c = {.source = source,
                      .text = text,
                      .len = source->text.len,
                      .values_left = values_max,
                      .diags = diags};
    if (gw_str_starts(source->text, GW_STR("\xef\xbb\xbf")))
        blank(text, 0, 3);
    if (!skip_space(&c))
        return false;
    if (c.at >= c.len)
        return FAIL(&c, 0, 1, "the file holds no value; expected an object in { }");
    size_t start = c.at;
    if (!check_value(&c) || !skip_space(&c))
        return false;
    if (c.at < c.len)
        return FAIL(&c, c.at, 1, "nothing may follow the value that started in line %u",
                    line_of(&c, start));
    return true;
}

size_t json_skip_space(struct gw_str text, size_t at)
{
    if (at == 0 && gw_str_starts(text, GW_STR("\xef\xbb\xbf")))
        at = 3;
    for (size_t end;; at = end) {
        while (at < text.len && is_space(text.ptr[at]))
            at++;
        end = comment_end(text, at);
        if (end == at || end == GW_NPOS)
            return at;
    }
}

size_t json_skip_string(struct gw_str text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        at += text.ptr[at] == '\\';
    return gw_min_size(at + 1, text.len);
}
