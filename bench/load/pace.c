/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/pace.h"

/* The plan's segments are read-only for those who run it: they get a list of their own. */
static void pace_segments(struct load_plan *p, struct schedule_plan *s, double time, double speed)
{
    struct schedule_segment *segments =
        gw_arena_zalloc(&p->arena, (s->segment_count + 1) * sizeof(*segments));
    for (size_t i = 0; i < s->segment_count; i++)
        segments[i] = (struct schedule_segment){.duration_s = s->segments[i].duration_s * time,
                                                .from = s->segments[i].from * speed,
                                                .to = s->segments[i].to * speed};
    s->segments = segments;
    s->duration_s *= time;
    s->every_s /= speed;
}

void load_plan_pace(struct load_plan *p, double scale, double speed)
{
    char space[96];
    struct gw_buf note = gw_buf_over(space, sizeof(space));
    scale = scale > 0 ? scale : 1;
    speed = speed > 0 ? speed : 1;
    if (scale == 1 && speed == 1)
        return;
    for (size_t i = 0; i < p->phase_count; i++) {
        struct load_phase *phase = &p->phases[i];
        pace_segments(p, &phase->schedule, scale / speed, speed);
        for (size_t a = 0; a < phase->action_count; a++)
            phase->actions[a].at_us =
                (uint64_t)((double)phase->actions[a].at_us * scale / speed + 0.5);
    }
    gw_buf_printf(&note, "not as written: durations × %g, rates × %g", scale / speed, speed);
    load_plan_note(p, gw_buf_str(&note));
}
