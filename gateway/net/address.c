/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

struct net_address net_address_ip(const struct gw_ip *ip, uint16_t port)
{
    struct net_address a = {0};
    if (ip->family == GW_IP_V4) {
        a.len = sizeof(a.v4);
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons(port);
        memcpy(&a.v4.sin_addr, ip->bytes, 4);
    } else {
        a.len = sizeof(a.v6);
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons(port);
        memcpy(&a.v6.sin6_addr, ip->bytes, 16);
    }
    return a;
}

int net_address_unix(struct gw_str path, struct net_address *out)
{
    struct net_address a = {0};
    if (path.len >= sizeof(a.un.sun_path))
        return -ENAMETOOLONG;
    a.len = sizeof(a.un);
    a.un.sun_family = AF_UNIX;
    memcpy(a.un.sun_path, path.ptr, path.len);
    *out = a;
    return 0;
}

bool net_address_parse(struct gw_str text, struct net_address *out)
{
    uint64_t port;
    struct gw_ip ip;
    if (gw_str_starts(text, GW_STR("unix:")))
        return text.len > 5 && net_address_unix(gw_str_from(text, 5), out) == 0;
    size_t colon = gw_str_rchr(text, ':');
    if (colon == GW_NPOS || !gw_str_u64(gw_str_from(text, colon + 1), UINT16_MAX, &port) || !port)
        return false;
    struct gw_str host = gw_str_first(text, colon);
    if (host.len == 0 || gw_str_ieq(host, GW_STR("localhost")))
        host = GW_STR("127.0.0.1");
    else if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = gw_str(host.ptr + 1, host.len - 2);
    if (!gw_ip_parse(host, &ip))
        return false;
    *out = net_address_ip(&ip, (uint16_t)port);
    return true;
}

bool net_address_parse_https(struct gw_str text, struct net_address *out, struct gw_str *host)
{
    static const struct gw_str scheme = {"https://", 8}, local = {"localhost", 9};
    bool secure = gw_str_starts(text, scheme);
    if (secure)
        text = gw_str_from(text, scheme.len);
    *host = GW_STR_EMPTY;
    if (!net_address_parse(text, out))
        return false;
    if (!secure)
        return true;
    struct gw_str name = gw_str_first(text, gw_str_rchr(text, ':'));
    if (name.len && name.ptr[0] == '[')
        name = gw_str(name.ptr + 1, name.len - 2);
    *host = net_address_is_unix(out) || !name.len ? local : name;
    return true;
}

bool net_address_is_unix(const struct net_address *a)
{
    return a->any.sa_family == AF_UNIX;
}

uint16_t net_address_port(const struct net_address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohs(a->v4.sin_port);
    return a->any.sa_family == AF_INET6 ? ntohs(a->v6.sin6_port) : 0;
}

/* A socket that was handed over may take both families and shows visitors of IPv4 as ::ffff:1.2.3.4
 * (RFC 4291 section 2.5.5.2): rules, limits and logs are to see one address. */
struct gw_ip net_address_to_ip(const struct net_address *a)
{
    struct gw_ip ip = {0};
    if (a->any.sa_family == AF_INET) {
        ip.family = GW_IP_V4;
        memcpy(ip.bytes, &a->v4.sin_addr, 4);
    } else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
        ip.family = GW_IP_V4;
        memcpy(ip.bytes, a->v6.sin6_addr.s6_addr + 12, 4);
    } else if (a->any.sa_family == AF_INET6) {
        ip.family = GW_IP_V6;
        memcpy(ip.bytes, &a->v6.sin6_addr, 16);
    }
    return ip;
}

size_t net_address_format(const struct net_address *a, char out[NET_ADDRESS_TEXT_MAX])
{
    if (net_address_is_unix(a))
        return (size_t)snprintf(out, NET_ADDRESS_TEXT_MAX, "unix:%s", a->un.sun_path);
    char ip_text[GW_IP_TEXT_MAX];
    struct gw_ip ip = net_address_to_ip(a);
    gw_ip_format(&ip, ip_text);
    if (ip.family == GW_IP_V6)
        return (size_t)snprintf(out, NET_ADDRESS_TEXT_MAX, "[%s]:%u", ip_text, net_address_port(a));
    return (size_t)snprintf(out, NET_ADDRESS_TEXT_MAX, "%s:%u", ip_text, net_address_port(a));
}
