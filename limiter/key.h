/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a limiter counts by: a template such as "${ip}:${user}", compiled once, rendered for each
 * request into the logical key (spec/limiter.md a1: the app's is "<ip>:<user>").
 *
 * Parts: ${ip}, ${ip/N}, ${user}, ${cookie:NAME}, ${header:NAME}, ${host}, ${path}; anything else
 * is literal. A cookie, header or host that is absent renders as nothing, an absent user as
 * "anonymous". ${ip/N} renders the network ("192.0.2.0/24"). N up to 32 speaks of IPv4, and IPv6
 * clients are then cut at /64, the smallest network one subscriber gets; a larger N speaks of IPv6
 * and leaves IPv4 whole. So one template serves both families and neither can hop addresses.
 *
 * Owns: the template its copy of the text. Thread: immutable after compiling.
 * Limits: LIMITER_KEY_PARTS_MAX parts, a template of LIMITER_KEY_MAX bytes, a key likewise: a
 * longer key keeps its beginning and ends in "~" and 32 hex digits, a hash of the whole that is
 * the same in every process. */
#include "gateway/base/ip.h"

struct headers;

#define LIMITER_KEY_MAX       512 /* Workers KV's ceiling for keys too */
#define LIMITER_KEY_PARTS_MAX 16

/* The request as a key sees it. All borrowed for the call. */
struct limiter_subject {
    struct gw_ip ip;
    struct gw_str ip_text; /* the same as text; empty: formatted when needed */
    struct gw_str user;    /* empty: anonymous */
    struct gw_str host;
    struct gw_str path;
    const struct headers *headers; /* NULL: none */
};

struct limiter_key_error {
    size_t at, width; /* bytes of the template */
    char message[160];
};

struct limiter_key;

/* NULL and *error filled when the template is malformed. */
GW_MUST struct limiter_key *limiter_key_compile(struct gw_str text,
                                                struct limiter_key_error *error);
void limiter_key_free(struct limiter_key *key);
/* The key, in `out`; no allocation. */
struct gw_str limiter_key_render(const struct limiter_key *key, const struct limiter_subject *who,
                                 char out[LIMITER_KEY_MAX]);
