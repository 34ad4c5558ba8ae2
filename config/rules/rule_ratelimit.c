/* SPDX-License-Identifier: Apache-2.0 */
/* The members of http_ratelimit rules: `ratelimit` and action_parameters.response
 * (spec/limiter.md section b5, spec/api-v4.md section 3.3). What depends on the plan stands in the
 * tables here; sentences in quotes of Cloudflare's are those the API was seen to answer. */
#include "config/rules/rate_limit.h"
#include "config/rules/rule_read.h"
#include "gateway/http/secret_name.h"

#define REQUESTS_MAX ((int64_t)1 << 40)
#define TIMEOUT_MAX  86400
#define HEADER_FIELD "http.request.headers[\""

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

/* Seconds that periods and timeouts may have, and how many of them each plan has. */
static const uint32_t supported[] = {10,  15,  20,  30,  40,   45,   60,   90,   120,   180,  240,
                                     300, 480, 600, 900, 1200, 1800, 2400, 3600, 65535, 86400};
static const uint32_t longest_period[] = {10, 60, 600, 65535};
static const uint32_t longest_timeout[] = {10, 3600, TIMEOUT_MAX, TIMEOUT_MAX};

struct limit_reader {
    struct rule_reader *reader;
    struct report *report;
    const struct json *object;
    struct rule *rule;
    struct rate_limit *out;
    enum config_plan plan;
    bool has_period;
};

/* An error at a member, or at the object when it is not there. */
static void refuse(struct limit_reader *lr, const char *key, int code, const char *sentence)
{
    const struct json *v = json_get(lr->object, key);
    size_t back = report_enter(lr->report, gw_str_z(key));
    report_error(lr->report, v ? v : lr->object, code, "%s", sentence);
    report_leave(lr->report, back);
}

/* Whether the member is there; *out keeps its value when it is not, or wrong. */
static bool read_number(struct limit_reader *lr, const char *key, int64_t least, int64_t most,
                        int64_t *out)
{
    char sentence[128];
    const struct json *v = report_member(lr->report, lr->object, key, JSON_NUMBER);
    if (v && !json_int(v, least, most, out)) {
        snprintf(sentence, sizeof(sentence), "\"%s\" must be a number from %lld to %lld", key,
                 (long long)least, (long long)most);
        refuse(lr, key, REPORT_OTHER, sentence);
    }
    return v != NULL;
}

/* ---- period and timeout ---- */

static bool is_among(int64_t seconds, uint32_t longest)
{
    for (size_t i = 0; i < GW_COUNT(supported); i++)
        if (supported[i] == seconds)
            return seconds <= longest;
    return false;
}

/* "not entitled to use the period 60, can only use a period among [10]" */
static void refuse_seconds(struct limit_reader *lr, const char *key, const char *what,
                           int64_t seconds, uint32_t longest)
{
    char sentence[256];
    struct gw_buf text = gw_buf_over(sentence, sizeof(sentence));
    gw_buf_printf(&text, "not entitled to use the %s %lld, can only use a %s among [", what,
                  (long long)seconds, what);
    for (size_t i = 0; i < GW_COUNT(supported) && supported[i] <= longest; i++)
        gw_buf_printf(&text, "%s%u", i ? ", " : "", supported[i]);
    gw_buf_add(&text, GW_STR("]"));
    gw_buf_char(&text, '\0');
    refuse(lr, key, REPORT_OTHER, sentence);
}

static void read_period(struct limit_reader *lr)
{
    int64_t seconds = 0;
    lr->has_period = read_number(lr, "period", 1, TIMEOUT_MAX, &seconds);
    if (seconds && !is_among(seconds, longest_period[lr->plan]))
        refuse_seconds(lr, "period", "period", seconds, longest_period[lr->plan]);
    lr->out->period_ms = (uint64_t)seconds * 1000;
}

/* Throttling with a challenge is for everybody below Enterprise the only way, with other actions it
 * is Enterprise's alone; Enterprise may name any time. */
