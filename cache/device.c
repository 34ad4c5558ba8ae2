/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/device.h"

/* The documented patterns, case-insensitive, mobile first:
 *
 *   mobile  phone|windows\s+phone|ipod|blackberry|(android|bb\d+|meego|silk|googlebot) .+? mobile
 *           |palm|windows\s+ce|opera mini|avantgo|mobilesafari|docomo|kaios
 *   tablet  ipad|playbook|(android|bb\d+|meego|silk)(?! .+? mobile)
 *
 * "phone" covers "windows phone". Once the mobile pattern has failed, the look-ahead of the tablet
 * pattern cannot fail any more, so the bare platform names are enough there. */
static const char *const mobile_words[] = {"phone",        "ipod",    "blackberry",
                                           "palm",         "avantgo", "opera mini",
                                           "mobilesafari", "docomo",  "kaios"};
static const char *const platforms[] = {"android", "bb", "meego", "silk", "googlebot"};
static const char *const tablet_words[] = {"ipad", "playbook", "android", "meego", "silk"};

static bool has_any(struct gw_str agent, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (gw_str_find(agent, gw_str_z(words[i])) != GW_NPOS)
            return true;
    return false;
}

/* The text behind the next `word` in *rest (which moves on), or false. */
static bool skip_past(struct gw_str *rest, struct gw_str word)
{
    size_t at = gw_str_find(*rest, word);
    if (at == GW_NPOS)
        return false;
    *rest = gw_str_from(*rest, at + word.len);
    return true;
}

/* bb\d+ : *rest moves behind the digits. */
static bool skip_past_bb(struct gw_str *rest)
{
    while (skip_past(rest, GW_STR("bb"))) {
        size_t digits = gw_str_digits(*rest);
        if (digits) {
            *rest = gw_str_from(*rest, digits);
            return true;
        }
    }
    return false;
}

static bool platform_is_mobile(struct gw_str agent, struct gw_str platform)
{
    bool numbered = gw_str_eq(platform, GW_STR("bb"));
    struct gw_str rest = agent;
    while (numbered ? skip_past_bb(&rest) : skip_past(&rest, platform)) {
        if (!gw_str_starts(rest, GW_STR(" ")))
            continue;
        /* the space, at least one byte, then " mobile" */
        return gw_str_find(gw_str_from(rest, 2), GW_STR(" mobile")) != GW_NPOS;
    }
    return false;
}

static bool is_windows_ce(struct gw_str agent)
{
    struct gw_str rest = agent;
    while (skip_past(&rest, GW_STR("windows"))) {
        struct gw_str next = gw_str_trim(rest);
        if (next.ptr != rest.ptr && gw_str_starts(next, GW_STR("ce")))
            return true;
    }
    return false;
}

static bool is_mobile(struct gw_str agent)
{
    if (has_any(agent, mobile_words, GW_COUNT(mobile_words)) || is_windows_ce(agent))
        return true;
    for (size_t i = 0; i < GW_COUNT(platforms); i++)
        if (platform_is_mobile(agent, gw_str_z(platforms[i])))
            return true;
    return false;
}

static bool is_tablet(struct gw_str agent)
{
    return has_any(agent, tablet_words, GW_COUNT(tablet_words)) || skip_past_bb(&agent);
}

enum cache_device cache_device_of(struct gw_str user_agent)
{
    char folded[CACHE_USER_AGENT_MAX];
    struct gw_str agent = gw_str(folded, gw_min_size(user_agent.len, sizeof(folded)));
    for (size_t i = 0; i < agent.len; i++)
        folded[i] = gw_lower(user_agent.ptr[i]);
    if (is_mobile(agent))
        return CACHE_DEVICE_MOBILE;
    return is_tablet(agent) ? CACHE_DEVICE_TABLET : CACHE_DEVICE_DESKTOP;
}

struct gw_str cache_device_name(enum cache_device device)
{
    switch (device) {
    case CACHE_DEVICE_MOBILE:
        return GW_STR("mobile");
    case CACHE_DEVICE_TABLET:
        return GW_STR("tablet");
    case CACHE_DEVICE_DESKTOP:
        break;
    }
    return GW_STR("desktop");
}
