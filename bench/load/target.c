/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/target.h"

#include "bench/load/channel.h"
#include "gateway/net/resolver.h"

#define CONNECT_MS 5000

/* ---- URLs ---- */

static bool split_authority(struct gw_str authority, struct load_target *out)
{
    struct gw_str host = authority;
    uint64_t number = out->tls ? 443 : 80;
    size_t close = gw_str_rchr(authority, ']'), colon = gw_str_rchr(authority, ':');
    if (colon != GW_NPOS && (close == GW_NPOS || colon > close)) {
        host = gw_str_first(authority, colon);
        if (!gw_str_u64(gw_str_from(authority, colon + 1), UINT16_MAX, &number) || !number)
            return false;
    }
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = gw_str(host.ptr + 1, host.len - 2);
    out->host = host;
    out->port = (uint16_t)number;
    out->authority = authority;
    return host.len > 0;
}

bool load_target_parse(struct gw_str url, struct load_target *out, const char **why)
{
    bool tls = gw_str_starts(url, GW_STR("https://"));
    if (!tls && !gw_str_starts(url, GW_STR("http://"))) {
        *why = "a URL begins with http:// or https://";
        return false;
    }
    struct gw_str rest = gw_str_from(url, tls ? 8 : 7);
    size_t slash = 0;
    while (slash < rest.len && rest.ptr[slash] != '/' && rest.ptr[slash] != '?')
        slash++;
    *out = (struct load_target){.tls = tls, .path = gw_str_from(rest, slash)};
    for (size_t i = 0; i < slash; i++)
        if ((unsigned char)rest.ptr[i] <= ' ' || rest.ptr[i] == '@' || rest.ptr[i] == 0x7f) {
            *why = "the host holds a byte that none can hold";
            return false;
        }
    if (out->path.len && out->path.ptr[0] == '?') {
        *why = "a path comes before the query: http://host/?…";
        return false;
    }
    if (!out->path.len)
        out->path = GW_STR("/");
    *why = "there is no host, or the port is no number from 1 to 65535";
    return split_authority(gw_str_first(rest, slash), out);
}

bool load_target_is_loopback(struct gw_str host)
{
    struct gw_ip ip;
    if (gw_str_ieq(host, GW_STR("localhost")))
        return true;
    return gw_ip_parse(host, &ip) && gw_ip_is_loopback(&ip);
}

/* ---- an address that answers ---- */

struct search {
    struct gw_loop *loop;
    struct tls_client *tls;
    struct resolver_answer answer;
    size_t next;
    struct channel *channel;
    int err;
    const char *failure; /* of the last handshake */
};

static void try_next(struct search *s);

static void on_ready(void *ctx, struct channel *c)
{
    struct search *s = ctx;
    s->err = 0;
    s->channel = c;
    gw_loop_stop(s->loop);
}

static void on_answer(void *ctx, struct channel *c, const struct channel_answer *answer)
{
    (void)ctx, (void)c, (void)answer; /* nothing is asked */
}

/* The reason is read before this channel goes; try_next may put the next one into its place. */
static void on_lost(void *ctx, struct channel *c, int err)
{
    struct search *s = ctx;
    s->channel = NULL;
    s->err = err;
    s->failure = channel_handshake_failure(c);
    try_next(s);
}

static void try_next(struct search *s)
{
    static const struct channel_events events = {on_ready, on_answer, on_lost};
    if (s->next == s->answer.count)
        gw_loop_stop(s->loop);
    else
        s->channel = channel_open_tls(s->loop, &s->answer.addresses[s->next++], s->tls, CONNECT_MS,
                                      &events, s);
}

static void on_resolved(void *ctx, const struct resolver_answer *answer)
{
    struct search *s = ctx;
    s->answer = *answer;
    s->err = answer->err ? answer->err : GW_ERESOLVE;
    try_next(s);
}

int load_target_resolve(struct gw_str host, uint16_t port, struct net_address *out)
{
    const char *why;
    return load_target_reach(host, port, NULL, out, &why);
}

int load_target_reach(struct gw_str host, uint16_t port, struct tls_client *tls,
                      struct net_address *out, const char **why)
{
    struct gw_clock clock;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    struct search s = {.loop = gw_loop_new(&clock), .tls = tls};
    char *name = gw_str_dupz(host);
    resolver_start(s.loop, name, port, on_resolved, &s);
    gw_loop_run(s.loop);
    if (!s.err)
        *out = s.answer.addresses[s.next - 1];
    *why = s.failure;
    channel_close(s.channel);
    gw_loop_free(s.loop);
    free(name);
    return s.err;
}
