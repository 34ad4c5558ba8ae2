/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/regex_syntax.h"

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
        if (c == '#') { /* a comment, to the end of the line or of the pattern */
            struct gw_str rest = gw_str_from(r->pattern, r->at);
            r->at += gw_min_size(rest.len, gw_str_chr(rest, '\n'));
        } else if (c != ' ' && !(c >= '\t' && c <= '\r')) {
            return;
        }
        r->at += !regex_done(r);
    }
}

static struct regex_node *node(struct regex_reader *r, enum regex_kind kind)
{
    struct regex_node *n = gw_arena_zalloc(r->arena, sizeof(*n));
    n->kind = (uint8_t)kind;
    return n;
}

static struct regex_node *class_node(struct regex_reader *r, const struct regex_class *class)
{
    struct regex_node *n = node(r, REGEX_CLASS);
    n->class = *class;
    return n;
}

static struct regex_node *byte_node(struct regex_reader *r, struct regex_flags flags, unsigned byte)
{
    struct regex_node *n = node(r, REGEX_CLASS);
    regex_class_add(&n->class, byte, byte);
    if (flags.fold)
        regex_class_fold(&n->class);
    return n;
}

static struct regex_node *look_node(struct regex_reader *r, enum regex_look look)
{
    struct regex_node *n = node(r, REGEX_LOOK);
    n->look = (uint8_t)look;
    return n;
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

static void append(struct regex_node *whole, struct regex_node *part)
{
    part->prev = whole->last;
    if (whole->last)
        whole->last->next = part;
    else
        whole->inner = part;
    whole->last = part;
}

/* Longer names first. */
static const struct {
    const char *text;
    enum regex_look look;
} looks[] = {
    {"b{start-half}", LOOK_WORD_START_HALF},
    {"b{end-half}", LOOK_WORD_END_HALF},
    {"b{start}", LOOK_WORD_START},
    {"b{end}", LOOK_WORD_END},
    {"<", LOOK_WORD_START},
    {">", LOOK_WORD_END},
    {"b", LOOK_WORD},
    {"B", LOOK_NOT_WORD},
    {"A", LOOK_TEXT_START},
    {"z", LOOK_TEXT_END},
};

static struct regex_node *fail(struct regex_reader *r, size_t at, size_t width, const char *reason)
{
    regex_fail(r, at, width, reason);
    return NULL;
}

static struct regex_node *escape(struct regex_reader *r, struct regex_flags flags)
{
    size_t start = r->at++;
    struct gw_str rest = gw_str_from(r->pattern, r->at);
    for (size_t i = 0; i < GW_COUNT(looks); i++) {
        struct gw_str text = gw_str_z(looks[i].text);
        if (!gw_str_starts(rest, text))
            continue;
        r->at += text.len;
        return look_node(r, looks[i].look);
    }
    struct regex_class class;
    if (regex_perl_class(regex_peek(r), &class)) {
        r->at++;
        return class_node(r, &class);
    }
    if (gw_is_digit(regex_peek(r)))
        return fail(r, start, 2, "backreferences are not supported");
    uint8_t byte;
    if (regex_read_byte_escape(r, &byte))
        return byte_node(r, flags, byte);
    return r->reason ? NULL : fail(r, start, 2, "unrecognized escape sequence");
}

static struct regex_node *alternation(struct regex_reader *r, struct regex_flags flags);

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

/* Behind "(" when no "?" follows or its prefix is read: up to the closing parenthesis. */
/* A failure leaves depth as it is: the whole pattern is refused then. */
static struct regex_node *group_body(struct regex_reader *r, struct regex_flags flags, size_t start)
{
    if (++r->depth > REGEX_NESTING_MAX)
        return fail(r, start, 1, "exceed the maximum number of nested parentheses/brackets (100)");
    struct regex_node *inner = alternation(r, flags);
    if (!inner)
        return NULL;
    if (regex_done(r))
        return fail(r, start, 1, "unclosed group");
    r->at++;
    r->depth--;
    return inner;
}

/* At "(". "(?i)" is no group: it changes *flags for what follows, and matches nothing by itself. */
static struct regex_node *group(struct regex_reader *r, struct regex_flags *flags, bool *atom)
{
    size_t start = r->at++;
    struct regex_flags inner = *flags;
    *atom = true;
    if (starts(r, GW_STR("?=")) || starts(r, GW_STR("?!")) || starts(r, GW_STR("?<=")) ||
        starts(r, GW_STR("?<!")))
        return fail(r, start, 3,
                    "look-around, including look-ahead and look-behind, is not supported");
    if (starts(r, GW_STR("?<")) || starts(r, GW_STR("?P<"))) {
        r->at += starts(r, GW_STR("?P<")) ? 3 : 2;
        return group_name(r) ? group_body(r, inner, start) : NULL;
    }
    if (!starts(r, GW_STR("?")))
        return group_body(r, inner, start);
    r->at++;
    if (!read_flags(r, &inner, atom))
        return NULL;
    if (*atom)
        return group_body(r, inner, start);
    *flags = inner;
    return node(r, REGEX_CONCAT);
}

static bool decimal(struct regex_reader *r, uint64_t *value)
{
    size_t start = r->at;
    while (gw_is_digit(regex_peek(r)))
        r->at++;
    if (r->at == start)
        return regex_fail(r, start, 1, "repetition quantifier expects a valid decimal");
    struct gw_str text = gw_str(r->pattern.ptr + start, r->at - start);
    return gw_str_u64(text, REGEX_COUNT_MAX, value) ||
           regex_fail(r, start, text.len, "Compiled regex exceeds size limit of 10485760 bytes.");
}

/* Behind "{". */
static bool counted(struct regex_reader *r, struct regex_flags flags, struct regex_node *repeat)
{
    size_t start = r->at - 1;
    uint64_t least, most;
    regex_skip(r, flags);
    if (!decimal(r, &least))
        return false;
    most = least;
    regex_skip(r, flags);
    if (regex_peek(r) == ',') {
        r->at++;
        regex_skip(r, flags);
        most = REGEX_UNLIMITED;
        if (regex_peek(r) != '}' && !decimal(r, &most))
            return false;
        regex_skip(r, flags);
    }
    if (regex_peek(r) != '}')
        return regex_fail(r, start, r->at - start, "unclosed counted repetition");
    r->at++;
    if (most < least)
        return regex_fail(r, start, r->at - start,
                          "invalid repetition count range, the start must be <= the end");
    repeat->least = (uint32_t)least;
    repeat->most = (uint32_t)most;
    return true;
}

/* Every repetition behind an atom: a second one repeats the first ("a++" is not possessive). */
static struct regex_node *repetitions(struct regex_reader *r, struct regex_flags flags,
                                      struct regex_node *atom)
{
    for (unsigned count = 0;; count++) {
        regex_skip(r, flags);
        char c = regex_peek(r);
        if (c != '*' && c != '+' && c != '?' && c != '{')
            return atom;
        if (r->depth + count >= REGEX_NESTING_MAX)
            return fail(r, r->at, 1, "exceeds the nest limit (100)");
        struct regex_node *repeat = node(r, REGEX_REPEAT);
        repeat->inner = atom;
        repeat->least = c == '+';
        repeat->most = c == '?' ? 1 : REGEX_UNLIMITED;
        r->at++;
        if (c == '{' && !counted(r, flags, repeat))
            return NULL;
        r->at += regex_peek(r) == '?'; /* lazy */
        atom = repeat;
    }
}

/* A character outside ASCII is its UTF-8 bytes, and repeats as a whole. */
static struct regex_node *multi_byte(struct regex_reader *r)
{
    struct regex_node *whole = node(r, REGEX_CONCAT);
    do {
        uint8_t byte = (uint8_t)r->pattern.ptr[r->at++];
        append(whole, byte_node(r, (struct regex_flags){0}, byte));
    } while (!regex_done(r) && ((uint8_t)regex_peek(r) & 0xc0) == 0x80);
    return whole;
}

static struct regex_node *dot(struct regex_reader *r, struct regex_flags flags)
{
    struct regex_class all = {{~0ull, ~0ull, ~0ull, ~0ull}};
    if (!flags.dot_all)
        all.bits[0] &= ~(1ull << '\n');
    return class_node(r, &all);
}

static struct regex_node *single(struct regex_reader *r, struct regex_flags flags)
{
    struct regex_class class;
    size_t start = r->at;
    char c = regex_peek(r);
    if (c == '\\')
        return escape(r, flags);
    if ((uint8_t)c & 0x80)
        return multi_byte(r);
    r->at++;
    switch (c) {
    case '[':
        return regex_read_class(r, flags, &class) ? class_node(r, &class) : NULL;
    case '.':
        return dot(r, flags);
    case '^':
        return look_node(r, flags.multi_line ? LOOK_LINE_START : LOOK_TEXT_START);
    /* Rust's "$" is the very end, never before a last newline: LOOK_TEXT_END and not PCRE2's "$"
     * (section 1.6). */
    case '$':
        return look_node(r, flags.multi_line ? LOOK_LINE_END : LOOK_TEXT_END);
    case '*':
    case '+':
    case '?':
    case '{':
        return fail(r, start, 1, "repetition operator missing expression");
    default:
        return byte_node(r, flags, (uint8_t)c);
    }
}

/* One alternative. Flags set inside hold for the alternatives behind it too. */
static struct regex_node *sequence(struct regex_reader *r, struct regex_flags *flags)
{
    struct regex_node *whole = node(r, REGEX_CONCAT);
    for (;;) {
        regex_skip(r, *flags);
        if (regex_done(r) || regex_peek(r) == ')' || regex_peek(r) == '|')
            return whole;
        bool atom = true;
        struct regex_node *part = regex_peek(r) == '(' ? group(r, flags, &atom) : single(r, *flags);
        if (part && atom)
            part = repetitions(r, *flags, part);
        if (!part)
            return NULL;
        append(whole, part);
    }
}

/* Up to the end or the ")" of the group around it. */
static struct regex_node *alternation(struct regex_reader *r, struct regex_flags flags)
{
    struct regex_node *part = sequence(r, &flags);
    if (!part || regex_peek(r) != '|')
        return part;
    struct regex_node *whole = node(r, REGEX_ALT);
    append(whole, part);
    while (regex_peek(r) == '|') {
        r->at++;
        part = sequence(r, &flags);
        if (!part)
            return NULL;
        append(whole, part);
    }
    return whole;
}

struct regex_node *regex_read(struct regex_reader *reader, struct gw_str pattern,
                              struct gw_arena *arena)
{
    *reader = (struct regex_reader){.pattern = pattern, .arena = arena};
    struct regex_node *whole = alternation(reader, (struct regex_flags){0});
    if (whole && !regex_done(reader))
        return fail(reader, reader->at, 1, "unopened group");
    return whole;
}
