/* SPDX-License-Identifier: Apache-2.0 */
/* "phases": when, what, who, and what is expected of it. */
#include "bench/load/scenario_private.h"

static bool find_name(struct reader *r, const struct json *v, struct gw_str name, bool of_groups,
                      uint32_t *out)
{
    const struct load_plan *p = r->plan;
    const char *candidates[PLAN_REQUESTS_MAX + 1] = {NULL};
    size_t count = of_groups ? p->group_count : p->request_count, named = 0;
    for (size_t i = 0; i < count; i++) {
        struct gw_str known = of_groups ? p->groups[i].name : p->requests[i].name;
        if (known.len && gw_str_eq(known, name)) {
            *out = (uint32_t)i;
            return true;
        }
        if (known.len)
            candidates[named++] = known.ptr;
    }
    const char *nearest = gw_nearest(name, candidates);
    const char *what = of_groups ? "group of identities" : "request";
    if (nearest)
        read_error(r, v, "there is no %s \"%.*s\"; did you mean \"%s\"?", what, GW_STR_ARG(name),
                   nearest);
    else
        read_error(r, v, "there is no %s \"%.*s\"", what, GW_STR_ARG(name));
    return false;
}

/* ---- mix ---- */

/* "a", ["a", "b"] or {"a": 3, "b": 1}; what is not given is everything, evenly. */
static size_t read_choice(struct reader *r, const struct json *v, bool of_groups, uint32_t *numbers,
                          uint32_t *weights)
{
    size_t count = 0;
    bool weighted = json_type(v) == JSON_OBJECT;
    if (json_type(v) == JSON_STRING) {
        weights[0] = 1;
        return find_name(r, v, json_str(v), of_groups, &numbers[0]);
    }
    if ((!weighted && json_type(v) != JSON_ARRAY) || !json_count(v)) {
        read_error(r, v, "must be a name, a list of names, or an object of names and weights");
        return 0;
    }
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        struct gw_str name = weighted ? json_key(m) : json_str(m);
        size_t max = of_groups ? r->plan->group_count : r->plan->request_count;
        weights[count] = 1;
        if (weighted)
            read_count(r, m, &weights[count]);
        if (count < max && find_name(r, m, name, of_groups, &numbers[count]))
            count++;
    }
    return count;
}

static void read_mix(struct reader *r, const struct json *v, void *field)
{
    struct load_phase *phase = field;
    size_t room = r->plan->request_count + 1;
    uint32_t *numbers = gw_arena_zalloc(&r->plan->arena, 2 * room * sizeof(*numbers));
    phase->mix_count = read_choice(r, v, false, numbers, numbers + room);
    phase->requests = numbers;
    phase->weights = numbers + room;
}

static void read_who(struct reader *r, const struct json *v, void *field)
{
    struct load_phase *phase = field;
    size_t room = r->plan->group_count + 1;
    uint32_t *numbers = gw_arena_zalloc(&r->plan->arena, 2 * room * sizeof(*numbers));
    phase->group_count = read_choice(r, v, true, numbers, numbers + room);
    phase->groups = numbers;
    phase->group_weights = numbers + room;
}

static void take_everything(struct load_plan *p, struct load_phase *phase)
{
    uint32_t *all =
        gw_arena_zalloc(&p->arena, 2 * (p->request_count + p->group_count) * sizeof(*all));
    uint32_t *weights = all + p->request_count, *groups = weights + p->request_count;
    for (size_t i = 0; i < p->request_count; i++) {
        all[i] = (uint32_t)i;
        weights[i] = 1;
    }
    for (size_t i = 0; i < p->group_count; i++) {
        groups[i] = (uint32_t)i;
        groups[p->group_count + i] = p->groups[i].weight;
    }
    if (!phase->requests) {
        phase->requests = all;
        phase->weights = weights;
        phase->mix_count = p->request_count;
    }
    if (!phase->groups) {
        phase->groups = groups;
        phase->group_weights = groups + p->group_count;
        phase->group_count = p->group_count;
    }
}

/* ---- actions ---- */

struct action {
    struct gw_str call;
    uint64_t at_us;
};

static void read_anything(struct reader *r, const struct json *v, void *field)
{
    (void)r, (void)v, (void)field; /* read by its owner */
}

static const struct read_field action_fields[] = {
    {"call", read_text, offsetof(struct action, call), true},
    {"body", read_anything, 0, false},
    {"at", read_duration, offsetof(struct action, at_us), false},
    {0}};

