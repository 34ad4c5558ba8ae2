/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/ip.h"

#include <arpa/inet.h>

bool gw_ip_parse(struct gw_str text, struct gw_ip *out)
{
    char zero_terminated[GW_IP_TEXT_MAX];
    /* inet_pton ends at a NUL: "192.0.2.1\0.evil" must not be 192.0.2.1 to us and something else to
     * whoever reads the whole. */
    if (text.len == 0 || text.len >= sizeof(zero_terminated) || memchr(text.ptr, 0, text.len))
        return false;
    memcpy(zero_terminated, text.ptr, text.len);
    zero_terminated[text.len] = '\0';
    struct gw_ip ip = {0};
    if (inet_pton(AF_INET, zero_terminated, ip.bytes) == 1)
        ip.family = GW_IP_V4;
    else if (inet_pton(AF_INET6, zero_terminated, ip.bytes) == 1)
        ip.family = GW_IP_V6;
    else
        return false;
    *out = ip;
    return true;
}

/* inet_ntop goes through printf: too dear for every request's client address. */
static size_t format_v4(const uint8_t *bytes, char *out)
{
    char *at = out;
    for (int i = 0; i < 4; i++) {
        if (i)
            *at++ = '.';
        if (bytes[i] >= 100)
            *at++ = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            *at++ = (char)('0' + bytes[i] / 10 % 10);
        *at++ = (char)('0' + bytes[i] % 10);
    }
    *at = '\0';
    return (size_t)(at - out);
}

size_t gw_ip_format(const struct gw_ip *ip, char *out)
{
    out[0] = '\0';
    if (ip->family == GW_IP_V4)
        return format_v4(ip->bytes, out);
    if (ip->family == GW_IP_V6)
        inet_ntop(AF_INET6, ip->bytes, out, GW_IP_TEXT_MAX);
    return strlen(out);
}

int gw_ip_cmp(const struct gw_ip *a, const struct gw_ip *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* All sixteen bytes for both families: behind an IPv4 address there are zeros, which stay so. */
struct gw_ip gw_ip_mask(const struct gw_ip *ip, unsigned prefix)
{
    struct gw_ip masked = *ip;
    for (unsigned i = 0; i < sizeof(masked.bytes); i++) {
        unsigned keep = prefix > i * 8 ? prefix - i * 8 : 0;
        if (keep < 8)
            masked.bytes[i] &= (uint8_t)(0xff << (8 - keep));
    }
    return masked;
}

bool gw_cidr_parse(struct gw_str text, bool lenient, struct gw_cidr *out)
{
    size_t slash = gw_str_chr(text, '/');
    struct gw_cidr block;
    if (!gw_ip_parse(gw_str_first(text, slash), &block.ip))
        return false;
    uint64_t prefix = block.ip.family == GW_IP_V4 ? 32 : 128;
    if (slash != GW_NPOS && !gw_str_u64(gw_str_from(text, slash + 1), prefix, &prefix))
        return false;
    block.prefix = (uint8_t)prefix;
    struct gw_ip network = gw_ip_mask(&block.ip, block.prefix);
    if (!lenient && gw_ip_cmp(&network, &block.ip) != 0)
        return false;
    block.ip = network;
    *out = block;
    return true;
}

bool gw_cidr_has(const struct gw_cidr *block, const struct gw_ip *ip)
{
    if (block->ip.family != ip->family)
        return false;
    unsigned whole = block->prefix / 8, rest = block->prefix % 8;
    if (memcmp(block->ip.bytes, ip->bytes, whole) != 0)
        return false;
    /* Behind a prefix of 128 bits there is no byte to look at. */
    return rest == 0 ||
           ((block->ip.bytes[whole] ^ ip->bytes[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

bool gw_ip_is_loopback(const struct gw_ip *ip)
{
    static const struct gw_cidr v4 = {{GW_IP_V4, {127}}, 8};
    static const struct gw_cidr v6 = {{GW_IP_V6, {[15] = 1}}, 128};
    return gw_cidr_has(&v4, ip) || gw_cidr_has(&v6, ip);
}
