/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a load test goes: the URL, whether that may be, and an address that answers.
 *
 * A load test aimed at the wrong host is an attack, so only loopback is taken for granted; any
 * other host must be named by --allow-host, letter for letter. Thread: one; resolving blocks. */
#include "gateway/net/address.h"

struct tls_client;

struct load_target {
    bool tls;           /* https:// */
    struct gw_str host; /* without brackets; a slice of the URL */
    uint16_t port;
    struct gw_str authority; /* as a Host header says it */
    struct gw_str path;      /* with query; "/" when the URL has none */
};

/* False with a sentence in *why (static). */
GW_MUST bool load_target_parse(struct gw_str url, struct load_target *out, const char **why);
/* localhost, 127.0.0.0/8, ::1. */
bool load_target_is_loopback(struct gw_str host);
/* The first address of the host that takes a connection. 0, or a negative error of the last one. */
GW_MUST int load_target_resolve(struct gw_str host, uint16_t port, struct net_address *out);
/* The same over TLS (NULL: without). *why gets what is wrong with a handshake, or NULL; static. */
GW_MUST int load_target_reach(struct gw_str host, uint16_t port, struct tls_client *tls,
                              struct net_address *out, const char **why);
