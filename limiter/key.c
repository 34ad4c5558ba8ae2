/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/key.h"

#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/buf.h"
#include "gateway/base/diag.h"
#include "gateway/base/hash.h"
#include "gateway/http/cookie.h"

#define HASHED_TAIL 33 /* "~" and 32 hex digits */

enum part_kind {
    PART_TEXT,
    PART_IP,
    PART_USER,
    PART_HOST,
    PART_PATH,
    PART_COOKIE,
    PART_HEADER,
};

struct part {
    enum part_kind kind;
    uint8_t prefix;    /* PART_IP: network bits, 0: the whole address */
    struct gw_str arg; /* literal text, or the name of a cookie or header; into key->text */
};

struct limiter_key {
    char text[LIMITER_KEY_MAX];
    struct part parts[LIMITER_KEY_PARTS_MAX];
    size_t count;
};

/* ---- compiling ---- */

static const struct {
    const char *name;
    enum part_kind kind;
    bool named; /* takes ":NAME" */
} part_names[] = {
    {"ip", PART_IP, false},     {"user", PART_USER, false},    {"host", PART_HOST, false},
    {"path", PART_PATH, false}, {"cookie", PART_COOKIE, true}, {"header", PART_HEADER, true},
};

GW_PRINTF(4, 5)
static bool fail(struct limiter_key_error *error, size_t at, size_t width, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error->message, sizeof(error->message), fmt, args);
    va_end(args);
    error->at = at;
    error->width = width ? width : 1;
    return false;
}

static bool read_prefix(struct gw_str bits, size_t at, struct part *part,
                        struct limiter_key_error *error)
{
    uint64_t prefix;
    if (!gw_str_u64(bits, 128, &prefix) || prefix == 0)
        return fail(error, at, bits.len, "\"%.*s\" is not a number of network bits (1 to 128)",
                    GW_STR_ARG(gw_str_first(bits, 40)));
    part->prefix = (uint8_t)prefix;
    return true;
}

/* `body` is what stands between "${" and "}", at byte `at` of the template. */
static bool read_part(struct gw_str body, size_t at, struct part *part,
                      struct limiter_key_error *error)
{
    size_t colon = gw_str_chr(body, ':'), slash = gw_str_chr(body, '/');
    size_t name_len = gw_min_size(gw_min_size(colon, slash), body.len);
    struct gw_str name = gw_str_first(body, name_len);
    for (size_t i = 0; i < GW_COUNT(part_names); i++) {
        if (!gw_str_eq(name, gw_str_z(part_names[i].name)))
            continue;
        part->kind = part_names[i].kind;
        part->arg = gw_str_from(body, name_len + 1);
        if (part->kind == PART_IP && slash == name_len)
            return read_prefix(part->arg, at + name_len + 1, part, error);
        if (part_names[i].named && (colon != name_len || !header_name_valid(part->arg)))
            return fail(error, at, body.len, "${%s:NAME} needs a name", part_names[i].name);
        if (!part_names[i].named && name_len != body.len)
            return fail(error, at, body.len, "${%s} takes nothing more", part_names[i].name);
        return true;
    }
    static const char *const known[] = {"ip",   "ip/24",       "ip/64",       "user", "host",
                                        "path", "cookie:NAME", "header:NAME", NULL};
    const char *nearest = gw_nearest(body, known);
    return fail(error, at, body.len, "unknown key part \"%.*s\"%s%s%s",
                GW_STR_ARG(gw_str_first(body, 40)), nearest ? "; did you mean ${" : "",
                nearest ? nearest : "", nearest ? "}?" : "");
}

static bool compile(struct limiter_key *key, struct gw_str text, struct limiter_key_error *error)
{
    for (size_t at = 0; at < text.len;) {
        if (key->count == LIMITER_KEY_PARTS_MAX)
            return fail(error, at, text.len - at, "more than %d parts", LIMITER_KEY_PARTS_MAX);
        struct part *part = &key->parts[key->count++];
        size_t open = gw_str_find(gw_str_from(text, at), GW_STR("${"));
        if (open != 0) {
            size_t len = gw_min_size(open, text.len - at);
            *part = (struct part){.kind = PART_TEXT, .arg = gw_str(text.ptr + at, len)};
            at += len;
            continue;
        }
        struct gw_str body = gw_str_from(text, at + 2);
        size_t close = gw_str_chr(body, '}');
        if (close == GW_NPOS)
            return fail(error, at, text.len - at, "\"${\" without \"}\"");
        *part = (struct part){0};
        if (!read_part(gw_str_first(body, close), at + 2, part, error))
            return false;
        at += close + 3;
    }
    return true;
}

