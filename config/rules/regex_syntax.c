/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/regex_syntax.h"

#define COUNT_MAX 65535 /* PCRE2's ceiling for {n} */

bool regex_fail(struct regex_reader *r, size_t at, size_t width, const char *reason)
{
    r->reason = reason;
    r->error_at = at;
    r->error_width = width;
    return false;
}

void regex_skip(struct regex_reader *r, struct regex_flags flags)
{
    while (flags.verbose && !regex_done(r)) {
        char c = regex_peek(r);
        if (c == '#')
            r->at = gw_min_size(r->pattern.len,
                                r->at + gw_str_chr(gw_str_from(r->pattern, r->at), '\n'));
        else if (c != ' ' && !(c >= '\t' && c <= '\r'))
            return;
        r->at += !regex_done(r);
    }
}

static void emit_byte(struct regex_reader *r, unsigned byte)
{
    gw_buf_printf(r->out, "\\x%02x", byte);
}

static void emit_class(struct regex_reader *r, const struct regex_class *c)
{
    unsigned count = 0;
    for (size_t i = 0; i < GW_COUNT(c->bits); i++)
        count += (unsigned)__builtin_popcountll(c->bits[i]);
    if (count == 0) {
        gw_buf_add(r->out, GW_STR("(?!)"));
        return;
    }
    gw_buf_char(r->out, '[');
    for (unsigned low = 0; low < 256; low++) {
        unsigned high = low;
        if (!regex_class_has(c, low))
            continue;
        while (high < 255 && regex_class_has(c, high + 1))
            high++;
        emit_byte(r, low);
        if (high > low) {
            gw_buf_char(r->out, '-');
            emit_byte(r, high);
        }
        low = high;
    }
    gw_buf_char(r->out, ']');
}