static void check_timeout(struct limit_reader *lr, int64_t seconds)
{
    static const char key[] = "mitigation_timeout";
    if (lr->plan == CONFIG_PLAN_ENTERPRISE)
        return;
    if (lr->out->action == RATE_CHALLENGE) {
        if (seconds)
            refuse(lr, key, REPORT_OTHER,
                   "not entitled to use a mitigation timeout different from 0 with a challenge");
    } else if (lr->plan == CONFIG_PLAN_FREE) {
        if (seconds != 10)
            refuse(lr, key, REPORT_OTHER,
                   "not entitled to use a mitigation timeout different from 10");
    } else if (!is_among(seconds, longest_timeout[lr->plan])) {
        refuse_seconds(lr, key, "mitigation timeout", seconds, longest_timeout[lr->plan]);
    }
}

static void read_timeout(struct limit_reader *lr)
{
    int64_t seconds = 0; /* what the API fills in */
    (void)read_number(lr, "mitigation_timeout", 0, TIMEOUT_MAX, &seconds);
    check_timeout(lr, seconds);
    lr->out->timeout_ms = (uint64_t)seconds * 1000;
}

/* ---- characteristics ---- */

/* cf.unique_visitor_id tells visitors behind one address apart by a cookie of Cloudflare's; without
 * it all there is is the address. */
static bool is_address(struct gw_str text)
{
    return gw_str_eq(text, GW_STR("ip.src")) || gw_str_eq(text, GW_STR("cf.unique_visitor_id"));
}

static const char *forbidden(const struct limit_reader *lr, struct gw_str text)
{
    if (is_address(text))
        return text.ptr[0] == 'c' && lr->plan < CONFIG_PLAN_BUSINESS ? "a Business plan is required"
                                                                     : NULL;
    return lr->plan < CONFIG_PLAN_ENTERPRISE ? "an Advanced Rate Limiting plan is required" : NULL;
}

/* The edge knows header names in lower case only: such a counter would be one for all. */
static bool has_upper_header(struct gw_str text)
{
    if (!gw_str_starts(text, GW_STR(HEADER_FIELD)))
        return false;
    struct gw_str name = gw_str_from(text, sizeof(HEADER_FIELD) - 1);
    name = gw_str_first(name, gw_str_chr(name, '"'));
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != gw_lower(name.ptr[i]))
            return true;
    return false;
}

static void read_characteristic(struct limit_reader *lr, const struct json *v,
                                struct rate_characteristic *out)
{
    struct report *r = lr->report;
    struct gw_str text = json_str(v);
    const char *needed = forbidden(lr, text);
    out->text = gw_arena_dup(lr->reader->arena, text);
    out->secret = is_secret_name(text);
    if (needed)
        report_error(r, v, REPORT_OTHER,
                     "not entitled: the use of characteristic %.*s is not allowed, %s",
                     GW_STR_ARG(gw_str_first(text, 200)), needed);
    else if (has_upper_header(text))
        report_error(r, v, REPORT_OTHER,
                     "'%.*s' is not a valid value for characteristics because header names are "
                     "written in lower case",
                     GW_STR_ARG(gw_str_first(text, 200)));
    else if (!is_address(text))
        out->value = rule_read_key(lr->reader, v, "characteristics");
    else if (text.ptr[0] == 'c')
        json_warn(r->doc, v, r->diags,
                  "cf.unique_visitor_id is simulated as the client's address: visitors behind one "
                  "address share a counter");
}

/* cf.colo.id is in the key of every counter; the others are kept. */
static void read_item(struct limit_reader *lr, const struct json *v, bool *has_colo,
                      struct rate_characteristic *list)
{
    if (json_type(v) != JSON_STRING || json_str(v).len == 0)
        report_error(lr->report, v, REPORT_OTHER, "must be a string that is not empty");
    else if (gw_str_eq(json_str(v), GW_STR("cf.colo.id")))
        *has_colo = true;
    else if (lr->out->characteristic_count < RATE_CHARACTERISTICS_MAX)
        read_characteristic(lr, v, &list[lr->out->characteristic_count++]);
    else
        report_error(lr->report, v, REPORT_OTHER, "there are more than %d characteristics",
                     RATE_CHARACTERISTICS_MAX);
}

