/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/team_config.h"

#include <inttypes.h>
#include <math.h>

#include "bench/load/units.h"
#include "gateway/base/json_out.h"

#define RUNNER_SHARE 0.8 /* their runner is content with this part of what is expected */

struct convert {
    const struct json_doc *doc;
    struct gw_diags *diags;
    bool strict, failed;
    struct gw_buf *out;
    struct gw_buf identities, phases; /* lists on their way */
};

bool team_config_is(const struct json_doc *doc)
{
    return json_get(json_root(doc), "rateLimitTests") || json_get(json_root(doc), "stressTests");
}

/* ---- reading ---- */

static double number(struct convert *c, const struct json *object, const char *key, double min)
{
    const struct json *v = json_get(object, key);
    if (v && json_type(v) == JSON_NUMBER && json_number(v) >= min && json_number(v) <= 1e6)
        return json_number(v);
    json_error(c->doc, v ? v : object, c->diags, "\"%s\" must be a number from %g", key, min);
    c->failed = true;
    return min;
}

static struct gw_str text(struct convert *c, const struct json *object, const char *key)
{
    struct gw_str s = json_str(json_get(object, key));
    if (!s.len) {
        json_error(c->doc, object, c->diags, "\"%s\" must be a text", key);
        c->failed = true;
    }
    return s;
}

static bool is_true(const struct json *v)
{
    return v && json_type(v) == JSON_BOOL && json_bool(v);
}

/* ---- writing ---- */

/* Names of requests and phases keep to what expectations can say. */
static void add_name(struct gw_str name, struct gw_buf *out)
{
    for (size_t i = 0; i < name.len; i++) {
        char low = gw_lower(name.ptr[i]);
        bool plain = (low >= 'a' && low <= 'z') || gw_is_digit(low) || strchr("_-.", low);
        gw_buf_char(out, plain ? name.ptr[i] : '-');
    }
}

static void add_request(struct convert *c, struct gw_str name, const struct json *v,
                        const char *endpoint_key)
{
    const struct json *body = json_get(v, "body"), *type = json_get(v, "contentType");
    const struct json *method = json_get(v, "method");
    gw_json_next(c->out);
    gw_buf_char(c->out, '"');
    add_name(name, c->out);
    gw_buf_add(c->out, GW_STR("\":{"));
    gw_json_text(c->out, "path", text(c, v, endpoint_key));
    if (method)
        gw_json_text(c->out, "method", json_str(method));
    if (body) {
        gw_json_name(c->out, "body");
        json_write(body, c->out);
    }
    if (type && body)
        gw_json_text(c->out, "content_type", json_str(type));
    if (is_true(json_get(v, "requiresCsrf")))
        gw_json_bool(c->out, "csrf", true);
    gw_buf_char(c->out, '}');
}

/* ---- rateLimitTests ---- */

struct test_case {
    struct gw_str test, name;
    double rate, duration, expected; /* percent */
    uint64_t limit, window_us;
};

/* A fixed window that its first request opens: each holds `limit`, and the next begins with the
 * first request behind its end (spec/limiter.md a1). */
static uint64_t implied_refusals(const struct test_case *t)
{
    double total = ceil(t->rate * t->duration - 1e-9), window_s = (double)t->window_us / 1e6;
    double per_window = fmin(ceil(t->rate * window_s - 1e-9), total), refused = 0;
    for (double left = total; left > 0 && per_window > 0; left -= per_window) {
        double here = fmin(per_window, left);
        refused += fmax(0, here - (double)t->limit);
    }
    return (uint64_t)refused;
}

static void add_note(const struct test_case *t, uint64_t refused, struct gw_buf *out)
{
    uint64_t total = (uint64_t)ceil(t->rate * t->duration - 1e-9);
    double share = total ? 100.0 * (double)refused / (double)total : 0;
    /* Twenty points of slack: a note on every rounding would hide the ones that matter. */
    if (t->expected > 0 && t->expected * RUNNER_SHARE + 20 > share)
        return;
    char space[400];
    struct gw_buf note = gw_buf_over(space, sizeof(space));
    if (t->expected <= 0)
        gw_buf_printf(&note, "expectedRateLimited 0 is checked as got >= 0.8 x 0: nothing can "
                             "fail it, whatever is refused");
    else
        gw_buf_printf(&note, "expectedRateLimited %g is content with %g%%", t->expected,
                      t->expected * RUNNER_SHARE);
    gw_buf_printf(&note,
                  "; %" PRIu64 " in %g s at %g/s for %g s imply %" PRIu64 " of %" PRIu64
                  " refused (%.1f%%): \"429 == %" PRIu64 "\"",
                  t->limit, (double)t->window_us / 1e6, t->rate, t->duration, refused, total, share,
                  refused);
    gw_json_text(out, "note", gw_buf_str(&note));
}

