/* SPDX-License-Identifier: Apache-2.0 */
/* "rate": the shape of a phase.
 *
 *     "50/s"    {"from": "10/s", "to": "200/s"}    {"steps": ["10/s", "20/s", "40/s"]}
 *     {"burst": 40}    {"burst": 40, "every": "10s"}    {"poisson": any of the first three} */
#include "bench/load/scenario_private.h"
#include "bench/load/units.h"

#define BURST_MAX 1000000

static bool parse_rate(struct reader *r, const struct json *v, double *out)
{
    if (json_type(v) == JSON_STRING && units_rate(json_str(v), out))
        return true;
    read_error(r, v, "must be a rate such as \"50/s\" or \"300/min\"");
    return false;
}

static struct schedule_segment *add_segments(struct reader *r, struct schedule_plan *s,
                                             size_t count)
{
    struct schedule_segment *segments = gw_arena_zalloc(&r->plan->arena, count * sizeof(*segments));
    s->segments = segments;
    s->segment_count = count;
    for (size_t i = 0; i < count; i++)
        segments[i].duration_s = s->duration_s / (double)count;
    return segments;
}

static void shape_constant(struct reader *r, const struct json *v, struct schedule_plan *s)
{
    struct schedule_segment *segment = add_segments(r, s, 1);
    if (parse_rate(r, v, &segment->from))
        segment->to = segment->from;
}

static void shape_ramp(struct reader *r, const struct json *v, struct schedule_plan *s)
{
    static const char *const keys[] = {"from", "to", NULL};
    struct schedule_segment *segment = add_segments(r, s, 1);
    json_unknown_keys(r->doc, v, keys, r->diags);
    if (!json_get(v, "to")) {
        read_error(r, v, "\"to\" is missing");
        return;
    }
    bool fine = parse_rate(r, json_get(v, "from"), &segment->from) &&
                parse_rate(r, json_get(v, "to"), &segment->to);
    (void)fine; /* told */
}

static void shape_steps(struct reader *r, const struct json *v, struct schedule_plan *s)
{
    const struct json *steps = json_get(v, "steps");
    size_t i = 0;
    if (json_type(steps) != JSON_ARRAY || !json_count(steps) || json_count(steps) > 1000) {
        read_error(r, steps, "must be a list of rates");
        return;
    }
    struct schedule_segment *segments = add_segments(r, s, json_count(steps));
    for (const struct json *m = json_first(steps); m; m = json_next(m), i++)
        if (parse_rate(r, m, &segments[i].from))
            segments[i].to = segments[i].from;
}

static void shape_burst(struct reader *r, const struct json *v, struct schedule_plan *s)
{
    static const char *const keys[] = {"burst", "every", NULL};
    const struct json *every = json_get(v, "every");
    int64_t count;
    uint64_t us = 0;
    json_unknown_keys(r->doc, v, keys, r->diags);
    if (json_int(json_get(v, "burst"), 1, BURST_MAX, &count))
        s->burst = (uint64_t)count;
    else
        read_error(r, json_get(v, "burst"), "must be a whole number from 1 to %d", BURST_MAX);
    if (every)
        read_duration(r, every, &us);
    if (every && (!us || s->duration_s <= 0))
        read_error(r, every, "bursts over and over need a time above 0 and a duration");
    s->every_s = (double)us / 1e6;
}

static void shape(struct reader *r, const struct json *v, struct schedule_plan *s)
{
    if (json_get(v, "burst"))
        shape_burst(r, v, s);
    else if (json_get(v, "from"))
        shape_ramp(r, v, s);
    else if (json_get(v, "steps"))
        shape_steps(r, v, s);
    else
        shape_constant(r, v, s);
}

void scenario_rate(struct reader *r, const struct json *v, struct load_phase *phase)
{
    struct schedule_plan *s = &phase->schedule;
    const struct json *inner = json_get(v, "poisson");
    s->poisson = inner != NULL;
    shape(r, inner ? inner : v, s);
    if (s->poisson && s->burst)
        read_error(r, v, "bursts come at fixed instants");
    if (!s->burst && s->duration_s <= 0)
        read_error(r, v, "a phase with a rate needs a \"duration\"");
}
