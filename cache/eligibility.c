/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/eligibility.h"

#include <endian.h>

#include "gateway/http/url.h"

#define EXTENSION_MAX 5

/* Section 2.1, sorted, padded with NUL so that entries compare as numbers. */
static const char static_extensions[][8] = {
    "7z",   "apk",  "avi",  "avif",  "bin", "bmp",  "bz2",  "class", "css", "csv", "dmg",  "doc",
    "docx", "ejs",  "eot",  "eps",   "exe", "flac", "gif",  "gz",    "ico", "iso", "jar",  "jpeg",
    "jpg",  "js",   "mid",  "midi",  "mkv", "mp3",  "mp4",  "ogg",   "otf", "pdf", "pict", "pls",
    "png",  "ppt",  "pptx", "ps",    "rar", "svg",  "svgz", "swf",   "tar", "tif", "tiff", "ttf",
    "webm", "webp", "woff", "woff2", "xls", "xlsx", "zip",  "zst"};

/* Proxied, but not cached unless a rule adds them (section 4.6). */
static const uint16_t uncached_ports[] = {2052, 2053, 2082, 2083, 2086,
                                          2087, 2095, 2096, 8443, 8880};

/* In the order of the alphabet. */
static uint64_t as_number(const char padded[8])
{
    uint64_t number;
    memcpy(&number, padded, sizeof(number));
    return be64toh(number);
}

bool cache_extension_is_static(struct gw_str extension)
{
    char folded[8] = {0};
    if (extension.len == 0 || extension.len > EXTENSION_MAX)
        return false;
    for (size_t i = 0; i < extension.len; i++)
        folded[i] = gw_lower(extension.ptr[i]);
    uint64_t wanted = as_number(folded);
    size_t low = 0, high = GW_COUNT(static_extensions);
    while (low < high) {
        size_t middle = (low + high) / 2;
        uint64_t entry = as_number(static_extensions[middle]);
        if (wanted == entry)
            return true;
        if (wanted < entry)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static bool port_is_cached(uint16_t port, const struct cache_policy *policy)
{
    bool listed = false;
    for (size_t i = 0; i < GW_COUNT(uncached_ports); i++)
        listed |= uncached_ports[i] == port;
    if (!listed)
        return true;
    const struct cache_settings *rule =
        cache_settings_get(policy->rules, CACHE_SETTING_ADDITIONAL_CACHEABLE_PORTS);
    for (size_t i = 0; rule && i < rule->port_count; i++)
        if (rule->ports[i] == port)
            return true;
    return false;
}

static struct cache_eligibility yes(enum cache_reason reason)
{
    return (struct cache_eligibility){true, reason};
}

static struct cache_eligibility no(enum cache_reason reason)
{
    return (struct cache_eligibility){false, reason};
}

/* No rule has said anything: cache level and extension decide. */
static struct cache_eligibility by_default(const struct cache_request *request,
                                           const struct config_settings *zone)
{
    if (zone->cache_level == CONFIG_CACHE_BYPASS)
        return no(CACHE_REASON_LEVEL_BYPASS);
    if (zone->cache_level == CONFIG_CACHE_BASIC && request->query.len)
        return no(CACHE_REASON_LEVEL_BASIC);
    if (cache_extension_is_static(url_path_extension(request->path)))
        return yes(CACHE_REASON_EXTENSION);
    if (gw_str_eq(request->path, GW_STR("/robots.txt")))
        return yes(CACHE_REASON_ROBOTS);
    return no(CACHE_REASON_NOT_STATIC);
}

/* In the order of section 1.1: the first that applies decides, and is the reason that explain and
 * the log name. */
struct cache_eligibility cache_eligible(const struct cache_request *request,
                                        const struct cache_policy *policy)
{
    if (request->method != METHOD_GET && request->method != METHOD_HEAD)
        return no(CACHE_REASON_METHOD);
    if (policy->zone->settings.development_mode)
        return no(CACHE_REASON_DEVELOPMENT_MODE);
    if (request->upgrade)
        return no(CACHE_REASON_UPGRADE);
    if (!port_is_cached(request->port, policy))
        return no(CACHE_REASON_PORT);
    const struct cache_settings *rule = cache_settings_get(policy->rules, CACHE_SETTING_CACHE);
    if (rule)
        return rule->cache ? yes(CACHE_REASON_RULE_ON) : no(CACHE_REASON_RULE_OFF);
    return by_default(request, &policy->zone->settings);
}
