/* SPDX-License-Identifier: Apache-2.0 */
/* The `ratelimit` member of http_ratelimit rules (spec/api-v4.md section 3.3): typed and checked
 * here, not simulated yet. */
#include "config/rules/rule_read.h"

#define SECONDS_MAX  86400
#define REQUESTS_MAX ((int64_t)1 << 40)

static const char *const keys[] = {
    "characteristics",
    "period",
    "requests_per_period",
    "mitigation_timeout",
    "requests_to_origin",
    "counting_expression",
    "score_per_period",
    "score_response_header_name",
    NULL,
};

static bool number(struct report *r, const struct json *object, const char *key, int64_t least,
                   int64_t most)
{
    int64_t value;
    const struct json *v = report_member(r, object, key, JSON_NUMBER);
    if (v && !json_int(v, least, most, &value)) {
        size_t back = report_enter(r, gw_str_z(key));
        report_error(r, v, REPORT_OTHER, "\"%s\" must be a number from %lld to %lld", key,
                     (long long)least, (long long)most);
        report_leave(r, back);
    }
    return v != NULL;
}

static void characteristics(struct report *r, const struct json *object)
{
    const struct json *v = report_member(r, object, "characteristics", JSON_ARRAY);
    if (!v || json_count(v) == 0) {
        report_error(r, v ? v : object, REPORT_OTHER,
                     "\"characteristics\" must be a list of strings");
        return;
    }
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        if (json_type(item) != JSON_STRING || json_str(item).len == 0)
            report_error(r, item, REPORT_OTHER, "must be a string that is not empty");
    }
}

static void counting(struct rule_reader *reader, const struct json *object, struct rule *out)
{
    struct report *r = reader->report;
    const struct json *v = report_member(r, object, "counting_expression", JSON_STRING);
    if (!v || json_str(v).len == 0) /* empty: the rule's own expression counts */
        return;
    if (r->options->plan < CONFIG_PLAN_BUSINESS)
        report_error(r, v, REPORT_OTHER,
                     "not entitled: the use of counting_expression is not allowed, a Business plan "
                     "is required");
    else
        out->counting = rule_read_expression(reader, v, RULES_COUNTING, "counting_expression");
}

void rule_read_ratelimit(struct rule_reader *reader, const struct json *v, struct rule *out)
{
    struct report *r = reader->report;
    const struct json *limit = report_member(r, v, "ratelimit", JSON_OBJECT);
    size_t back = report_enter(r, GW_STR("ratelimit"));
    if (!limit) {
        report_error(r, v, REPORT_OTHER, "\"ratelimit\" is required in phase http_ratelimit");
        report_leave(r, back);
        return;
    }
    report_unknown(r, limit, keys);
    characteristics(r, limit);
    bool period = number(r, limit, "period", 1, SECONDS_MAX);
    bool requests = number(r, limit, "requests_per_period", 1, REQUESTS_MAX);
    bool score = number(r, limit, "score_per_period", 1, REQUESTS_MAX);
    (void)number(r, limit, "mitigation_timeout", 0, SECONDS_MAX);
    (void)report_member(r, limit, "requests_to_origin", JSON_BOOL);
    (void)report_member(r, limit, "score_response_header_name", JSON_STRING);
    if (!period || (!requests && !score))
        report_error(r, limit, REPORT_OTHER, "\"period\" and \"requests_per_period\" are required");
    counting(reader, limit, out);
    report_leave(r, back);
}