static void emit_literal(struct regex_reader *r, struct regex_flags flags, unsigned byte)
{
    char c = (char)byte;
    if (flags.fold && gw_lower(c) >= 'a' && gw_lower(c) <= 'z')
        gw_buf_printf(r->out, "[%c%c]", gw_lower(c), gw_lower(c) - 32);
    else if (gw_is_digit(c) || (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || c == '/')
        gw_buf_char(r->out, c);
    else
        emit_byte(r, byte);
}

/* \x7F \x{7F} \u007F \u{7F} \U0000007F: digits fixed or in braces. Only \xHH names a raw byte above
 * 7F; the others would be code points, which byte mode does not have. */
static bool hex_escape(struct regex_reader *r, char letter, uint8_t *out)
{
    size_t start = r->at, most = letter == 'x' ? 2 : letter == 'u' ? 4 : 8, count = 0;
    bool braces = regex_peek(r) == '{';
    r->at += braces;
    uint64_t value = 0;
    while (gw_hex_value(regex_peek(r)) >= 0 && !regex_done(r) && (braces || count < most)) {
        value = gw_min_u64(value << 4 | (unsigned)gw_hex_value(regex_peek(r)), 1u << 24);
        r->at++;
        count++;
    }
    if (count == 0 || (!braces && count < most) || (braces && regex_peek(r) != '}'))
        return regex_fail(r, start, r->at - start, "invalid hexadecimal digit");
    r->at += braces;
    if (value > 0x7f && (braces || letter != 'x' || value > 0xff))
        return regex_fail(r, start, r->at - start, "Unicode not allowed here");
    *out = (uint8_t)value;
    return true;
}

bool regex_read_byte_escape(struct regex_reader *r, uint8_t *out)
{
    static const char names[] = "aftnrv";
    static const char bytes[] = "\a\f\t\n\r\v";
    if (regex_done(r))
        return regex_fail(r, r->at - 1, 1,
                          "incomplete escape sequence, reached end of pattern prematurely");
    char c = regex_peek(r);
    const char *name = c ? strchr(names, c) : NULL;
    if (name) {
        r->at++;
        *out = (uint8_t)bytes[name - names];
        return true;
    }
    if (c == 'x' || c == 'u' || c == 'U') {
        r->at++;
        return hex_escape(r, c, out);
    }
    if (c == 'p' || c == 'P')
        return regex_fail(r, r->at - 1, 2, "Unicode not allowed here");
    bool letter = gw_lower(c) >= 'a' && gw_lower(c) <= 'z';
    if (letter || gw_is_digit(c) || c == '<' || c == '>' || (c & 0x80))
        return false;
    r->at++;
    *out = (uint8_t)c;
    return true;
}

/* Word boundaries that PCRE2 writes as look-around; these are ours, not the pattern's. */
static const struct {
    const char *rust, *pcre;
} boundaries[] = {
    {"b{start-half}", "(?<!\\w)"},
    {"b{end-half}", "(?!\\w)"},
    {"b{start}", "\\b(?=\\w)"},
    {"b{end}", "\\b(?<=\\w)"},
    {"<", "\\b(?=\\w)"},
    {">", "\\b(?<=\\w)"},
    {"b", "\\b"},
    {"B", "\\B"},
    {"A", "\\A"},
    {"z", "\\z"},
};

static bool escape(struct regex_reader *r, struct regex_flags flags)
{
    size_t start = r->at++;
    struct gw_str rest = gw_str_from(r->pattern, r->at);
    for (size_t i = 0; i < GW_COUNT(boundaries); i++) {
        struct gw_str rust = gw_str_z(boundaries[i].rust);
        if (!gw_str_starts(rest, rust))
            continue;
        r->at += rust.len;
        gw_buf_printf(r->out, "(?:%s)", boundaries[i].pcre);
        return true;
    }
    struct regex_class class;
    if (!regex_done(r) && regex_perl_class(regex_peek(r), &class)) {
        r->at++;
        emit_class(r, &class);
        return true;
    }
    if (!regex_done(r) && gw_is_digit(regex_peek(r)))
        return regex_fail(r, start, 2, "backreferences are not supported");
    uint8_t byte;
    if (regex_read_byte_escape(r, &byte)) {
        emit_literal(r, flags, byte);
        return true;
    }
    return r->reason ? false : regex_fail(r, start, 2, "unrecognized escape sequence");
}

static bool alternation(struct regex_reader *r, struct regex_flags flags);

/* Behind "(?": flags up to ":" (a group) or ")" (for the rest of the group around it). */
static bool read_flags(struct regex_reader *r, struct regex_flags *flags, bool *group)
{
    bool on = true;
    size_t start = r->at;
    for (;; r->at++) {
        if (regex_done(r))
            return regex_fail(r, start - 2, 2, "unclosed group");
        switch (regex_peek(r)) {
        case 'i':
            flags->fold = on;
            break;
        case 'm':
            flags->multi_line = on;
            break;
        case 's':
            flags->dot_all = on;
            break;
        case 'x':
            flags->verbose = on;
            break;
        case 'U': /* greed does not change whether there is a match */
            break;
        case 'u':
            if (on)
                return regex_fail(r, r->at, 1, "Unicode not allowed here");
            break;
        case '-':
            if (!on)
                return regex_fail(r, r->at, 1, "flag negation operator repeated");
            on = false;
            break;
        case ':':
        case ')':
            *group = regex_peek(r) == ':';
            if (r->pattern.ptr[r->at - 1] == '-')
                return regex_fail(r, r->at - 1, 1, "dangling flag negation operator");
            if (!*group && r->at == start)
                return regex_fail(r, start - 1, 1, "repetition operator missing expression");
            r->at++;
            return true;
        default:
            return regex_fail(r, r->at, 1, "unrecognized flag");
        }
    }
}

/* Behind "(?<" or "(?P<". Names are checked for form only: nothing can refer to them. */
static bool group_name(struct regex_reader *r)
{
    size_t start = r->at;
    while (!regex_done(r) && regex_peek(r) != '>') {
        char c = regex_peek(r);
        bool letter = (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || c == '_';
        bool later = gw_is_digit(c) || c == '.' || c == '[' || c == ']';
        if (!letter && (r->at == start || !later))
            return regex_fail(r, r->at, 1, "invalid capture group character");
        r->at++;
    }
    if (regex_done(r))
        return regex_fail(r, start, r->at - start, "unclosed capture group name");
    if (r->at == start)
        return regex_fail(r, start, 1, "empty capture group name");
    r->at++;
    return true;
}

static bool starts(const struct regex_reader *r, struct gw_str text)
{
    return gw_str_starts(gw_str_from(r->pattern, r->at), text);
}

/* At "(". With `*atom` false it was "(?i)" and changed *flags only. */
static bool group(struct regex_reader *r, struct regex_flags *flags, bool *atom)
{
    size_t start = r->at++;
    struct regex_flags inner = *flags;
    *atom = true;
    if (starts(r, GW_STR("?=")) || starts(r, GW_STR("?!")) || starts(r, GW_STR("?<=")) ||
        starts(r, GW_STR("?<!")))
        return regex_fail(r, start, 3,
                          "look-around, including look-ahead and look-behind, is not supported");
    if (starts(r, GW_STR("?<")) || starts(r, GW_STR("?P<"))) {
        r->at += regex_peek(r) == '?' && starts(r, GW_STR("?P<")) ? 3 : 2;
        if (!group_name(r))
            return false;
    } else if (starts(r, GW_STR("?"))) {
        r->at++;
        if (!read_flags(r, &inner, atom))
            return false;
        if (!*atom) {
            *flags = inner;
            return true;
        }
    }
    if (++r->depth > REGEX_NESTING_MAX)
        return regex_fail(r, start, 1,
                          "exceed the maximum number of nested parentheses/brackets (100)");
    gw_buf_add(r->out, GW_STR("(?:"));
    if (!alternation(r, inner))
        return false;
    if (regex_done(r))
        return regex_fail(r, start, 1, "unclosed group");
    r->at++;
    r->depth--;
    gw_buf_char(r->out, ')');
    return true;
}

static bool decimal(struct regex_reader *r, uint64_t *value)
{
    size_t start = r->at;
    while (gw_is_digit(regex_peek(r)))
        r->at++;
    if (r->at == start)
        return regex_fail(r, start, 1, "repetition quantifier expects a valid decimal");
    struct gw_str text = gw_str(r->pattern.ptr + start, r->at - start);
    return gw_str_u64(text, COUNT_MAX, value) ||
           regex_fail(r, start, text.len, "Compiled regex exceeds size limit of 10485760 bytes.");
}

/* Behind "{". */
static bool counted(struct regex_reader *r, struct regex_flags flags)
{
    size_t start = r->at - 1;
    uint64_t least, most;
    regex_skip(r, flags);
    if (!decimal(r, &least))
        return false;
    most = least;
    bool open = false;
    regex_skip(r, flags);
    if (regex_peek(r) == ',') {
        r->at++;
        regex_skip(r, flags);
        open = regex_peek(r) == '}';
        if (!open && !decimal(r, &most))
            return false;
        regex_skip(r, flags);
    }
    if (regex_peek(r) != '}')
        return regex_fail(r, start, r->at - start, "unclosed counted repetition");
    r->at++;
    if (most < least)
        return regex_fail(r, start, r->at - start,
                          "invalid repetition count range, the start must be <= the end");
    gw_buf_printf(r->out, open ? "{%u,}" : "{%u,%u}", (unsigned)least, (unsigned)most);
    return true;
}

/* Every repetition behind the atom that begins at out->data[from]. A second one repeats the first
 * ("a++" is not possessive here), so what is there is wrapped in a group. */
static bool repetitions(struct regex_reader *r, struct regex_flags flags, size_t from)
{
    for (unsigned count = 0;; count++) {
        regex_skip(r, flags);
        char c = regex_peek(r);
        if (regex_done(r) || (c != '*' && c != '+' && c != '?' && c != '{'))
            return true;
        if (count == REGEX_NESTING_MAX)
            return regex_fail(r, r->at, 1, "exceeds the nest limit (100)");
        if (!gw_buf_reserve(r->out, 8))
            return true;
        if (count) {
            memmove(r->out->data + from + 3, r->out->data + from, r->out->len - from);
            memcpy(r->out->data + from, "(?:", 3);
            r->out->len += 3;
            gw_buf_char(r->out, ')');
        }
        r->at++;
        if (c != '{')
            gw_buf_char(r->out, c);
        else if (!counted(r, flags))
            return false;
        if (regex_peek(r) == '?')
            r->at++;
    }
}

static void anchor(struct regex_reader *r, const char *whole, const char *line, bool multi_line)
{
    gw_buf_printf(r->out, "(?:%s)", multi_line ? line : whole);
    r->at++;
}

/* A character outside ASCII is its UTF-8 bytes, and repeats as a whole. */
static void multi_byte(struct regex_reader *r)
{
    gw_buf_add(r->out, GW_STR("(?:"));
    do
        emit_byte(r, (uint8_t)r->pattern.ptr[r->at++]);
    while (!regex_done(r) && ((uint8_t)regex_peek(r) & 0xc0) == 0x80);
    gw_buf_char(r->out, ')');
}

static bool single(struct regex_reader *r, struct regex_flags flags)
{
    char c = regex_peek(r);
    struct regex_class class;
    switch (c) {
    case '\\':
        return escape(r, flags);
    case '[':
        r->at++;
        if (!regex_read_class(r, flags, &class))
            return false;
        emit_class(r, &class);
        return true;
    case '.':
        gw_buf_add(r->out, flags.dot_all ? GW_STR("[\\x00-\\xff]") : GW_STR("[^\\n]"));
        r->at++;
        return true;
    case '^':
        anchor(r, "\\A", "\\A|(?<=\\n)", flags.multi_line);
        return true;
    case '$':
        anchor(r, "\\z", "(?=\\n)|\\z", flags.multi_line);
        return true;
    case '*':
    case '+':
    case '?':
    case '{':
        return regex_fail(r, r->at, 1, "repetition operator missing expression");
    default:
        break;
    }
    if ((uint8_t)c & 0x80) {
        multi_byte(r);
        return true;
    }
    emit_literal(r, flags, (uint8_t)c);
    r->at++;
    return true;
}

/* Up to the end or the ")" of the group around it. Flags set inside hold until there. */
static bool alternation(struct regex_reader *r, struct regex_flags flags)
{
    for (;;) {
        regex_skip(r, flags);
        if (regex_done(r) || regex_peek(r) == ')')
            return true;
        if (regex_peek(r) == '|') {
            gw_buf_char(r->out, '|');
            r->at++;
            continue;
        }
        size_t from = r->out->len;
        bool atom = true;
        if (regex_peek(r) == '(' ? !group(r, &flags, &atom) : !single(r, flags))
            return false;
        if (atom && !repetitions(r, flags, from))
            return false;
    }
}

bool regex_translate(struct regex_reader *reader, struct gw_str pattern, struct gw_buf *out)
{
    *reader = (struct regex_reader){.pattern = pattern, .out = out};
    if (!alternation(reader, (struct regex_flags){0}))
        return false;
    if (!regex_done(reader))
        return regex_fail(reader, reader->at, 1, "unopened group");
    if (out->overflow)
        return regex_fail(reader, 0, pattern.len,
                          "Compiled regex exceeds size limit of 10485760 bytes.");
    return true;
}