static void add_case(struct convert *c, const struct test_case *t)
{
    uint64_t refused = implied_refusals(t);
    gw_json_next(&c->phases);
    gw_buf_add(&c->phases, GW_STR("{\"name\":\""));
    add_name(t->test, &c->phases);
    gw_buf_char(&c->phases, '/');
    add_name(t->name, &c->phases);
    gw_buf_printf(&c->phases, "\",\"duration\":\"%.6fs\",\"rate\":\"%.6f/s\",\"mix\":\"",
                  t->duration, t->rate);
    add_name(t->test, &c->phases);
    gw_buf_add(&c->phases, GW_STR("\",\"identities\":\""));
    add_name(t->test, &c->phases);
    gw_buf_char(&c->phases, '/');
    add_name(t->name, &c->phases);
    gw_buf_printf(&c->phases, "\",\"expect\":[\"ratio 429 >= %.6g%%\"", RUNNER_SHARE * t->expected);
    if (c->strict)
        gw_buf_printf(&c->phases, ",\"429 == %" PRIu64 "\"", refused);
    gw_buf_char(&c->phases, ']');
    add_note(t, refused, &c->phases);
    gw_buf_char(&c->phases, '}');

    gw_json_next(&c->identities);
    gw_buf_add(&c->identities, GW_STR("{\"name\":\""));
    add_name(t->test, &c->identities);
    gw_buf_char(&c->identities, '/');
    add_name(t->name, &c->identities);
    gw_buf_add(&c->identities, GW_STR("\",\"count\":1}"));
}

static void convert_test(struct convert *c, const struct json *v)
{
    struct test_case t = {.test = json_key(v)};
    const struct json *cases = json_get(v, "testScenarios"), *window = json_get(v, "window");
    t.limit = (uint64_t)number(c, v, "limit", 0);
    if (!window || !units_duration(json_str(window), &t.window_us) || !t.window_us) {
        json_error(c->doc, window ? window : v, c->diags,
                   "\"window\" must be a time such as \"1m\"");
        c->failed = true;
        t.window_us = 60000000;
    }
    add_request(c, t.test, v, "endpoint");
    for (const struct json *s = json_first(cases); s; s = json_next(s)) {
        t.name = text(c, s, "name");
        t.rate = number(c, s, "requestsPerSecond", 0);
        t.duration = number(c, s, "duration", 0);
        t.expected = number(c, s, "expectedRateLimited", 0);
        add_case(c, &t);
    }
}

/* ---- stressTests ---- */

static void begin_stress(struct convert *c, const char *name)
{
    gw_json_next(&c->phases);
    gw_buf_printf(&c->phases, "{\"name\":\"stress/%s\",\"identities\":\"stress\",\"mix\":{", name);
}

static void convert_burst(struct convert *c, const struct json *v)
{
    const struct json *list = json_get(v, "parallelEndpoints");
    const struct json *tests = json_get(json_root(c->doc), "rateLimitTests");
    size_t count = 0;
    begin_stress(c, "burstTraffic");
    for (const struct json *e = json_first(list); e; e = json_next(e), count++) {
        const struct json *known = json_first(tests);
        while (known && !gw_str_eq(json_str(json_get(known, "endpoint")), json_str(e)))
            known = json_next(known);
        gw_json_next(&c->phases);
        gw_buf_char(&c->phases, '"');
        if (known)
            add_name(json_key(known), &c->phases);
        else
            gw_buf_printf(&c->phases, "burst-%zu", count);
        gw_buf_add(&c->phases, GW_STR("\":1"));
        if (known)
            continue;
        gw_json_next(c->out);
        gw_buf_printf(c->out, "\"burst-%zu\":{\"path\":", count);
        gw_buf_json(c->out, json_str(e));
        gw_buf_char(c->out, '}');
    }
    double each = number(c, v, "requestsPerEndpoint", 1);
    gw_buf_printf(&c->phases, "},\"rate\":{\"burst\":%.0f}}", fmax(1, each * (double)count));
}

static void convert_sustained(struct convert *c, const struct json *v)
{
    add_request(c, GW_STR("sustainedLoad"), v, "endpoint");
    begin_stress(c, "sustainedLoad");
    gw_buf_printf(&c->phases, "\"sustainedLoad\":1},\"rate\":\"%.6f/s\",\"duration\":\"%.6fs\"}",
                  number(c, v, "requestsPerSecond", 0), number(c, v, "duration", 0));
}

