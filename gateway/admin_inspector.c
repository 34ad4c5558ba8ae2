/* SPDX-License-Identifier: Apache-2.0 */
/* GET / and /inspector/:file: the page, which needs no token because it says nothing by itself.
 * GET /api/inspector: what the page has to know about this gateway before it can ask for more.
 *
 * The page's policy forbids everything but its own files and calls to its own listener: a header
 * value that found its way into the page as markup would still run nothing (CSP level 3). */
#include "gateway/admin_route.h"
#include "gateway/base/json_out.h"
#include "gateway/inspector.h"
#include "gateway/server.h"

#define POLICY                                                                                     \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "              \
    "frame-ancestors 'none'\r\n"                                                                   \
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                          \
    "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n"

static const char *type_of(struct gw_str name)
{
    static const struct {
        const char *end, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".svg", "image/svg+xml"}};
    for (size_t i = 0; i < GW_COUNT(types); i++)
        if (gw_str_ends(name, gw_str_z(types[i].end)))
            return types[i].type;
    return "application/octet-stream";
}

static enum admin_result serve(struct admin_call *call, struct gw_str name)
{
    const struct inspector_file *file = inspector_files;
    while (file->name && !gw_str_eq(gw_str_z(file->name), name))
        file++;
    if (!file->name) {
        admin_fail(call, 404, "the inspector has no file of this name");
        return ADMIN_DONE;
    }
    gw_buf_add(&call->out, gw_str((const char *)file->bytes, file->size));
    gw_buf_add(&call->lines, GW_STR(POLICY));
    call->content_type = type_of(name);
    return ADMIN_DONE;
}

enum admin_result admin_page(struct admin_call *call)
{
    return serve(call, GW_STR("index.html"));
}

enum admin_result admin_page_file(struct admin_call *call)
{
    return serve(call, admin_path_segment(call->path, 1));
}

/* ---- GET /api/inspector ---- */

static void add_edges(const struct snapshot *s, struct gw_buf *out)
{
    for (size_t i = 0; i < s->edge_count; i++) {
        const struct config_edge *edge = s->edges[i].config;
        gw_json_object(out, NULL);
        gw_json_text(out, "name", edge->name);
        gw_json_text(out, "country", edge->country);
        gw_json_u64(out, "isolates", edge->isolates);
        gw_buf_char(out, '}');
    }
}

static void add_zones(const struct snapshot *s, struct gw_buf *out)
{
    for (size_t i = 0; i < s->zone_count; i++) {
        const struct config_zone *zone = s->zones[i].config;
        gw_json_object(out, NULL);
        gw_json_text(out, "id", zone->id);
        gw_json_text(out, "name", zone->name);
        gw_json_text(out, "plan", gw_str_z(config_plan_names[zone->plan]));
        gw_json_list(out, "hosts");
        for (size_t h = 0; h < zone->host_count; h++)
            gw_json_text(out, NULL, zone->hosts[h]);
        gw_buf_add(out, GW_STR("]}"));
    }
}

enum admin_result admin_inspector(struct admin_call *call)
{
    const struct snapshot *s = admin_snapshot(call);
    struct gw_buf *out = &call->out;
    gw_buf_printf(out, "{\"version\":\"%s\",\"clock\":\"%s\",\"workers\":%u,\"edges\":[",
                  NEAREDGE_VERSION,
                  call->server->clock.mode == GW_CLOCK_VIRTUAL ? "virtual" : "system",
                  call->server->worker_count);
    add_edges(s, out);
    gw_buf_add(out, GW_STR("],\"zones\":["));
    add_zones(s, out);
    gw_buf_add(out, GW_STR("]}\n"));
    return ADMIN_DONE;
}
