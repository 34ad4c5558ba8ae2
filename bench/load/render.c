/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/render.h"

#include "bench/load/request.h"

enum http_method load_render(const struct load_plan *plan, const struct load_flight *flight,
                             struct gw_buf *out, struct gw_buf *scratch)
{
    const struct load_request *r = &plan->requests[flight->sample.request];
    const struct identity_group *g = &plan->groups[flight->group];
    struct identity_place place = identity_place(g, flight->index, flight->round);
    char ip[GW_IP_TEXT_MAX];
    /* From the request's number alone: its bytes do not depend on who was rendered before, and a
     * probe that sends it again sends the same. */
    struct gw_rng rng = {plan->seed ^ flight->sample.number[LOAD_RUN] * 0x9e3779b97f4a7c15u};
    struct template_values values = {
        .n = flight->sample.number[LOAD_RUN],
        .seed = plan->seed,
        .identity = flight->sample.identity,
        .isolate = place.isolate,
        .ip = gw_str(ip, identity_address(g, flight->index, ip)),
        .edge = place.edge,
        .rng = &rng,
    };
    load_request_render(r, flight->group, &values, out, scratch);
    return r->method_id;
}
