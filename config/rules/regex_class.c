/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes of regexes, with nesting, POSIX names and the operators && -- ~~. */
#include "config/rules/regex_syntax.h"

void regex_class_add(struct regex_class *c, unsigned low, unsigned high)
{
    for (unsigned byte = low; byte <= high; byte++)
        c->bits[byte / 64] |= 1ull << (byte % 64);
}

static void negate(struct regex_class *c)
{
    for (size_t i = 0; i < GW_COUNT(c->bits); i++)
        c->bits[i] = ~c->bits[i];
}

void regex_class_fold(struct regex_class *c)
{
    for (unsigned byte = 'a'; byte <= 'z'; byte++) {
        if (regex_class_has(c, byte) || regex_class_has(c, byte - 32)) {
            regex_class_add(c, byte, byte);
            regex_class_add(c, byte - 32, byte - 32);
        }
    }
}

struct named_class {
    const char *name;
    const char *ranges; /* pairs of bounds */
};
static const struct named_class posix_classes[] = {
    {"alnum", "09AZaz"},
    {"alpha", "AZaz"},
    {"blank", "\t\t  "},
    {"cntrl", "\x01\x1f\x7f\x7f"}, /* and NUL, which a C string cannot hold */
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "\t\r  "},
    {"upper", "AZ"},
    {"word", "09AZaz__"},
    {"xdigit", "09AFaf"},
    {"ascii", "\x01\x7f"}, /* and NUL */
};

static bool named(const char *name, size_t len, struct regex_class *out)
{
    for (size_t i = 0; i < GW_COUNT(posix_classes); i++) {
        if (!gw_str_eq(gw_str_z(posix_classes[i].name), gw_str(name, len)))
            continue;
        *out = (struct regex_class){{0}};
        for (const char *p = posix_classes[i].ranges; *p; p += 2)
            regex_class_add(out, (uint8_t)p[0], (uint8_t)p[1]);
        if (posix_classes[i].ranges[0] == '\x01')
            regex_class_add(out, 0, 0);
        return true;
    }
    return false;
}

bool regex_perl_class(char letter, struct regex_class *out)
{
    char kind = gw_lower(letter);
    if (kind != 'd' && kind != 's' && kind != 'w')
        return false;
    const char *name = kind == 'd' ? "digit" : kind == 's' ? "space" : "word";
    (void)named(name, strlen(name), out);
    if (kind != letter)
        negate(out);
    return true;
}

static void unite(struct regex_class *c, const struct regex_class *other)
{
    for (size_t i = 0; i < GW_COUNT(c->bits); i++)
        c->bits[i] |= other->bits[i];
}

/* "[:alpha:]" or "[:^alpha:]"; anything else that begins with "[" is a nested class. */
static bool posix(struct regex_reader *r, struct regex_class *out)
{
    struct gw_str rest = gw_str_from(r->pattern, r->at);
    size_t end = gw_str_find(rest, GW_STR(":]"));
    if (!gw_str_starts(rest, GW_STR("[:")) || end == GW_NPOS || end < 2)
        return false;
    bool inverted = rest.ptr[2] == '^';
    size_t skip = inverted ? 3 : 2;
    if (end < skip || !named(rest.ptr + skip, end - skip, out))
        return false;
    if (inverted)
        negate(out);
    r->at += end + 2;
    return true;
}

static bool literal(struct regex_reader *r, uint8_t *out)
{
    size_t start = r->at;
    uint8_t c = (uint8_t)r->pattern.ptr[r->at++];
    if (c >= 0x80)
        return regex_fail(r, start, 1, "Unicode not allowed here");
    *out = c;
    if (c != '\\')
        return true;
    if (regex_read_byte_escape(r, out))
        return true;
    return r->reason ? false
                     : regex_fail(r, start, 2, "invalid escape sequence found in character class");
}

