/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/plan.h"

#define NOTES_MAX 64

struct load_plan *load_plan_new(void)
{
    struct load_plan *p = gw_zalloc(sizeof(*p));
    gw_arena_init(&p->arena, NULL, 0, 0); /* files that are trusted, of bounded size */
    p->notes = gw_arena_zalloc(&p->arena, NOTES_MAX * sizeof(*p->notes));
    return p;
}

void load_plan_free(struct load_plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->request_count; i++) {
        struct load_request *r = &p->requests[i];
        template_release(&r->body);
        for (size_t g = 0; r->heads && g < p->group_count; g++)
            template_release(&r->heads[g]);
        free(r->heads);
    }
    for (size_t i = 0; i < p->expectation_count; i++)
        expect_release(&p->expectations[i]);
    free(p->expectations);
    gw_arena_clear(&p->arena);
    free(p);
}

void load_plan_note(struct load_plan *p, struct gw_str text)
{
    if (p->note_count < NOTES_MAX)
        p->notes[p->note_count++] = gw_arena_dup(&p->arena, text);
}

uint64_t load_plan_duration_us(const struct load_plan *p)
{
    double seconds = 0;
    for (size_t i = 0; i < p->phase_count; i++)
        seconds += p->phases[i].schedule.duration_s;
    return (uint64_t)(seconds * 1e6 + 0.5);
}

const char *load_plan_scheme(const struct load_plan *p)
{
    return p->tls ? "https" : "http";
}

const struct identity_group *load_plan_group(const struct load_plan *p, uint32_t identity)
{
    size_t i = 0;
    while (i + 1 < p->group_count && identity >= p->groups[i + 1].first)
        i++;
    return &p->groups[i];
}

bool load_plan_asks_origin(const struct load_plan *p)
{
    for (size_t i = 0; i < p->expectation_count; i++)
        if (p->expectations[i].kind == EXPECT_ORIGIN)
            return true;
    return false;
}