static void convert_mixed(struct convert *c, const struct json *v)
{
    char name[32];
    size_t count = 0;
    begin_stress(c, "mixedWorkload");
    for (const struct json *w = json_first(json_get(v, "workload")); w; w = json_next(w)) {
        snprintf(name, sizeof(name), "mixed-%zu", ++count);
        add_request(c, gw_str_z(name), w, "endpoint");
        gw_json_next(&c->phases);
        gw_buf_printf(&c->phases, "\"%s\":%.0f", name, number(c, w, "weight", 1));
    }
    gw_buf_printf(&c->phases, "},\"rate\":\"%.6f/s\",\"duration\":\"%.6fs\"}",
                  number(c, v, "totalRequestsPerSecond", 0), number(c, v, "duration", 0));
}

static void convert_stress(struct convert *c)
{
    static const struct {
        const char *key;
        void (*convert)(struct convert *c, const struct json *v);
    } kinds[] = {{"burstTraffic", convert_burst},
                 {"sustainedLoad", convert_sustained},
                 {"mixedWorkload", convert_mixed}};
    const struct json *stress = json_get(json_root(c->doc), "stressTests");
    for (size_t i = 0; i < GW_COUNT(kinds); i++)
        if (json_get(stress, kinds[i].key))
            kinds[i].convert(c, json_get(stress, kinds[i].key));
    gw_json_next(&c->identities);
    gw_buf_add(&c->identities, GW_STR("{\"name\":\"stress\",\"count\":1}"));
}

/* ---- the rest ---- */

static void add_thresholds(struct convert *c)
{
    const struct json *t = json_get(json_root(c->doc), "performanceThresholds");
    gw_buf_add(c->out, GW_STR(",\"expect\":["));
    if (json_get(t, "maxAverageResponseTime"))
        gw_buf_printf(c->out, "\"mean <= %gms\"", number(c, t, "maxAverageResponseTime", 0));
    if (json_get(t, "max95thPercentile")) {
        gw_json_next(c->out);
        gw_buf_printf(c->out, "\"p95 <= %gms\"", number(c, t, "max95thPercentile", 0));
    }
    if (json_get(t, "maxErrorRate")) {
        gw_json_next(c->out);
        gw_buf_printf(c->out, "\"ratio failed <= %g%%\"", 100 * number(c, t, "maxErrorRate", 0));
    }
    gw_buf_add(c->out, GW_STR("],\"notes\":["));
    if (json_get(t, "minRequestsPerSecond"))
        gw_buf_add(c->out, GW_STR("\"minRequestsPerSecond is not checked: requests are sent at the "
                                  "rate each scenario asks for\""));
    if (json_get(t, "maxMemoryUsage") || json_get(t, "maxCpuUsage")) {
        gw_json_next(c->out);
        gw_buf_add(c->out, GW_STR("\"maxMemoryUsage and maxCpuUsage are not checked: a client "
                                  "cannot see them\""));
    }
    gw_buf_char(c->out, ']');
}

static void add_environment(struct convert *c)
{
    const struct json *e = json_get(json_get(json_root(c->doc), "testEnvironments"), "development");
    gw_buf_add(c->out, GW_STR("{\"name\":\"load-test-config\""));
    if (json_str(json_get(e, "baseUrl")).len)
        gw_json_text(c->out, "target", json_str(json_get(e, "baseUrl")));
    if (json_get(e, "timeout"))
        gw_buf_printf(c->out, ",\"timeout\":\"%gms\"", number(c, e, "timeout", 1));
    gw_json_object(c->out, "requests");
}

bool team_config_convert(const struct json_doc *doc, bool strict, struct gw_buf *out,
                         struct gw_diags *diags)
{
    struct convert c = {.doc = doc, .diags = diags, .strict = strict, .out = out};
    gw_buf_init(&c.identities, out->max);
    gw_buf_init(&c.phases, out->max);
    add_environment(&c);
    const struct json *tests = json_get(json_root(doc), "rateLimitTests");
    for (const struct json *t = json_first(tests); t; t = json_next(t))
        convert_test(&c, t);
    convert_stress(&c);
    gw_buf_add(out, GW_STR("},\"identities\":["));
    gw_buf_add(out, gw_buf_str(&c.identities));
    gw_buf_add(out, GW_STR("],\"phases\":["));
    gw_buf_add(out, gw_buf_str(&c.phases));
    gw_buf_char(out, ']');
    add_thresholds(&c);
    gw_buf_add(out, GW_STR("}\n"));
    gw_buf_release(&c.identities);
    gw_buf_release(&c.phases);
    return !c.failed && !out->overflow;
}
