/* SPDX-License-Identifier: Apache-2.0 */
/* When the certificates of listeners run out, as a metric. Written from the snapshot, so that what
 * a reload renewed or took away is so at once. */
#include "gateway/admin_upstreams.h"
#include "gateway/net/tls.h"

static const char name[] = "nearedge_certificate_expiry_timestamp_seconds";

/* Listeners may share a file, and two equal series would cost Prometheus the whole scrape. */
static void add_listener(struct gw_buf *out, const struct tls_server *tls, struct gw_map *shown)
{
    struct tls_certificate c;
    for (size_t i = 0; tls && tls_server_certificate(tls, i, &c); i++) {
        struct gw_str file = gw_str_first(gw_str_z(c.file), METRICS_LABEL_LENGTH);
        if (gw_map_put(shown, file, out))
            continue;
        gw_buf_printf(out, "%s{host=", name);
        metrics_write_value(out, gw_str_z(c.host));
        gw_buf_add(out, GW_STR(",certificate="));
        metrics_write_value(out, file);
        gw_buf_printf(out, "} %llu\n", (unsigned long long)c.not_after_s);
    }
}

void admin_certificate_metrics(const struct snapshot *s, struct gw_buf *out)
{
    struct gw_map shown;
    gw_buf_printf(out,
                  "# HELP %s When a certificate runs out, since the epoch; its first name and its "
                  "file.\n# TYPE %s gauge\n",
                  name, name);
    gw_map_init(&shown);
    for (size_t i = 0; i <= s->config->listen_count; i++)
        add_listener(out, s->tls[i], &shown);
    gw_map_release(&shown);
}
