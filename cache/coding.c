/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/coding.h"

#include "gateway/http/cache_control.h"
#include "gateway/http/quality.h"

/* Below these a coded body is no smaller (section 7.3). */
#define GZIP_MIN   48
#define BROTLI_MIN 50

/* The types that Cloudflare's documents list, sorted. */
static const char *const compressible_types[] = {
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/font-woff",
    "application/geo+json",
    "application/graphql+json",
    "application/javascript",
    "application/javascript-binast",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/opentype",
    "application/otf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.api+json",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-protobuf",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/otf",
    "font/ttf",
    "font/x-woff",
    "image/svg+xml",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "multipart/bag",
    "multipart/mixed",
    "text/css",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/x-component",
    "text/x-java-source",
    "text/x-markdown",
    "text/x-script",
    "text/xml",
};

static int by_name(const void *type, const void *entry)
{
    struct gw_str a = *(const struct gw_str *)type, b = gw_str_z(*(const char *const *)entry);
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int order = (unsigned char)gw_lower(a.ptr[i]) - (unsigned char)b.ptr[i];
        if (order)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static struct gw_str media_type(const struct headers *response)
{
    const struct gw_str *value = headers_get(response, HEADER_CONTENT_TYPE);
    return value ? gw_str_trim(gw_str_first(*value, gw_str_chr(*value, ';'))) : GW_STR_EMPTY;
}

/* Types and statuses of section 7.3. Others come as they came: images are coded already, and of
 * errors few are large. */
static bool is_compressible(struct gw_str type, uint16_t status)
{
    return (status == 200 || status == 403 || status == 404) &&
           bsearch(&type, compressible_types, GW_COUNT(compressible_types), sizeof(char *),
                   by_name);
}

static enum cache_coding coding_of(const struct headers *response)
{
    size_t at = 0;
    if (!headers_has(response, HEADER_CONTENT_ENCODING))
        return CACHE_CODING_IDENTITY;
    struct gw_str name = *headers_next(response, HEADER_CONTENT_ENCODING, &at);
    /* Coded twice: passed on, never opened. */
    if (headers_next(response, HEADER_CONTENT_ENCODING, &at))
        return CACHE_CODING_OTHER;
    if (gw_str_ieq(name, GW_STR("gzip")) || gw_str_ieq(name, GW_STR("x-gzip")))
        return CACHE_CODING_GZIP;
    if (gw_str_ieq(name, GW_STR("br")))
        return CACHE_CODING_BROTLI;
    return name.len == 0 || gw_str_ieq(name, GW_STR("identity")) ? CACHE_CODING_IDENTITY
                                                                 : CACHE_CODING_OTHER;
}

/* RFC 9110 section 7.7. The edge's own control header counts too: a response rule writes it. */
static bool forbids_transforming(const struct headers *response)
{
    static const enum header_id fields[] = {HEADER_CACHE_CONTROL, HEADER_CDN_CACHE_CONTROL,
                                            HEADER_CLOUDFLARE_CDN_CACHE_CONTROL};
    for (size_t i = 0; i < GW_COUNT(fields); i++)
        if (headers_has(response, fields[i]) &&
            cache_control_read(response, fields[i]).flags & CC_NO_TRANSFORM)
            return true;
    return false;
}

struct cache_content cache_content_of(uint16_t status, const struct headers *response)
{
    struct gw_str type = media_type(response);
    bool bodyless = status < 200 || status == 204 || status == 304;
    return (struct cache_content){
        .coding = (uint8_t)coding_of(response),
        .compressible = is_compressible(type, status),
        /* A part of a coded body is no coded body; events would wait in a compressor's buffer. */
        .fixed = bodyless || status == 206 || gw_str_ieq(type, GW_STR("text/event-stream")) ||
                 forbids_transforming(response),
    };
}

/* ---- what the client takes ---- */

struct cache_accepted cache_accepted_codings(const struct headers *request)
{
    const unsigned unnamed = UINT32_MAX;
    unsigned gzip = unnamed, brotli = unnamed, others = 0;
    size_t at = 0;
    /* RFC 9110 section 12.5.3 would allow any coding then; who says nothing is a script that
     * expects plain text. */
    if (!headers_has(request, HEADER_ACCEPT_ENCODING))
        return (struct cache_accepted){0};
    for (const struct gw_str *line; (line = headers_next(request, HEADER_ACCEPT_ENCODING, &at));) {
        struct gw_str rest = *line, item;
        while (gw_str_next(&rest, ',', &item)) {
            size_t semicolon = gw_str_chr(item, ';');
            struct gw_str name = gw_str_trim(gw_str_first(item, semicolon));
            unsigned quality = quality_read(gw_str_from(item, semicolon));
            if (gw_str_ieq(name, GW_STR("gzip")) || gw_str_ieq(name, GW_STR("x-gzip")))
                gzip = quality;
            else if (gw_str_ieq(name, GW_STR("br")))
                brotli = quality;
            else if (gw_str_eq(name, GW_STR("*")))
                others = quality;
        }
    }
    return (struct cache_accepted){gzip == unnamed ? others : gzip,
                                   brotli == unnamed ? others : brotli};
}

/* ---- the choice ---- */

bool cache_respects_strong_etags(const struct cache_policy *policy)
{
    const struct cache_settings *rule =
        cache_settings_get(policy->rules, CACHE_SETTING_RESPECT_STRONG_ETAGS);
    return rule && rule->respect_strong_etags;
}

static bool takes(struct cache_accepted a, enum cache_coding coding)
{
    return coding == CACHE_CODING_GZIP ? a.gzip : coding == CACHE_CODING_BROTLI ? a.brotli : true;
}

/* The best coding for a body of this length. The client's order counts before the plan's default
 * (section 7.3; of the three defaults zstd is not ours). */
static enum cache_coding preferred(struct cache_accepted a, uint64_t length, enum config_plan plan)
{
    bool gzip = a.gzip && length >= GZIP_MIN, brotli = a.brotli && length >= BROTLI_MIN;
    if (gzip && brotli && a.gzip == a.brotli)
        return plan == CONFIG_PLAN_ENTERPRISE ? CACHE_CODING_GZIP : CACHE_CODING_BROTLI;
    if (brotli && (!gzip || a.brotli > a.gzip))
        return CACHE_CODING_BROTLI;
    return gzip ? CACHE_CODING_GZIP : CACHE_CODING_IDENTITY;
}

/* The table of section 2.10. With strong tags kept nothing is coded here, since the tag would no
 * longer be that of these bytes; a body that the client cannot read is opened all the same. */
struct cache_recoding cache_recoding_for(const struct cache_content *content, uint64_t length,
                                         const struct headers *request,
                                         const struct cache_policy *policy)
{
    enum cache_coding stored = content->coding;
    struct cache_recoding as_it_is = {stored, stored};
    if (content->fixed || stored == CACHE_CODING_OTHER ||
        (stored == CACHE_CODING_IDENTITY && !content->compressible))
        return as_it_is;
    struct cache_accepted accepted = cache_accepted_codings(request);
    bool strong = cache_respects_strong_etags(policy);
    enum cache_coding best = CACHE_CODING_IDENTITY;
    if (content->compressible && !strong)
        best = preferred(accepted, stored ? CACHE_LENGTH_UNKNOWN : length, policy->zone->plan);
    if (stored == CACHE_CODING_IDENTITY)
        return (struct cache_recoding){stored, best};
    /* Brotli is never exchanged for something larger, gzip only for brotli. */
    bool better = stored == CACHE_CODING_GZIP && best == CACHE_CODING_BROTLI;
    return takes(accepted, stored) && !better ? as_it_is : (struct cache_recoding){stored, best};
}

struct gw_str cache_coding_name(enum cache_coding coding)
{
    return coding == CACHE_CODING_GZIP     ? GW_STR("gzip")
           : coding == CACHE_CODING_BROTLI ? GW_STR("br")
                                           : GW_STR_EMPTY;
}
