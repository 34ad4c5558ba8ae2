/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever an expectation says, it is refused with a place inside it, or it takes samples and has a
 * verdict. The same text as one with variables is refused likewise, or renders. */
#include <assert.h>

#include "bench/load/expect_judge.h"
#include "bench/load/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct expectation *e)
{
    static const uint16_t statuses[] = {200, 429, 0, 503, 999};
    const struct expect_facts facts = {.seconds = 3, .origin_known = true, .honest = 1};
    struct gw_buf seen;
    gw_buf_init(&seen, 4096);
    expect_begin(e, 3);
    for (uint32_t i = 0; i < 20; i++) {
        struct load_sample x = {.intended_us = i * 100000,
                                .phase_us = i * 100000,
                                .sent_us = i * 100000,
                                .done_us = i * 100500,
                                .number = {i + 1, i + 1, i + 1, i + 1},
                                .identity = i % 3,
                                .status = statuses[i % GW_COUNT(statuses)]};
        expect_take(e, &x);
    }
    enum expect_outcome outcome = expect_judge(e, &facts, &seen);
    assert(seen.len > 0 && !seen.overflow);
    bool scoped = e->window_us || e->each_identity; /* no complete window is a failure of its own */
    assert(scoped || !expect_is_vacuous(e) || outcome != EXPECT_FAILED);
    gw_buf_release(&seen);
    expect_release(e);
}

static void render(struct gw_str text)
{
    struct template t;
    struct template_mistake m = {0};
    struct gw_rng rng = {1};
    const struct template_values values = {.n = 1, .rng = &rng};
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    template_init(&t, 1 << 20);
    if (template_add(&t, text, &m))
        template_render(&t, &values, &out);
    else
        assert(m.text[0] && m.at + m.width <= text.len);
    template_release(&t);
    gw_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gw_str requests[] = {{"generate", 8}, {"a/b", 3}}, phases[] = {{"hot", 3}};
    static const struct expect_names names = {requests, phases, 2, 1};
    struct gw_str text = gw_str((const char *)data, size);
    struct expectation e;
    struct expect_mistake m = {0};
    if (expect_parse(text, &names, &e, &m))
        judge(&e);
    else
        assert(m.text[0] && m.at <= text.len && m.width > 0);
    render(text);
    return 0;
}
