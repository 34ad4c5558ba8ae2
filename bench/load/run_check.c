/* SPDX-License-Identifier: Apache-2.0 */
/* After the phases: Retry-After is put to the test, one refused request after the other. */
#include "bench/load/run_private.h"

static bool is_asked(const struct load_plan *plan, uint32_t request)
{
    for (size_t i = 0; i < plan->expectation_count; i++) {
        const struct expectation *e = &plan->expectations[i];
        if (e->kind == EXPECT_HONEST && (e->request == EXPECT_NONE || e->request == request))
            return true;
    }
    return false;
}

static void on_verdict(void *ctx, const struct probe_verdict *verdict)
{
    struct run *r = ctx;
    r->result->probes[r->result->probe_count++] = (struct run_probe){r->probing - 1, *verdict};
    probe_free(r->probe);
    r->probe = NULL;
    run_check(r);
}

/* One probe after the other: two at once would use up each other's limits. A probe's verdict comes
 * from a later turn and after its last call, so it can be freed there and nothing of it is under
 * way at the admin listener. */
void run_check(struct run *r)
{
    const struct probe_setup setup = {
        r->loop, r->plan, &r->options->to, r->options->tls, r->admin, on_verdict, r};
    r->state = RUN_CHECKING;
    while (r->probing < r->plan->request_count && r->result->probe_count < RUN_PROBES_MAX) {
        uint32_t request = r->probing++;
        if (!r->refused[request].sample.status || !is_asked(r->plan, request))
            continue;
        r->probe = probe_start(&setup, &r->refused[request]);
        return;
    }
    run_finish(r);
}
