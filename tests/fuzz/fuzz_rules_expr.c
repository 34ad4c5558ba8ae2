/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever an expression says, it is refused with a place inside it, or it gives the same answer
 * evaluated and traced, and is not true when lint says that it never is. The last line of the
 * input, if there are several, is the request's query: functions and searches see bytes that nobody
 * chose. */
#include <assert.h>

#include "config/rules/lint.h"
#include "gateway/http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct headers *h, struct gw_str name, struct gw_str value)
{
    if (!headers_add(h, name, value))
        abort();
}

static void on_step(void *ctx, const struct expr_step *step)
{
    const struct expr *e = ctx;
    struct gw_str text = expr_text(e);
    assert(step->text.ptr >= text.ptr);
    assert(step->text.ptr + step->text.len <= text.ptr + text.len);
    assert(step->depth > 0 || step->decided);
}

static void on_finding(void *ctx, const struct lint_finding *f)
{
    assert(f->offset + f->width <= expr_text(ctx).len && f->text[0]);
}

static void evaluate(const struct expr *e, struct gw_str query)
{
    struct gw_arena arena;
    struct headers headers;
    struct rules_request r;
    gw_arena_init(&arena, NULL, 0, 8 << 20);
    headers_init(&headers, &arena, 20);
    add(&headers, GW_STR("Cookie"), GW_STR("a=1; %62=2; a=3; session_id="));
    add(&headers, GW_STR("X-Role"), GW_STR("admin"));
    add(&headers, GW_STR("x-role"), query);
    rules_request_init(&r, &arena);
    r.method = GW_STR("GET");
    r.host = GW_STR("ci.hub-evolution.com");
    r.path = GW_STR("/de/kurse/index.html");
    r.query = query;
    r.headers = &headers;
    r.client_ip.family = GW_IP_V4;
    bool value = expr_eval(e, &r);
    assert(expr_trace(e, &r, on_step, (void *)e) == value);
    assert(!lint_expression(e, on_finding, (void *)e) || !value);
    gw_arena_clear(&arena);
}

static void refused(const struct expr_error *err, struct gw_str text)
{
    struct gw_buf report;
    gw_buf_init(&report, 1 << 20);
    assert(err->reason[0]);
    assert(err->offset + err->width <= text.len);
    expr_error_report(err, text, &report);
    expr_error_message(err, text, "expression", &report);
    gw_buf_release(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str text = gw_str((const char *)data, size), query = GW_STR("a=1&b=%7B%22&a=2");
    size_t newline = gw_str_rchr(text, '\n');
    if (newline != GW_NPOS) {
        query = gw_str_from(text, newline + 1);
        text.len = newline;
    }
    for (int phase = RULES_CACHE_REQUEST; phase <= RULES_COUNTING; phase++) {
        struct expr_options options = {.plan = CONFIG_PLAN_ENTERPRISE,
                                       .phase = (enum rules_phase)phase,
                                       .cookie_array_as_first = phase % 2,
                                       .missing_ne = phase / 2};
        struct expr_error err;
        struct expr *e = expr_compile(text, &options, &err);
        if (e)
            evaluate(e, query);
        else
            refused(&err, text);
        expr_free(e);
    }
    return 0;
}
