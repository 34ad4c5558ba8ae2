/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ready_file.h"

#include <stdio.h>
#include <unistd.h>

#include "gateway/base/json_out.h"
#include "gateway/base/log.h"

#define CONTENT_MAX ((size_t)64 * 1024)

static void add_address(struct gw_buf *b, const struct listener *l)
{
    char text[NET_ADDRESS_TEXT_MAX];
    struct net_address at = listener_address(l);
    size_t len = net_address_format(&at, text);
    gw_json_text(b, NULL, gw_str(text, len));
}

static void add_plain(struct gw_buf *b, const char *before, const struct listener *l)
{
    char text[NET_ADDRESS_TEXT_MAX];
    struct net_address at = listener_address(l);
    net_address_format(&at, text);
    gw_buf_printf(b, "%s%s", before, text);
}

/* As bound, not as configured: with port 0 nobody else tells. */
void ready_log(const struct server *s)
{
    const struct worker *first = &s->workers[0];
    struct gw_buf where;
    gw_buf_init(&where, CONTENT_MAX);
    for (size_t i = 0; i < first->door_count; i++)
        add_plain(&where, i ? "," : " listen=", first->listeners[i]);
    if (first->listeners[first->door_count])
        add_plain(&where, " admin=", first->listeners[first->door_count]);
    gw_log_info("serving workers=%u zones=%zu%.*s", s->worker_count, s->snapshot->zone_count,
                GW_STR_ARG(gw_buf_str(&where)));
    gw_buf_release(&where);
}

static void write_content(const struct server *s, struct gw_buf *b)
{
    const struct worker *first = &s->workers[0];
    gw_buf_add(b, GW_STR("{\"listen\":["));
    for (size_t i = 0; i < first->door_count; i++)
        add_address(b, first->listeners[i]);
    gw_buf_add(b, GW_STR("],\"admin\":"));
    if (first->listeners[first->door_count])
        add_address(b, first->listeners[first->door_count]);
    else
        gw_buf_add(b, GW_STR("null"));
    gw_buf_printf(b, ",\"pid\":%d}\n", (int)getpid());
}

/* Renamed into place: who waits for the file never reads half of it. The name has the process's
 * number, so that two that start with one file do not write into each other's. */
bool ready_file_write(const struct server *s)
{
    struct gw_buf content, path;
    gw_buf_init(&content, CONTENT_MAX);
    gw_buf_init(&path, CONTENT_MAX);
    write_content(s, &content);
    gw_buf_printf(&path, "%s.%d%c", s->options.ready_file, (int)getpid(), '\0');
    FILE *f = fopen(path.data, "w");
    bool ok = f && fwrite(content.data, 1, content.len, f) == content.len;
    if (f)
        ok = fclose(f) == 0 && ok && rename(path.data, s->options.ready_file) == 0;
    gw_buf_release(&content);
    gw_buf_release(&path);
    return ok;
}