struct limiter_key *limiter_key_compile(struct gw_str text, struct limiter_key_error *error)
{
    if (text.len == 0 || text.len > LIMITER_KEY_MAX) {
        fail(error, 0, text.len, "a key template has 1 to %d bytes", LIMITER_KEY_MAX);
        return NULL;
    }
    struct limiter_key *key = gw_zalloc(sizeof(*key));
    memcpy(key->text, text.ptr, text.len);
    if (compile(key, gw_str(key->text, text.len), error))
        return key;
    limiter_key_free(key);
    return NULL;
}

void limiter_key_free(struct limiter_key *key)
{
    free(key);
}

/* ---- rendering ---- */

/* The address as text: whole, or its network when the template asks for one (see the header for
 * what a prefix means to the other family). */
static struct gw_str address_text(const struct limiter_subject *who, unsigned prefix, char *scratch)
{
    bool is_v4 = who->ip.family == GW_IP_V4;
    if (prefix > 0 && prefix <= 32 && !is_v4)
        prefix = 64;
    bool whole = prefix == 0 || who->ip.family == GW_IP_NONE || prefix >= (is_v4 ? 32 : 128);
    if (whole && who->ip_text.len)
        return who->ip_text;
    if (whole)
        return gw_str(scratch, gw_ip_format(&who->ip, scratch));
    struct gw_ip network = gw_ip_mask(&who->ip, prefix);
    size_t len = gw_ip_format(&network, scratch);
    scratch[len++] = '/';
    return gw_str(scratch, len + gw_u64_digits(scratch + len, prefix));
}

/* What a request does not bring is empty, and all who do not bring it are one; only the user has a
 * word of the app's own for it (spec/limiter.md a1). */
static struct gw_str part_text(const struct part *part, const struct limiter_subject *who,
                               char *scratch)
{
    struct gw_str value = GW_STR_EMPTY;
    switch (part->kind) {
    case PART_TEXT:
        return part->arg;
    case PART_IP:
        return address_text(who, part->prefix, scratch);
    case PART_USER:
        return who->user.len ? who->user : GW_STR("anonymous");
    case PART_HOST:
        return who->host;
    case PART_PATH:
        return who->path;
    case PART_COOKIE:
        if (!who->headers || !cookie_find(who->headers, part->arg, &value))
            return GW_STR_EMPTY;
        return value;
    case PART_HEADER: {
        const struct gw_str *found = who->headers ? headers_find(who->headers, part->arg) : NULL;
        return found ? *found : GW_STR_EMPTY;
    }
    }
    return value;
}

/* The key did not fit: what was written so far keeps its beginning, the end becomes a hash over
 * all parts. The hash has a fixed key, because several processes share one Redis; whoever finds a
 * collision shares a budget with himself, since the beginning is part of the key. */
static struct gw_str hash_tail(const struct limiter_key *key, const struct limiter_subject *who,
                               char *out)
{
    uint64_t a = 0x6e6561726564, b = 0x6765;
    char scratch[GW_IP_TEXT_MAX + 8];
    for (size_t i = 0; i < key->count; i++) {
        struct gw_str text = part_text(&key->parts[i], who, scratch);
        uint64_t next = gw_siphash(text, a, b + i);
        b = gw_siphash(text, b, a + i);
        a = next;
    }
    static const char digits[] = "0123456789abcdef";
    char *at = out + LIMITER_KEY_MAX - HASHED_TAIL;
    *at++ = '~';
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = digits[a >> shift & 15];
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = digits[b >> shift & 15];
    return gw_str(out, LIMITER_KEY_MAX);
}

struct gw_str limiter_key_render(const struct limiter_key *key, const struct limiter_subject *who,
                                 char out[LIMITER_KEY_MAX])
{
    char scratch[GW_IP_TEXT_MAX + 8];
    size_t len = 0;
    for (size_t i = 0; i < key->count; i++) {
        struct gw_str text = part_text(&key->parts[i], who, scratch);
        size_t take = gw_min_size(text.len, LIMITER_KEY_MAX - len);
        if (take)
            memcpy(out + len, text.ptr, take);
        len += take;
        /* Never cut alone: visitors choose these values, and two long ones must not share a budget.
         */
        if (gw_unlikely(take < text.len))
            return hash_tail(key, who, out);
    }
    return gw_str(out, len);
}