/* {"call": "POST /path", "body": {…}, "at": "5s"}; without "at" before the phase begins. */
static void read_action(struct reader *r, const struct json *v, struct load_action *out)
{
    struct action a = {0};
    struct gw_buf body;
    read_object(r, v, action_fields, &a);
    if (!a.call.len)
        return;
    const struct json *given = json_get(v, "body");
    size_t space = gw_str_chr(a.call, ' ');
    out->method = gw_str_first(a.call, space);
    out->path = gw_str_trim(gw_str_from(a.call, space == GW_NPOS ? a.call.len : space));
    out->before = !json_get(v, "at");
    out->at_us = a.at_us;
    if (!out->path.len || out->path.ptr[0] != '/' || gw_str_chr(out->path, ' ') != GW_NPOS)
        read_error(r, json_get(v, "call"), "must be a method and a path: \"POST /api/…\"");
    if (!given)
        return;
    gw_buf_init(&body, 1 << 20);
    json_write(given, &body);
    out->body = gw_arena_dup(&r->plan->arena, gw_buf_str(&body));
    gw_buf_release(&body);
}

static int by_time(const void *a, const void *b)
{
    const struct load_action *x = a, *y = b;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static void read_actions(struct reader *r, const struct json *v, void *field)
{
    struct load_phase *phase = field;
    if (json_type(v) != JSON_ARRAY) {
        read_error(r, v, "must be a list of calls");
        return;
    }
    phase->actions =
        gw_arena_zalloc(&r->plan->arena, (json_count(v) + 1) * sizeof(*phase->actions));
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        struct load_action *action = &phase->actions[phase->action_count++];
        read_action(r, m, action);
        phase->drain = phase->drain || action->before;
    }
    qsort(phase->actions, phase->action_count, sizeof(*phase->actions), by_time);
}

/* ---- phases ---- */

static void read_phase_duration(struct reader *r, const struct json *v, void *field)
{
    uint64_t us = 0;
    read_duration(r, v, &us);
    *(double *)field = (double)us / 1e6;
}

static void read_phase_rate(struct reader *r, const struct json *v, void *field)
{
    scenario_rate(r, v, field);
}

static const struct read_field phase_fields[] = {
    {"name", read_text, offsetof(struct load_phase, name), false},
    {"duration", read_phase_duration, offsetof(struct load_phase, schedule.duration_s), false},
    {"rate", read_phase_rate, 0, true},
    {"mix", read_mix, 0, false},
    {"identities", read_who, 0, false},
    {"actions", read_actions, 0, false},
    {"drain", read_bool, offsetof(struct load_phase, drain), false},
    {"note", read_text, offsetof(struct load_phase, note), false},
    {"expect", read_anything, 0, false}, /* when all names are known */
    {0}};

static void read_phase(struct reader *r, const struct json *v, struct load_phase *phase)
{
    char name[32];
    snprintf(name, sizeof(name), "phase-%zu", r->plan->phase_count);
    read_object(r, v, phase_fields, phase);
    if (!phase->name.len)
        phase->name = gw_str(gw_arena_dupz(&r->plan->arena, gw_str_z(name)), strlen(name));
    take_everything(r->plan, phase);
    for (size_t i = 0; i + 1 < r->plan->phase_count; i++)
        if (gw_str_eq(r->plan->phases[i].name, phase->name))
            read_error(r, v, "there are two phases \"%.*s\"", GW_STR_ARG(phase->name));
}

void scenario_phases(struct reader *r, const struct json *v, void *field)
{
    struct load_plan *plan = field;
    size_t count = json_type(v) == JSON_ARRAY ? json_count(v) : 0;
    uint32_t number = 0;
    if (!count || count > PLAN_PHASES_MAX) {
        read_error(r, v, "must be a list of 1 to %d phases", PLAN_PHASES_MAX);
        return;
    }
    plan->phases = gw_arena_zalloc(&plan->arena, count * sizeof(*plan->phases));
    for (const struct json *m = json_first(v); m; m = json_next(m))
        read_phase(r, m, &plan->phases[plan->phase_count++]);
    for (const struct json *m = json_first(v); m; m = json_next(m), number++)
        if (json_get(m, "expect"))
            scenario_expectations(r, json_get(m, "expect"), number);
}
