/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/scenario.h"

#include "bench/load/scenario_private.h"
#include "bench/load/target.h"

#define CONNECTIONS_DEFAULT 1000
#define TIMEOUT_US_DEFAULT  10000000

/* ---- expectations ---- */

static void collect_names(const struct load_plan *p, struct gw_str *requests, struct gw_str *phases,
                          struct expect_names *out)
{
    for (size_t i = 0; i < p->request_count; i++)
        requests[i] = p->requests[i].name;
    for (size_t i = 0; i < p->phase_count; i++)
        phases[i] = p->phases[i].name;
    *out = (struct expect_names){requests, phases, p->request_count, p->phase_count};
}

/* Requests at the origin can only be told apart by phase if nothing is under way at its ends. */
static void drain_around(struct load_plan *p, uint32_t phase)
{
    p->phases[phase].drain = true;
    if (phase + 1 < p->phase_count)
        p->phases[phase + 1].drain = true;
}

static bool add_expectation(struct load_plan *p, struct gw_str text, uint32_t phase,
                            struct expect_mistake *mistake)
{
    struct gw_str requests[PLAN_REQUESTS_MAX], phases[PLAN_PHASES_MAX];
    struct expect_names names;
    struct expectation e;
    text = gw_str(gw_arena_dupz(&p->arena, text), text.len);
    collect_names(p, requests, phases, &names);
    if (!expect_parse(text, &names, &e, mistake))
        return false;
    if (e.phase == EXPECT_NONE)
        e.phase = phase;
    if (e.kind == EXPECT_ORIGIN && e.phase != EXPECT_NONE)
        drain_around(p, e.phase);
    p->expectations =
        gw_realloc(p->expectations, (p->expectation_count + 1) * sizeof(*p->expectations));
    p->expectations[p->expectation_count++] = e;
    return true;
}

void scenario_expectations(struct reader *r, const struct json *v, uint32_t phase)
{
    struct expect_mistake m;
    if (json_type(v) != JSON_ARRAY) {
        read_error(r, v, "must be a list of expectations");
        return;
    }
    for (const struct json *e = json_first(v); e; e = json_next(e)) {
        if (json_type(e) != JSON_STRING)
            read_error(r, e, "must be an expectation such as \"429 >= 25\"");
        else if (!add_expectation(r->plan, json_str(e), phase, &m))
            gw_diag_at(r->diags, GW_DIAG_ERROR, json_source(r->doc),
                       json_string_offset(r->doc, e, m.at), m.width, "%s", m.text);
    }
}

bool scenario_expect(struct load_plan *plan, struct gw_str text, struct gw_diags *diags)
{
    const struct gw_source source = {"--expect", text};
    struct expect_mistake m;
    if (add_expectation(plan, text, EXPECT_NONE, &m))
        return true;
    gw_diag_at(diags, GW_DIAG_ERROR, &source, m.at, m.width, "%s", m.text);
    return false;
}

/* ---- the whole ---- */

static void read_target(struct reader *r, const struct json *v, void *field)
{
    struct load_plan *p = field;
    struct load_target target;
    struct gw_str url = GW_STR_EMPTY;
    const char *why;
    read_text(r, v, &url);
    if (!url.len)
        return;
    if (!load_target_parse(url, &target, &why)) {
        read_error(r, v, "%s", why);
        return;
    }
    p->host = target.host;
    p->port = target.port;
    p->tls = target.tls;
    if (!p->host_header.len)
        p->host_header = target.authority;
}

static void read_seed(struct reader *r, const struct json *v, void *field)
{
    int64_t seed;
    if (json_int(v, 0, INT64_MAX / 4096, &seed))
        *(uint64_t *)field = (uint64_t)seed;
    else
        read_error(r, v, "must be a whole number from 0");
}

static void read_notes(struct reader *r, const struct json *v, void *field)
{
    if (json_type(v) != JSON_ARRAY)
        read_error(r, v, "must be a list of texts");
    for (const struct json *m = json_first(v); m; m = json_next(m))
        load_plan_note(field, json_str(m));
}

static void read_expect(struct reader *r, const struct json *v, void *field)
{
    (void)field;
    scenario_expectations(r, v, EXPECT_NONE);
}

/* The order of the table is the order of reading: "host" before "target", which names the host only
 * when nobody else has; names of requests, identities and phases before what refers to them. */
static const struct read_field fields[] = {
    {"name", read_text, offsetof(struct load_plan, name), false},
    {"host", read_value, offsetof(struct load_plan, host_header), false},
    {"target", read_target, 0, false},
    {"origin", read_value, offsetof(struct load_plan, origin), false},
    {"admin", read_text, offsetof(struct load_plan, admin), false},
    {"seed", read_seed, offsetof(struct load_plan, seed), false},
    {"connections", read_count, offsetof(struct load_plan, connections), false},
    {"timeout", read_duration, offsetof(struct load_plan, timeout_us), false},
    {"headers", read_headers, offsetof(struct load_plan, headers), false},
    {"identities", scenario_identities, 0, false},
    {"notes", read_notes, 0, false},
    {"requests", scenario_requests, 0, true},
    {"phases", scenario_phases, 0, true},
    {"expect", read_expect, 0, false},
    {0}};

void scenario_load(const struct json_doc *doc, const char *base, struct load_plan *plan,
                   struct gw_diags *diags)
{
    struct reader r = {.doc = doc, .diags = diags, .plan = plan, .base = base};
    plan->connections = CONNECTIONS_DEFAULT;
    plan->timeout_us = TIMEOUT_US_DEFAULT;
    plan->seed = 1;
    if (!json_get(json_root(doc), "identities"))
        scenario_nobody(plan);
    read_object(&r, json_root(doc), fields, plan);
}
