/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Parts of a snapshot that mean something without the rest: where requests go, and settings that
 * the API has changed. Thread: as the snapshot's. */
#include "config/zone.h"

struct expr;
struct servers;

/* One place where requests may go: the origin of a zone or of one of its origin rules. */
struct snapshot_origin {
    const struct config_origin *config;
    struct servers *servers;  /* their state is the process's */
    struct gw_str zone, name; /* for people: "origin", or the rule's */
    size_t number;            /* within the zone, for metrics: 0 is its own */
};
struct snapshot_origin_rule {
    const struct config_origin_rule *config;
    struct expr *expr;
    size_t origin; /* in snapshot.origins */
};

/* Settings that the API has changed (spec/api-v4.md section 5). */
enum snapshot_setting {
    SETTING_CACHE_LEVEL,
    SETTING_BROWSER_CACHE_TTL,
    SETTING_DEVELOPMENT_MODE,
    SETTING_ALWAYS_ONLINE,
    SETTING_SORT_QUERY,
    SETTING_SSL,
    SETTING_ALWAYS_USE_HTTPS,
    SETTING_COUNT
};
struct snapshot_settings {
    struct config_zone *zones;           /* two copies: as changed, and without development mode */
    uint64_t modified_ms[SETTING_COUNT]; /* 0: as in the configuration */
    uint64_t development_until_ms;       /* wall clock; 0: for good */
};
