/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The fields of the Rules language: name, type, where the value comes from, who may use it
 * (spec/rules-language.md section 5). Fields that this edge has no source for are accepted, have
 * the value of an absent fact ("" or 0) and are reported as not simulated. Thread: static data. */
#include "config/rules/phase.h"
#include "config/rules/request.h"
#include "config/zone.h"

enum field_source {
    FIELD_TEXT,    /* a slice of the request view at `at` */
    FIELD_RAW,     /* raw_path or raw_query, or what they default to */
    FIELD_DERIVED, /* lazily computed: `at` is its enum rules_derived */
    FIELD_ADDRESS, /* a struct gw_ip at `at` */
    FIELD_FLAG,    /* a bool at `at` */
    FIELD_NUMBER,  /* computed: `at` is an enum field_number */
    FIELD_TRUE,    /* the constant */
    FIELD_UNKNOWN, /* not simulated */
};
enum field_number { NUMBER_ASNUM, NUMBER_PORT, NUMBER_SECONDS, NUMBER_MILLIS, NUMBER_STATUS };

struct rules_field {
    const char *name;
    struct rules_type type;
    uint8_t source; /* enum field_source */
    uint16_t at;
    uint8_t plan;      /* the least enum config_plan in cache phases */
    uint8_t rate_plan; /* likewise in http_ratelimit */
    bool response;     /* needs the origin's answer */
};

/* NULL when there is no such field. */
const struct rules_field *rules_field_find(struct gw_str name);
/* At most `max` names; how many. */
size_t rules_field_names(const char **names, size_t max);
struct rules_value rules_field_value(const struct rules_field *f, struct rules_request *r);
