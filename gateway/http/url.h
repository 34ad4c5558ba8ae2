/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Request targets and hosts, and the one normal form that rules and cache key share (RFC 9112
 * section 3.2, RFC 3986; spec/rules-language.md section 5, spec/cache-behaviour.md section 2.14).
 *
 * What is not exactly one of the four forms, or not exactly a host with an optional port, is
 * refused. Nothing is decoded here but what URL normalisation decodes. Owns: nothing; results are
 * slices of the input, or of the arena where something had to change. Thread: any. Limits: a result
 * is at most three times its input; the arena's ceiling answers false. */
#include "gateway/base/arena.h"

enum url_form {
    URL_ORIGIN_FORM,    /* /path?query */
    URL_ABSOLUTE_FORM,  /* http://host/path?query */
    URL_AUTHORITY_FORM, /* host:port, CONNECT only */
    URL_ASTERISK_FORM   /* *, OPTIONS only */
};

struct url {
    enum url_form form;
    struct gw_str scheme;    /* "http" or "https" as sent; empty unless absolute */
    struct gw_str authority; /* raw; absolute and authority form */
    struct gw_str path;      /* starts with "/"; "*" or empty in the last two forms */
    struct gw_str query;     /* without "?" */
    bool has_query;          /* tells "/a?" from "/a" */
};

/* `connect`: the method is CONNECT, which has the authority form and no other. */
GW_MUST bool url_parse(struct gw_str target, bool connect, struct url *out);

struct url_host {
    struct gw_str name; /* lower case, without a final dot; IPv6 in brackets */
    uint16_t port;      /* 0: none given */
};

/* A Host value or an authority: a DNS name, IPv4 or bracketed IPv6, then an optional port. No
 * userinfo, no percent-encoding, no empty name. */
GW_MUST bool url_host_parse(struct gw_str authority, struct gw_arena *arena, struct url_host *out);

enum url_normalization { URL_AS_IS, URL_RFC3986, URL_CLOUDFLARE };

/* rfc3986: escapes of unreserved bytes decoded, hex digits of the others upper case, bytes that may
 * not stand in a URL escaped, dot segments removed. cloudflare: first "\" becomes "/" and runs of
 * "/" become one. A "%" that starts no escape becomes "%25", or decoding what follows could make an
 * escape of it. When nothing changes (one scan), *out is the
 * input. Normalising twice changes nothing. */
GW_MUST bool url_normalize_path(struct gw_str path, enum url_normalization mode,
                                struct gw_arena *arena, struct gw_str *out);
/* The same without what concerns slashes and dots. */
GW_MUST bool url_normalize_query(struct gw_str query, enum url_normalization mode,
                                 struct gw_arena *arena, struct gw_str *out);

/* The last segment. */
struct gw_str url_path_basename(struct gw_str path);
/* Text behind the last dot of the last segment, case as sent; empty for "/a", "/.mp3", "/a.". */
struct gw_str url_path_extension(struct gw_str path);

/* Cuts the next byte off percent-encoded text that is not empty. A broken escape stands for itself.
 */
static inline char url_next_decoded(struct gw_str *text)
{
    char c = text->ptr[0];
    size_t used = 1;
    if (c == '%' && text->len >= 3 && gw_hex_value(text->ptr[1]) >= 0 &&
        gw_hex_value(text->ptr[2]) >= 0) {
        c = (char)(gw_hex_value(text->ptr[1]) << 4 | gw_hex_value(text->ptr[2]));
        used = 3;
    }
    *text = gw_str_from(*text, used);
    return c;
}
/* %XX becomes its byte, and "+" a space when asked; broken escapes stay. *out is the input when
 * nothing changes. */
GW_MUST bool url_decode(struct gw_str text, bool plus_is_space, struct gw_arena *arena,
                        struct gw_str *out);
/* Walks `a=1&b&c=`: false at the end. Nothing is decoded; empty items are skipped; a name without
 * "=" has an empty value. */
bool url_query_next(struct gw_str *rest, struct gw_str *name, struct gw_str *value);
