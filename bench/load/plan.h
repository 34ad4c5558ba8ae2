/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A load test as it will be run: where to, who, what, when, and what is expected. Whatever it came
 * from (a scenario file, the team's own configuration, the command line), the run sees only this.
 *
 * Invariants: at least one phase, request and identity group; all numbers that point into another
 * array are in range; every text with variables compiles. Owns: everything, through its arena,
 * templates and expectations. Thread: one. */
#include "bench/load/expect.h"
#include "bench/load/identity.h"
#include "bench/load/schedule.h"
#include "bench/load/template.h"
#include "gateway/base/arena.h"
#include "gateway/http/method.h"

#define PLAN_PHASES_MAX   128
#define PLAN_REQUESTS_MAX 256
#define PLAN_GROUPS_MAX   64

struct load_request {
    struct gw_str name, method, path;
    enum http_method method_id;
    struct load_pairs headers, cookies;
    struct gw_str csrf_cookie, csrf_header, csrf_origin; /* cookie empty: no pairing */
    struct gw_str content_type;
    bool has_body;
    struct template body;
    struct template *heads; /* one a group of identities */
};

/* A call to the admin listener: before its phase begins (which waits for what is under way), or
 * while it runs. */
struct load_action {
    struct gw_str method, path, body;
    bool before;
    uint64_t at_us; /* since the phase began */
};

struct load_phase {
    struct gw_str name;
    struct schedule_plan schedule;
    const uint32_t *requests, *weights; /* the mix */
    size_t mix_count;
    const uint32_t *groups, *group_weights; /* who takes part */
    size_t group_count;
    struct load_action *actions;
    size_t action_count;
    bool drain; /* begins only when nothing is under way any more */
    struct gw_str note;
};

struct load_plan {
    struct gw_arena arena;
    struct gw_str name;
    struct gw_str host; /* of the target: a name, an address, "[::1]" */
    uint16_t port;
    bool tls;
    struct gw_str host_header;
    struct gw_str origin;             /* "http://" and the host, for CSRF pairing */
    struct gw_str admin, admin_token; /* "[https://]127.0.0.1:8081"; empty: none */
    uint64_t seed;
    uint32_t connections;
    uint64_t timeout_us;
    struct load_pairs headers; /* of all requests */
    struct load_request *requests;
    size_t request_count;
    struct identity_group *groups;
    size_t group_count;
    uint32_t identities; /* of all groups */
    struct load_phase *phases;
    size_t phase_count;
    struct expectation *expectations;
    size_t expectation_count;
    struct gw_str *notes; /* what people should know about the plan */
    size_t note_count;
};

struct load_plan *load_plan_new(void);
void load_plan_free(struct load_plan *p);
/* Adds a sentence to the notes; copied. */
void load_plan_note(struct load_plan *p, struct gw_str text);
/* Of all phases as planned. */
uint64_t load_plan_duration_us(const struct load_plan *p);
/* "http" or "https". */
const char *load_plan_scheme(const struct load_plan *p);
/* The group that an identity belongs to. */
const struct identity_group *load_plan_group(const struct load_plan *p, uint32_t identity);
/* An expectation needs the count of the origin's requests. */
bool load_plan_asks_origin(const struct load_plan *p);
