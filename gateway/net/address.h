/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where to listen or connect: an IP address and port, or the path of a Unix socket. Thread: any; a
 * plain value. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "gateway/base/ip.h"

struct net_address {
    socklen_t len; /* 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    };
};

#define NET_ADDRESS_TEXT_MAX 128

struct net_address net_address_ip(const struct gw_ip *ip, uint16_t port);
/* -ENAMETOOLONG when the path does not fit sun_path (108 bytes). */
GW_MUST int net_address_unix(struct gw_str path, struct net_address *out);
/* Where to connect, as a person writes it: "127.0.0.1:8081", "[::1]:8081", "localhost:8081",
 * ":8081" or "unix:/path". Nothing is resolved, and port 0 is no place to connect to: false. */
GW_MUST bool net_address_parse(struct gw_str text, struct net_address *out);
/* The same, or that behind "https://": then *host is whom a certificate must name ("localhost"
 * where there is none); else its ptr is NULL. Borrowed from the text. */
GW_MUST bool net_address_parse_https(struct gw_str text, struct net_address *out,
                                     struct gw_str *host);
bool net_address_is_unix(const struct net_address *a);
/* 0 for Unix sockets. */
uint16_t net_address_port(const struct net_address *a);
/* The IP part; IPv4-mapped IPv6 comes back as IPv4. Family GW_IP_NONE for Unix sockets. */
struct gw_ip net_address_to_ip(const struct net_address *a);
/* "192.0.2.1:80", "[2001:db8::1]:80" or "unix:/path", NUL-terminated; returns the length. */
size_t net_address_format(const struct net_address *a, char out[NET_ADDRESS_TEXT_MAX]);
