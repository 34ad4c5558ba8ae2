/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/https_redirect.h"

#include "gateway/http/h1_write.h"
#include "gateway/reply.h"
#include "gateway/session.h"

static const char page[] =
    "<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n"
    "<center><h1>301 Moved Permanently</h1></center>\r\n</body>\r\n</html>\r\n";

/* 0: none is needed. Who wrote no port came by the public one, whose counterpart is 443; who did
 * has reached this machine's own, and gets on at that of its TLS listener. */
static uint16_t port_of(const struct exchange *x)
{
    const struct worker *worker = x->worker;
    if (!x->request.host.port)
        return 0;
    for (size_t i = 0; i < worker->door_count; i++)
        if (worker->doors[i].tls && worker->doors[i].bound_port)
            return worker->doors[i].bound_port == 443 ? 0 : worker->doors[i].bound_port;
    return 0;
}

void https_redirect(struct exchange *x)
{
    const struct url *url = &x->request.url;
    size_t size = x->request.host.name.len + url->path.len + url->query.len + 128;
    char *space = gw_arena_alloc(&x->arena, 2 * size);
    if (!space) {
        reply_error(x, 414);
        return;
    }
    struct gw_buf target = gw_buf_over(space, size), lines = gw_buf_over(space + size, size);
    uint16_t port = port_of(x);
    gw_buf_add(&target, GW_STR("https://"));
    gw_buf_add(&target, x->request.host.name);
    if (port)
        gw_buf_printf(&target, ":%u", port);
    gw_buf_add(&target, url->path.len && url->path.ptr[0] == '/' ? url->path : GW_STR("/"));
    if (url->has_query) {
        gw_buf_char(&target, '?');
        gw_buf_add(&target, url->query);
    }
    gw_buf_add(&lines, GW_STR("Content-Type: text/html\r\nCache-Control: max-age=3600\r\n"));
    if (!h1_write_field(&lines, GW_STR("Location"), gw_buf_str(&target)) || target.overflow ||
        lines.overflow) {
        reply_error(x, 400);
        return;
    }
    x->reply = (struct exchange_reply){
        .status = 301, .lines = gw_buf_str(&lines), .body = gw_str(page, sizeof(page) - 1)};
    x->step = STEP_REPLY;
}
