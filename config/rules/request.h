/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What expressions see of an exchange: a read-only view that the gateway fills once, and derived
 * values (full URI, cookies, arguments …) that are computed when the first expression asks and then
 * kept: a request pays only for the fields its rules name.
 *
 * Invariants: all slices outlive the view. An empty slice is the value "", never "missing"; only
 * map keys, array items and function results can be missing (spec/rules-language.md section 7).
 * Thread: one. Owns: nothing; derived values live in `scratch`, which the caller clears afterwards.
 * Limits: what does not fit into the scratch arena's ceiling reads as missing. Time: wall_ms is the
 * caller's instant. */
#include "config/rules/value.h"
#include "gateway/base/arena.h"

struct headers; /* gateway/http/headers.h */

/* Slots of the lazily computed values. */
enum rules_derived {
    RULES_URI,
    RULES_RAW_URI,
    RULES_FULL_URI,
    RULES_RAW_FULL_URI,
    RULES_EXTENSION,
    RULES_RAW_EXTENSION,
    RULES_BASENAME,
    RULES_ARGS,
    RULES_ARG_NAMES,
    RULES_ARG_VALUES,
    RULES_RAW_ARGS,
    RULES_RAW_ARG_NAMES,
    RULES_RAW_ARG_VALUES,
    RULES_COOKIES,
    RULES_HEADERS,
    RULES_HEADER_NAMES,
    RULES_HEADER_VALUES,
    RULES_COOKIE_LINE,
    RULES_REFERER,
    RULES_USER_AGENT,
    RULES_FORWARDED_FOR,
    RULES_LANGUAGES,
    RULES_RESPONSE_HEADERS, /* those from here on belong to the response */
    RULES_RESPONSE_HEADER_NAMES,
    RULES_RESPONSE_HEADER_VALUES,
    RULES_MEDIA_TYPE,
    RULES_DERIVED_COUNT,
};

/* How the visitor's connection is encrypted, in Cloudflare's words: "TLSv1.3",
 * "AEAD-AES128-GCM-SHA256". Both empty without TLS, or where something in front of this edge ends
 * it. */
struct rules_tls {
    struct gw_str version, cipher;
};

struct rules_request {
    struct gw_str method;              /* upper case */
    struct gw_str version;             /* "HTTP/1.1" */
    struct gw_str host;                /* lower case, without port */
    struct gw_str path;                /* normalised as the zone says, starts with "/" */
    struct gw_str query;               /* likewise, without "?" */
    struct gw_str raw_path, raw_query; /* as they came; ptr NULL: the same as path and query */
    bool https;
    struct rules_tls tls;
    bool bot; /* a verified bot: cf.client.bot */
    bool headers_truncated;
    const struct headers *headers;
    struct gw_ip client_ip, server_ip;
    struct gw_str country, continent; /* two letters, upper case */
    uint32_t asnum;
    uint16_t edge_port; /* as the visitor sees it */
    uint64_t wall_ms;   /* since the epoch */
    struct gw_str ray_id;
    struct gw_str zone_name;

    int response_code; /* with response_headers: response phases only */
    const struct headers *response_headers;

    struct gw_arena *scratch;
    uint32_t derived_known;              /* bit per enum rules_derived */
    uint64_t shared_known, shared_value; /* tests that several rules share, by slot */
    struct rules_value derived[RULES_DERIVED_COUNT];
};

/* A view without any fact: the caller sets those it has. `scratch` is borrowed; an arena with a
 * lent block of 4 KiB spares every usual request the heap. */
void rules_request_init(struct rules_request *r, struct gw_arena *scratch);
/* Adds the origin's answer for the response phases. */
void rules_request_response(struct rules_request *r, int code, const struct headers *headers);