static bool counts_by(const struct rate_limit *rate, struct gw_str text)
{
    for (size_t i = 0; i < rate->characteristic_count; i++)
        if (gw_str_eq(rate->characteristics[i].text, text))
            return true;
    return false;
}

static void read_characteristics(struct limit_reader *lr)
{
    struct report *r = lr->report;
    const struct json *v = report_member(r, lr->object, "characteristics", JSON_ARRAY);
    struct rate_characteristic *list =
        gw_arena_zalloc(lr->reader->arena, RATE_CHARACTERISTICS_MAX * sizeof(*list));
    bool has_colo = false;
    lr->out->characteristics = list;
    if (!v || json_count(v) == 0) {
        report_error(r, v ? v : lr->object, REPORT_OTHER,
                     "\"characteristics\" must be a list of strings");
        return;
    }
    size_t back = report_enter(r, GW_STR("characteristics"));
    for (const struct json *item = json_first(v); item; item = json_next(item))
        read_item(lr, item, &has_colo, list);
    if (!has_colo)
        report_error(r, v, REPORT_CHARACTERISTICS,
                     "characteristics field is missing 'cf.colo.id', this is required as "
                     "ratelimiting counting is processed at colocation level only");
    if (counts_by(lr->out, GW_STR("ip.src")) && counts_by(lr->out, GW_STR("cf.unique_visitor_id")))
        report_error(r, v, REPORT_OTHER,
                     "'cf.unique_visitor_id' is not a valid value for characteristics because it "
                     "cannot be combined with 'ip.src'");
    report_leave(r, back);
}

/* ---- what is counted ---- */

static void read_counting(struct limit_reader *lr)
{
    struct report *r = lr->report;
    const struct json *v = report_member(r, lr->object, "counting_expression", JSON_STRING);
    if (!v || json_str(v).len == 0) /* empty: the rule's own expression counts */
        return;
    if (lr->plan < CONFIG_PLAN_BUSINESS)
        report_error(r, v, REPORT_OTHER,
                     "not entitled: the use of counting_expression is not allowed, a Business plan "
                     "is required");
    else
        lr->rule->counting =
            rule_read_expression(lr->reader, v, RULES_COUNTING, "counting_expression");
    lr->out->counting = lr->rule->counting;
}

/* Requests, or the complexity that the origin says (1 to RATE_SCORE_MAX for each). */
static void read_threshold(struct limit_reader *lr)
{
    struct report *r = lr->report;
    int64_t requests = 0, score = 0;
    bool has_requests = read_number(lr, "requests_per_period", 1, REQUESTS_MAX, &requests);
    bool has_score = read_number(lr, "score_per_period", 1, REQUESTS_MAX, &score);
    const struct json *header =
        report_member(r, lr->object, "score_response_header_name", JSON_STRING);
    lr->out->limit = (uint64_t)(has_score ? score : requests);
    if (!lr->has_period || (!has_requests && !has_score))
        report_error(r, lr->object, REPORT_OTHER,
                     "\"period\" and \"requests_per_period\" are required");
    else if (has_requests && has_score)
        refuse(lr, "score_per_period", REPORT_OTHER,
               "\"score_per_period\" and \"requests_per_period\" exclude each other");
    else if (has_score != (header && json_str(header).len))
        report_error(r, lr->object, REPORT_OTHER,
                     "\"score_per_period\" and \"score_response_header_name\" need each other");
    else if (has_score && lr->plan < CONFIG_PLAN_ENTERPRISE)
        refuse(lr, "score_per_period", REPORT_OTHER,
               "not entitled: the use of score_per_period is not allowed, an Advanced Rate "
               "Limiting plan is required");
    else if (has_score)
        lr->out->score_header = gw_arena_dup(lr->reader->arena, json_str(header));
}

static void find_moment(struct limit_reader *lr)
{
    const struct json *origin =
        report_member(lr->report, lr->object, "requests_to_origin", JSON_BOOL);
    struct rate_limit *out = lr->out;
    out->to_origin = origin && json_bool(origin);
    if (out->score_header.len || (out->counting && expr_needs_response(out->counting)))
        out->moment = RATE_AT_RESPONSE;
    else
        out->moment = out->to_origin ? RATE_AT_ORIGIN : RATE_AT_REQUEST;
}

