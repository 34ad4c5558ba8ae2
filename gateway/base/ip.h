/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* IP addresses and blocks. IPv4 and IPv6 never mix: ::/0 holds no IPv4 address, and an IPv4-mapped
 * address is IPv6 (spec/rules-language.md section 2.2). The listener unmaps peers of dual-stack
 * sockets before they get here. Thread: any; plain values. */
#include "gateway/base/str.h"

enum gw_ip_family { GW_IP_NONE = 0, GW_IP_V4 = 4, GW_IP_V6 = 6 };

struct gw_ip {
    uint8_t family;    /* enum gw_ip_family */
    uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct gw_cidr {
    struct gw_ip ip;
    uint8_t prefix; /* bits */
};

#define GW_IP_TEXT_MAX 46

/* Strict: dotted quad without leading zeros, or RFC 4291 text without zone. */
GW_MUST bool gw_ip_parse(struct gw_str text, struct gw_ip *out);
/* RFC 5952 text into out[GW_IP_TEXT_MAX]; returns its length. */
size_t gw_ip_format(const struct gw_ip *ip, char *out);
/* Orders by family, then by value. */
int gw_ip_cmp(const struct gw_ip *a, const struct gw_ip *b);
/* The address with all bits behind `prefix` cleared. */
struct gw_ip gw_ip_mask(const struct gw_ip *ip, unsigned prefix);

/* "192.0.2.0/24", or a single address. Host bits may be set when `lenient`. */
GW_MUST bool gw_cidr_parse(struct gw_str text, bool lenient, struct gw_cidr *out);
bool gw_cidr_has(const struct gw_cidr *block, const struct gw_ip *ip);
/* 127.0.0.0/8 or ::1. */
bool gw_ip_is_loopback(const struct gw_ip *ip);
