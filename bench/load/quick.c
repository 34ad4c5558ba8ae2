/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/quick.h"

#include <inttypes.h>

#include "bench/load/target.h"
#include "gateway/base/json_out.h"

/* "FRA,AMS" */
static void add_edges(const char *edges, struct gw_buf *out)
{
    struct gw_str rest = gw_str_z(edges), edge;
    gw_json_list(out, "edges");
    while (gw_str_next(&rest, ',', &edge))
        gw_json_text(out, NULL, gw_str_trim(edge));
    gw_buf_char(out, ']');
}

static void add_identities(const struct load_options *o, struct gw_buf *out)
{
    if (!o->identities && !o->edges && !o->isolates)
        return;
    gw_json_object(out, "identities");
    gw_json_u64(out, "count", o->identities ? o->identities : 1);
    if (!o->identities)
        gw_json_bool(out, "addresses", false);
    if (o->edges)
        add_edges(o->edges, out);
    if (o->isolates)
        gw_json_u64(out, "isolates", o->isolates);
    gw_buf_char(out, '}');
}

/* "50/s", or "10/s..200/s" for a ramp. */
static void add_rate(const struct load_options *o, struct gw_buf *out)
{
    struct gw_str rate = gw_str_z(o->rate);
    size_t dots = gw_str_find(rate, GW_STR(".."));
    if (o->burst) {
        gw_buf_printf(out, "{\"burst\":%" PRIu64 "}", o->burst);
        return;
    }
    gw_buf_add(out, o->poisson ? GW_STR("{\"poisson\":") : GW_STR_EMPTY);
    if (dots == GW_NPOS) {
        gw_json_text(out, NULL, rate);
    } else {
        gw_json_object(out, NULL);
        gw_json_text(out, "from", gw_str_first(rate, dots));
        gw_json_text(out, "to", gw_str_from(rate, dots + 2));
        gw_buf_char(out, '}');
    }
    gw_buf_add(out, o->poisson ? GW_STR("}") : GW_STR_EMPTY);
}

static void add_request(const struct load_options *o, const struct load_target *target,
                        struct gw_buf *out)
{
    gw_json_object(out, "requests");
    gw_json_object(out, "request");
    gw_json_text(out, "path", target->path);
    if (o->method)
        gw_json_text(out, "method", gw_str_z(o->method));
    if (o->data)
        gw_json_text(out, "body", gw_str_z(o->data));
    gw_buf_add(out, GW_STR("}}"));
}

bool quick_scenario(const struct load_options *o, struct gw_buf *out, struct gw_diags *diags)
{
    const struct gw_source source = {"--url", gw_str_z(o->url)};
    struct load_target target;
    const char *why;
    if (!load_target_parse(source.text, &target, &why)) {
        gw_diag_at(diags, GW_DIAG_ERROR, &source, 0, source.text.len, "%s", why);
        return false;
    }
    gw_json_object(out, NULL);
    gw_json_text(out, "name", source.text);
    gw_buf_printf(out, ",\"target\":\"http%s://%.*s\"", target.tls ? "s" : "",
                  GW_STR_ARG(target.authority));
    add_identities(o, out);
    add_request(o, &target, out);
    gw_buf_add(out, GW_STR(",\"phases\":[{\"name\":\"load\""));
    if (!o->burst)
        gw_json_text(out, "duration", gw_str_z(o->duration));
    gw_json_name(out, "rate");
    add_rate(o, out);
    gw_buf_add(out, GW_STR("}]}\n"));
    return !out->overflow;
}