/* ---- the action ---- */

static enum rate_action action_of(struct gw_str name)
{
    return gw_str_eq(name, GW_STR("block")) ? RATE_BLOCK
           : gw_str_eq(name, GW_STR("log")) ? RATE_LOG
                                            : RATE_CHALLENGE;
}

static void warn_challenge(struct limit_reader *lr, const struct json *rule)
{
    const struct json *action = json_get(rule, "action");
    if (lr->out->action == RATE_CHALLENGE && action)
        json_warn(lr->report->doc, action, lr->report->diags,
                  "%.*s is simulated as a page with status 403 that nobody can solve",
                  GW_STR_ARG(lr->rule->action));
}

static void read_response(struct report *r, const struct json *v, struct rule_reader *reader,
                          struct rate_limit *out)
{
    static const char *const known[] = {"status_code", "content", "content_type", NULL};
    static const char *const types[] = {"application/json", "text/html", "text/xml", "text/plain",
                                        NULL};
    int64_t status = 429;
    report_unknown(r, v, known);
    const struct json *code = report_member(r, v, "status_code", JSON_NUMBER);
    const struct json *content = report_member(r, v, "content", JSON_STRING);
    const struct json *type = report_member(r, v, "content_type", JSON_STRING);
    if (code && !json_int(code, 400, 499, &status))
        report_error(r, code, REPORT_OTHER, "\"status_code\" must be a number from 400 to 499");
    if (content && json_str(content).len > RATE_CONTENT_MAX)
        report_error(r, content, REPORT_OTHER, "\"content\" is larger than %zu bytes",
                     RATE_CONTENT_MAX);
    out->response.status = (uint16_t)status;
    out->response.content = content ? gw_arena_dup(reader->arena, json_str(content)) : GW_STR_EMPTY;
    out->response.content_type = GW_STR("text/html");
    for (size_t i = 0; type && types[i]; i++) {
        if (gw_str_eq(json_str(type), gw_str_z(types[i]))) {
            out->response.content_type = gw_str_z(types[i]);
            return;
        }
    }
    if (type)
        report_error(r, type, REPORT_OTHER,
                     "'%.*s' is not a valid value for content_type because it must be "
                     "application/json, text/html, text/xml or text/plain",
                     GW_STR_ARG(gw_str_first(json_str(type), 100)));
}

static void read_parameters(struct limit_reader *lr, const struct json *rule)
{
    static const char *const block[] = {"response", NULL}, *const none[] = {NULL};
    struct report *r = lr->report;
    const struct json *params = report_member(r, rule, "action_parameters", JSON_OBJECT);
    lr->out->response.status = 429;
    if (!params)
        return;
    size_t back = report_enter(r, GW_STR("action_parameters"));
    report_unknown(r, params, lr->out->action == RATE_BLOCK ? block : none);
    const struct json *response = report_member(r, params, "response", JSON_OBJECT);
    if (response) {
        size_t inner = report_enter(r, GW_STR("response"));
        read_response(r, response, lr->reader, lr->out);
        report_leave(r, inner);
    }
    report_leave(r, back);
}

void rule_read_ratelimit(struct rule_reader *reader, const struct json *v, struct rule *out)
{
    struct report *r = reader->report;
    struct limit_reader lr = {.reader = reader,
                              .report = r,
                              .object = report_member(r, v, "ratelimit", JSON_OBJECT),
                              .rule = out,
                              .out = gw_arena_zalloc(reader->arena, sizeof(*lr.out)),
                              .plan = r->options->plan};
    out->rate = lr.out;
    lr.out->action = action_of(out->action);
    read_parameters(&lr, v);
    size_t back = report_enter(r, GW_STR("ratelimit"));
    if (!lr.object) {
        report_error(r, v, REPORT_OTHER, "\"ratelimit\" is required in phase http_ratelimit");
        report_leave(r, back);
        return;
    }
    report_unknown(r, lr.object, keys);
    read_characteristics(&lr);
    read_period(&lr);
    read_threshold(&lr);
    read_timeout(&lr);
    read_counting(&lr);
    find_moment(&lr);
    report_leave(r, back);
    warn_challenge(&lr, v);
}
