/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/lex.h"

#include <stdarg.h>
#include <stdio.h>

bool lex_fail(struct lexer *lx, size_t offset, size_t width, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    lx->err->kind = EXPR_UNPARSABLE;
    lx->err->offset = offset;
    lx->err->width = width;
    vsnprintf(lx->err->reason, sizeof(lx->err->reason), fmt, args);
    va_end(args);
    return false;
}

void lex_space(struct lexer *lx)
{
    while (lx->at < lx->end) {
        char c = lx->text.ptr[lx->at];
        if (c != ' ' && c != '\r' && c != '\n')
            return;
        lx->at++;
    }
}

bool lex_accept(struct lexer *lx, const char *word)
{
    struct gw_str w = gw_str_z(word);
    if (!gw_str_starts(lex_rest(lx), w))
        return false;
    lx->at += w.len;
    return true;
}

bool lex_expect(struct lexer *lx, const char *word)
{
    return lex_accept(lx, word) ||
           lex_fail(lx, lx->at, lx->end - lx->at, "expected literal \"%s\"", word);
}

static bool is_name_char(char c)
{
    return gw_is_digit(c) || (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || c == '_';
}

bool lex_name(struct lexer *lx, struct gw_str *name)
{
    size_t start = lx->at;
    do {
        size_t part = lx->at;
        while (is_name_char(lex_peek(lx)))
            lx->at++;
        if (lx->at == part)
            return lex_fail(lx, part, lx->end - part, "expected identifier character");
    } while (lex_accept(lx, "."));
    *name = gw_str(lx->text.ptr + start, lx->at - start);
    return true;
}

bool lex_list_name(struct lexer *lx, struct gw_str *name)
{
    size_t start = lx->at;
    bool upper = false;
    while (is_name_char(lex_peek(lx)) || lex_peek(lx) == '.') {
        upper = upper || gw_lower(lex_peek(lx)) != lex_peek(lx);
        lx->at++;
    }
    *name = gw_str(lx->text.ptr + start, lx->at - start);
    if (upper || name->len == 0 || name->ptr[0] == '.' || name->ptr[name->len - 1] == '.')
        return lex_fail(lx, start, name->len, "invalid list name \"%.*s\"", GW_STR_ARG(*name));
    return true;
}

/* Digits are taken up to radix 16 whatever the radix is, as the engine does: "8" in "08" is then
 * reported as a wrong digit and not as surplus input. */
static bool digits(struct lexer *lx, size_t from, unsigned radix, int64_t *value)
{
    size_t start = lx->at;
    while (lx->at < lx->end && gw_hex_value(lex_peek(lx)) >= 0)
        lx->at++;
    size_t width = lx->at - from;
    if (lx->at == start)
        return lex_fail(lx, start, lx->end - start, "expected digit");
    bool negative = from < start && lx->text.ptr[from] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0), sum = 0;
    for (size_t i = start; i < lx->at; i++) {
        unsigned digit = (unsigned)gw_hex_value(lx->text.ptr[i]);
        if (digit >= radix)
            return lex_fail(lx, from, width,
                            "invalid digit found in string while parsing with radix %u", radix);
        if (sum > (limit - digit) / radix)
            return lex_fail(lx, from, width,
                            "number too %s to fit in target type while parsing with radix %u",
                            negative ? "small" : "large", radix);
        sum = sum * radix + digit;
    }
    /* Negated without a sign: the least number has no positive twin. */
    *value = negative ? (int64_t)(~sum + 1) : (int64_t)sum;
    return true;
}

/* Spec section 1, item 9: "0x" and "0" decide the radix only where no "-" stands, so "-010" is
 * minus ten. */
bool lex_int(struct lexer *lx, int64_t *value)
{
    if (lex_accept(lx, "0x"))
        return digits(lx, lx->at, 16, value);
    if (lex_peek(lx) == '0')
        return digits(lx, lx->at, 8, value);
    size_t from = lx->at;
    (void)lex_accept(lx, "-");
    return digits(lx, from, 10, value);
}

bool lex_int_range(struct lexer *lx, int64_t *low, int64_t *high)
{
    size_t start = lx->at;
    if (!lex_int(lx, low))
        return false;
    *high = *low;
    if (lex_accept(lx, "..") && !lex_int(lx, high))
        return false;
    if (*high < *low)
        return lex_fail(lx, start, lx->at - start, "incompatible range bounds");
    return true;
}

static bool is_ip_char(char c)
{
    return c && (gw_hex_value(c) >= 0 || c == ':' || c == '.' || c == '/');
}

static bool ip_chunk(struct lexer *lx, size_t *start, struct gw_str *chunk)
{
    *start = lx->at;
    while (is_ip_char(lex_peek(lx)))
        lx->at++;
    *chunk = gw_str(lx->text.ptr + *start, lx->at - *start);
    return chunk->len > 0 ||
           lex_fail(lx, *start, lx->end - *start, "expected IP address character");
}

static bool address(struct lexer *lx, struct gw_str text, struct gw_ip *ip)
{
    if (gw_ip_parse(text, ip))
        return true;
    return lex_fail(lx, (size_t)(text.ptr - lx->text.ptr), text.len,
                    "couldn't parse address in network: invalid IP address syntax");
}

/* "/" is taken with the address, too, and then refused: a block behind "eq" is a mistake in an
 * address, not surplus input. */
bool lex_ip(struct lexer *lx, struct gw_ip *ip)
{
    size_t start;
    struct gw_str chunk;
    return ip_chunk(lx, &start, &chunk) && address(lx, chunk, ip);
}

static bool ip_block(struct lexer *lx, struct gw_str chunk, struct gw_ip *low, struct gw_ip *high)
{
    size_t start = (size_t)(chunk.ptr - lx->text.ptr), slash = gw_str_chr(chunk, '/');
    if (!address(lx, gw_str_first(chunk, slash), low))
        return false;
    *high = *low;
    if (slash == GW_NPOS)
        return true;
    uint64_t bits, most = low->family == GW_IP_V4 ? 32 : 128;
    struct gw_str length = gw_str_from(chunk, slash + 1);
    /* The engine reads the length into a byte first and words the two failures differently. */
    if (!gw_str_u64(length, 255, &bits))
        return lex_fail(lx, start + slash + 1, length.len,
                        "couldn't parse length in network: invalid digit found in string");
    if (bits > most)
        return lex_fail(lx, start, chunk.len,
                        "invalid length for network: Network length %u is too long for %s "
                        "(maximum: %u)",
                        (unsigned)bits, most == 32 ? "Ipv4" : "Ipv6", (unsigned)most);
    struct gw_ip network = gw_ip_mask(low, (unsigned)bits);
    if (gw_ip_cmp(&network, low) != 0)
        return lex_fail(lx, start, slash, "host part of address was not zero");
    for (uint64_t bit = bits; bit < most; bit++)
        high->bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    return true;
}

bool lex_ip_range(struct lexer *lx, struct gw_ip *low, struct gw_ip *high)
{
    size_t start;
    struct gw_str chunk;
    if (!ip_chunk(lx, &start, &chunk))
        return false;
    size_t dots = gw_str_find(chunk, GW_STR(".."));
    if (dots == GW_NPOS)
        return ip_block(lx, chunk, low, high);
    if (!address(lx, gw_str_first(chunk, dots), low) ||
        !address(lx, gw_str_from(chunk, dots + 2), high))
        return false;
    if (low->family != high->family || gw_ip_cmp(low, high) > 0)
        return lex_fail(lx, start, chunk.len, "incompatible range bounds");
    return true;
}