/* One literal, or the range that it begins. */
static bool range(struct regex_reader *r, struct regex_flags flags, struct regex_class *out)
{
    size_t start = r->at;
    uint8_t low, high;
    if (!literal(r, &low))
        return false;
    regex_skip(r, flags);
    struct gw_str rest = gw_str_from(r->pattern, r->at);
    bool is_range = rest.len > 1 && rest.ptr[0] == '-' && rest.ptr[1] != ']' && rest.ptr[1] != '-';
    high = low;
    if (is_range) {
        r->at++;
        regex_skip(r, flags);
        struct regex_class perl;
        if (regex_peek(r) == '[' || (regex_peek(r) == '\\' && r->at + 1 < r->pattern.len &&
                                     regex_perl_class(r->pattern.ptr[r->at + 1], &perl)))
            return regex_fail(r, r->at, 1, "invalid range boundary, must be a literal");
        if (!literal(r, &high))
            return false;
    }
    if (low > high)
        return regex_fail(r, start, r->at - start,
                          "invalid character class range, the start must be <= the end");
    regex_class_add(out, low, high);
    return true;
}

static bool item(struct regex_reader *r, struct regex_flags flags, struct regex_class *out)
{
    struct regex_class part;
    if (regex_peek(r) == '[') {
        if (!posix(r, &part)) {
            r->at++;
            if (!regex_read_class(r, flags, &part))
                return false;
        }
        unite(out, &part);
        return true;
    }
    if (regex_peek(r) == '\\' && r->at + 1 < r->pattern.len &&
        regex_perl_class(r->pattern.ptr[r->at + 1], &part)) {
        r->at += 2;
        unite(out, &part);
        return true;
    }
    return range(r, flags, out);
}

static void combine(char op, struct regex_class *left, const struct regex_class *right)
{
    for (size_t i = 0; i < GW_COUNT(left->bits); i++) {
        if (op == '&')
            left->bits[i] &= right->bits[i];
        else if (op == '-')
            left->bits[i] &= ~right->bits[i];
        else
            left->bits[i] ^= right->bits[i];
    }
}

static char operator(const struct regex_reader *r)
{
    struct gw_str rest = gw_str_from(r->pattern, r->at);
    if (rest.len < 2 || rest.ptr[0] != rest.ptr[1])
        return '\0';
    return rest.ptr[0] == '&' || rest.ptr[0] == '-' || rest.ptr[0] == '~' ? rest.ptr[0] : '\0';
}

/* What stands first means itself: any number of "-", or else one "]". Neither begins a range, and
 * behind them an operator is one at once: "[&&a]" is empty, "[--a]" is "-" and "a". */
static void opening(struct regex_reader *r, struct regex_flags flags, struct regex_class *out)
{
    bool dash = false;
    regex_skip(r, flags);
    for (; regex_peek(r) == '-'; dash = true) {
        regex_class_add(out, '-', '-');
        r->at++;
        regex_skip(r, flags);
    }
    if (!dash && regex_peek(r) == ']') {
        regex_class_add(out, ']', ']');
        r->at++;
    }
}

/* Items up to the closing bracket; operators have equal rank and bind to the left, and what stands
 * between two of them is one union. */
static bool body(struct regex_reader *r, struct regex_flags flags, struct regex_class *out)
{
    struct regex_class left = {{0}}, right = {{0}};
    char pending = '\0';
    size_t start = r->at;
    opening(r, flags, &right);
    for (;;) {
        regex_skip(r, flags);
        if (regex_done(r))
            return regex_fail(r, start - 1, 1, "unclosed character class");
        if (regex_peek(r) == ']')
            break;
        char op = operator(r);
        if (op) {
            if (pending)
                combine(pending, &left, &right);
            else
                left = right;
            right = (struct regex_class){{0}};
            pending = op;
            r->at += 2;
        } else if (!item(r, flags, &right)) {
            return false;
        }
    }
    r->at++;
    if (flags.fold) {
        regex_class_fold(&left);
        regex_class_fold(&right);
    }
    if (pending)
        combine(pending, &left, &right);
    *out = pending ? left : right;
    return true;
}

bool regex_read_class(struct regex_reader *r, struct regex_flags flags, struct regex_class *out)
{
    if (++r->depth > REGEX_NESTING_MAX)
        return regex_fail(r, r->at - 1, 1,
                          "exceed the maximum number of nested parentheses/brackets (100)");
    regex_skip(r, flags);
    bool inverted = regex_peek(r) == '^';
    r->at += inverted;
    if (!body(r, flags, out))
        return false;
    if (inverted)
        negate(out);
    r->depth--;
    return true;
}
