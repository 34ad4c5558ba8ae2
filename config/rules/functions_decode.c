/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that decode: URL escapes, base64, JSON. What is malformed stays as it is in URLs, and
 * is missing in base64 and JSON. */
#include "config/rules/functions_run.h"
#include "config/rules/json_path.h"

/* url_decode with "r" repeats until nothing changes; every round shortens the text, and this many
 * rounds undo more layers than anybody adds. */
#define ROUNDS_MAX 16

static int hex_run(struct gw_str s, size_t at, size_t digits)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = at + i < s.len ? gw_hex_value(s.ptr[at + i]) : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static size_t put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

static size_t decode_once(struct gw_str in, bool unicode, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        int code = c == '%' ? hex_run(in, i + 1, 2) : -1;
        int wide = c == '%' && unicode && i + 1 < in.len && in.ptr[i + 1] == 'u'
                       ? hex_run(in, i + 2, 4)
                       : -1;
        if (code >= 0) {
            out[len++] = (char)code;
            i += 2;
        } else if (wide >= 0) {
            len += put_utf8(out + len, (unsigned)wide);
            i += 5;
        } else {
            out[len++] = c == '+' ? ' ' : c;
        }
    }
    return len;
}

static bool has_option(const struct call *call, char option)
{
    return call->count > 1 && gw_str_chr(call->args[1].literal.s, option) != GW_NPOS;
}

struct rules_value run_url_decode(struct eval *ev, const struct call *call,
                                  const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    bool unicode = has_option(call, 'u');
    unsigned rounds = has_option(call, 'r') ? ROUNDS_MAX : 1;
    while (v.kind != RULES_MISSING && rounds-- > 0) {
        if (gw_str_chr(v.s, '%') == GW_NPOS && gw_str_chr(v.s, '+') == GW_NPOS)
            break;
        char *text = eval_alloc(ev, v.s.len);
        if (!text)
            return RULES_NOTHING;
        struct gw_str next = gw_str(text, decode_once(v.s, unicode, text));
        if (gw_str_eq(next, v.s))
            break;
        v.s = next;
    }
    return v;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (gw_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct rules_value run_decode_base64(struct eval *ev, const struct call *call,
                                     const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    if (v.kind == RULES_MISSING)
        return v;
    struct gw_str in = v.s;
    for (int pad = 0; pad < 2 && in.len && in.ptr[in.len - 1] == '='; pad++)
        in.len--;
    uint8_t *out = eval_alloc(ev, in.len);
    size_t len = 0;
    uint32_t bits = 0;
    if (!out || in.len % 4 == 1) /* six bits are no byte */
        return RULES_NOTHING;
    for (size_t i = 0; i < in.len; i++) {
        int value = base64_value(in.ptr[i]);
        if (value < 0)
            return RULES_NOTHING;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            out[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return rules_bytes(gw_str((char *)out, len));
}

/* The whole text is read whatever the path (it must be valid JSON), so it is paid for in full. */
static bool look_up(struct eval *ev, const struct call *call, const struct rules_value *element,
                    struct json_token *token)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    if (v.kind == RULES_MISSING)
        return false;
    ev->work -= (int64_t)v.s.len;
    return ev->work >= 0 && json_path(v.s, call->args + 1, call->count - 1, token);
}

struct rules_value run_json_string(struct eval *ev, const struct call *call,
                                   const struct rules_value *element)
{
    struct json_token token;
    if (!look_up(ev, call, element, &token) || token.kind != '"')
        return RULES_NOTHING;
    if (gw_str_chr(token.text, '\\') == GW_NPOS)
        return rules_bytes(token.text);
    char *text = eval_alloc(ev, token.text.len);
    return text ? rules_bytes(gw_str(text, json_unescape(token.text, text))) : RULES_NOTHING;
}

/* Plain integers only: 42.0 and 1e3 are none. */
struct rules_value run_json_integer(struct eval *ev, const struct call *call,
                                    const struct rules_value *element)
{
    struct json_token token;
    if (!look_up(ev, call, element, &token) || token.kind != '0')
        return RULES_NOTHING;
    bool negative = token.text.ptr[0] == '-';
    uint64_t value;
    if (!gw_str_u64(gw_str_from(token.text, negative), (uint64_t)INT64_MAX + negative, &value))
        return RULES_NOTHING;
    return rules_int(negative ? (int64_t)(~value + 1) : (int64_t)value);
}
