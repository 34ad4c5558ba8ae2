/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration says about TLS, ready for handshakes: the certificates of its listeners and
 * the way each origin is checked. Both belong to the snapshot that was built from the file; those
 * derived from it share them. */
#include <unistd.h>

#include "gateway/base/ip.h"
#include "gateway/net/tls.h"
#include "gateway/session_tls.h"
#include "gateway/snapshot_inside.h"
#include "gateway/trust.h"
#include "gateway/upstream/servers.h"

#define HOSTS_NAMED 5 /* in a warning; of the others the number */

struct listener_pairs {
    struct tls_pair items[TLS_PAIRS_MAX];
    size_t count;
    bool local; /* one of them is the local authority's: made for every host */
};

/* What the local authority has not made yet `run` will make; `check` writes nothing. */
static void find_pairs(const struct config *config, struct config_certificates certificates,
                       struct gw_arena *arena, struct listener_pairs *out, struct gw_diags *diags)
{
    for (size_t i = 0; i < certificates.count && out->count < TLS_PAIRS_MAX; i++) {
        const struct config_certificate *c = &certificates.items[i];
        struct tls_pair pair = {c->certificate.ptr, c->key.ptr};
        struct trust_files files;
        out->local |= c->local_ca;
        if (c->local_ca) {
            if (!trust_find(config, c, arena, &files, diags) ||
                access(files.certificate.ptr, R_OK) != 0)
                continue;
            pair = (struct tls_pair){files.certificate.ptr, files.key.ptr};
        }
        out->items[out->count++] = pair;
    }
}

static const struct json *place_of(const struct config *config, size_t listener)
{
    const struct json *v = json_first(json_get(json_root(config->doc), "listen"));
    for (size_t i = 0; v && i < listener; i++)
        v = json_next(v);
    return json_get(v, "tls");
}

/* A visitor of such a host would be warned off by his browser. */
static void check_hosts(const struct config *config, size_t listener, const struct tls_server *tls,
                        struct gw_diags *diags)
{
    struct gw_buf hosts;
    size_t missing = 0;
    gw_buf_init(&hosts, 4096);
    for (size_t z = 0; z < config->zone_count; z++)
        for (size_t h = 0; h < config->zones[z].host_count; h++) {
            struct gw_str host = config->zones[z].hosts[h];
            struct gw_ip ip;
            bool named = host.ptr[0] != '*' && host.ptr[0] != '[' && !gw_ip_parse(host, &ip);
            if (!named || tls_server_covers(tls, host))
                continue;
            if (missing++ < HOSTS_NAMED)
                gw_buf_printf(&hosts, "%s%.*s", missing > 1 ? ", " : "", GW_STR_ARG(host));
        }
    if (missing > HOSTS_NAMED)
        gw_buf_printf(&hosts, " and %zu more", missing - HOSTS_NAMED);
    if (missing)
        json_warn(config->doc, place_of(config, listener), diags,
                  "no certificate of this listener is valid for %.*s",
                  GW_STR_ARG(gw_buf_str(&hosts)));
    gw_buf_release(&hosts);
}

/* The admin's own speakers, scripts and a page, gain nothing by HTTP/2, and the zones' hosts are
 * none of its names. */
static void build_listener(struct snapshot *s, size_t listener, uint64_t wall_ms,
                           struct gw_diags *diags)
{
    struct config_certificates certificates = config_certificates(s->config, listener);
    bool admin = listener == s->config->listen_count;
    const char *protocols = admin ? "http/1.1" : session_tls_protocols;
    struct listener_pairs pairs = {.count = 0};
    struct gw_arena arena;
    if (!certificates.count)
        return;
    gw_arena_init(&arena, NULL, 0, 0);
    find_pairs(s->config, certificates, &arena, &pairs, diags);
    struct tls_server *tls = NULL;
    if (pairs.count)
        tls = tls_server_load(pairs.items, pairs.count, protocols, diags);
    if (tls)
        tls_server_check(tls, wall_ms, diags);
    if (tls && !pairs.local && !admin)
        check_hosts(s->config, listener, tls, diags);
    s->tls[listener] = tls;
    gw_arena_clear(&arena);
}

static void build_speech(struct servers *servers, size_t index, enum servers_speech speech,
                         struct gw_diags *diags)
{
    const struct config_origin *o = &servers_origin(servers)->servers[index];
    bool is_checked = o->scheme == CONFIG_SCHEME_HTTPS || speech == SERVERS_TLS_CHECKED;
    const struct tls_client_options options = {
        .ca = o->tls.ca.ptr,
        .name = o->tls.server_name.len ? o->tls.server_name.ptr : o->host.ptr,
        .verify = is_checked && o->tls.verify,
        .own = {o->tls.certificate.ptr, o->tls.key.ptr},
    };
    servers_set_tls(servers, index, speech, tls_client_load(&options, diags));
}

/* The API may change the zone's `ssl` from full to strict and back: both are ready. */
static void build_server(struct servers *servers, size_t index, struct gw_diags *diags)
{
    enum config_scheme scheme = servers_origin(servers)->servers[index].scheme;
    size_t errors = diags->errors;
    if (scheme == CONFIG_SCHEME_HTTP)
        return;
    build_speech(servers, index, SERVERS_TLS, diags);
    if (scheme == CONFIG_SCHEME_OPEN && diags->errors == errors) /* each problem is told once */
        build_speech(servers, index, SERVERS_TLS_CHECKED, diags);
}

void snapshot_build_tls(struct snapshot *s, uint64_t wall_ms, struct gw_diags *diags)
{
    s->tls = gw_zalloc((s->config->listen_count + 1) * sizeof(struct tls_server *));
    for (size_t i = 0; i <= s->config->listen_count; i++)
        build_listener(s, i, wall_ms, diags);
    for (size_t i = 0; i < s->origin_count; i++)
        for (size_t k = 0; k < servers_count(s->origins[i].servers); k++)
            build_server(s->origins[i].servers, k, diags);
}

void snapshot_attach_tickets(struct snapshot *s, struct tls_tickets *tickets)
{
    for (size_t i = 0; i <= s->config->listen_count; i++)
        if (s->tls[i])
            tls_server_use_tickets(s->tls[i], tickets);
}

static bool is_at(const struct snapshot *s, size_t index, struct gw_str address)
{
    return index < s->config->listen_count &&
           gw_str_eq(s->config->listen[index].address.text, address);
}

struct tls_server *snapshot_tls_at(const struct snapshot *s, size_t index, struct gw_str address)
{
    if (is_at(s, index, address))
        return s->tls[index];
    for (size_t i = 0; i < s->config->listen_count; i++)
        if (is_at(s, i, address))
            return s->tls[i];
    return NULL;
}

struct tls_server *snapshot_admin_tls(const struct snapshot *s)
{
    return s->tls[s->config->listen_count];
}

void snapshot_release_tls(struct snapshot *s)
{
    if (s->base)
        return;
    for (size_t i = 0; i <= s->config->listen_count && s->tls; i++)
        tls_server_unref(s->tls[i]);
    free(s->tls);
}
