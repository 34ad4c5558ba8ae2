/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold between the sections of one configuration. Sections may be half filled here when
 * they had errors of their own: an empty text takes part in nothing. */
#include "config/load.h"
#include "gateway/base/map.h"

struct relations {
    struct load *load;
    struct config *config;
    const struct json *root;
};

/* The next item of a list that may be absent. */
static const struct json *next(const struct json *item)
{
    return item ? json_next(item) : NULL;
}

/* A member of an object that may be absent or have a short form. */
static const struct json *member_or_self(const struct json *v, const char *name)
{
    const struct json *member = json_get(v, name);
    return member ? member : v;
}

/* Remembers a text and where it stands. True when it stood somewhere before: the second place gets
 * a message that names the first, since either may be the mistake. */
static bool is_repeated(struct relations *r, struct gw_map *seen, struct gw_str text,
                        const struct json *v, const char *what)
{
    const struct json *before = text.len ? gw_map_get(seen, text) : NULL;
    if (text.len && !before)
        gw_map_put(seen, text, (void *)v);
    if (!before)
        return false;
    size_t offset = 0, width;
    unsigned line, column;
    if (r->load->diags->count < GW_DIAG_MAX) /* a place costs a walk through the text */
        json_place(r->load->doc, before, &offset, &width);
    gw_line_column(json_source(r->load->doc)->text, offset, &line, &column);
    json_error(r->load->doc, v, r->load->diags, "the %s \"%.*s\" was already given in line %u",
               what, GW_STR_ARG(text), line);
    return true;
}

/* Addresses are compared by what they mean: 0.0.0.0:80 and *:80 are one. Port 0 never collides. */
static void check_address(struct relations *r, struct gw_map *seen, const struct config_address *a,
                          const struct json *v)
{
    char text[GW_IP_TEXT_MAX + 8];
    struct gw_str key = a->unix_path;
    struct gw_buf out;
    gw_buf_init(&out, sizeof(text));
    if (a->ip.family != GW_IP_NONE && a->port != 0) {
        size_t n = gw_ip_format(&a->ip, text);
        gw_buf_printf(&out, "%.*s:%u", (int)n, text, a->port);
        key = gw_buf_str(&out);
    }
    is_repeated(r, seen, key, v, "listening address");
    gw_buf_release(&out);
}

static void check_addresses(struct relations *r)
{
    struct gw_map seen;
    gw_map_init(&seen);
    const struct json *v = json_first(json_get(r->root, "listen"));
    for (size_t i = 0; i < r->config->listen_count && v; i++, v = next(v))
        check_address(r, &seen, &r->config->listen[i].address, member_or_self(v, "address"));
    if (r->config->admin.enabled)
        check_address(r, &seen, &r->config->admin.address,
                      member_or_self(json_get(r->root, "admin"), "address"));
    gw_map_release(&seen);
}

static bool find_edge(const struct config *config, struct gw_str name, size_t *index)
{
    for (*index = 0; *index < config->edge_count; (*index)++)
        if (gw_str_eq(config->edges[*index].name, name))
            return true;
    return false;
}

/* Says which edges there are; a listener's edge decides what its visitors see. */
static void fail_edge(struct relations *r, const struct json *v, struct gw_str name)
{
    struct gw_buf names;
    gw_buf_init(&names, 200);
    for (size_t i = 0; i < r->config->edge_count; i++)
        gw_buf_printf(&names, "%s%.*s", i ? ", " : "", GW_STR_ARG(r->config->edges[i].name));
    json_error(r->load->doc, v, r->load->diags, "there is no edge \"%.*s\"; \"edges\" has %.*s",
               GW_STR_ARG(name), GW_STR_ARG(gw_buf_str(&names)));
    gw_buf_release(&names);
}

/* Also settles which edge a listener without one has: the first. */
static void check_edges(struct relations *r)
{
    struct gw_map seen;
    gw_map_init(&seen);
    const struct json *v = json_first(json_get(r->root, "edges"));
    for (size_t i = 0; i < r->config->edge_count && v; i++, v = next(v))
        is_repeated(r, &seen, r->config->edges[i].name, member_or_self(v, "name"), "edge");
    gw_map_release(&seen);
    v = json_first(json_get(r->root, "listen"));
    for (size_t i = 0; i < r->config->listen_count; i++, v = next(v)) {
        struct config_listen *item = &r->config->listen[i];
        if (!item->edge_name.len && r->config->edge_count)
            item->edge_name = r->config->edges[0].name;
        if (!find_edge(r->config, item->edge_name, &item->edge) && item->edge_name.len)
            fail_edge(r, json_get(v, "edge"), item->edge_name);
    }
}

/* One host in two zones would make the answer depend on the order of the file. A zone that is there
 * twice is one mistake: its id and its implied host, which follow from the name, say nothing. */
static void check_zones(struct relations *r)
{
    struct gw_map names, ids, hosts;
    gw_map_init(&names);
    gw_map_init(&ids);
    gw_map_init(&hosts);
    const struct json *v = json_first(json_get(r->root, "zones"));
    for (size_t i = 0; i < r->config->zone_count; i++, v = next(v)) {
        const struct config_zone *zone = &r->config->zones[i];
        const struct json *list = json_get(v, "hosts");
        bool twice = is_repeated(r, &names, zone->name, member_or_self(v, "name"), "zone");
        if (!twice)
            is_repeated(r, &ids, zone->id, member_or_self(v, "id"), "zone id");
        const struct json *host = json_first(list);
        for (size_t h = 0; h < zone->host_count && !(twice && !list); h++) {
            is_repeated(r, &hosts, zone->hosts[h], host ? host : v, "host");
            host = next(host);
        }
    }
    gw_map_release(&names);
    gw_map_release(&ids);
    gw_map_release(&hosts);
}

void check_relations(struct load *l, struct config *config)
{
    struct relations r = {l, config, json_root(l->doc)};
    check_edges(&r);
    check_addresses(&r);
    check_zones(&r);
    check_faults(l, config);
}
