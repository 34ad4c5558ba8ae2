/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_tls.h"

#include "gateway/net/tls.h"
#include "gateway/trust.h"

static struct tls_client *for_local_ca(const struct config *config, struct gw_diags *diags)
{
    struct gw_arena arena;
    struct trust_files files;
    gw_arena_init(&arena, NULL, 0, 0);
    struct tls_client *client = NULL;
    if (trust_find(config, &config->admin.tls[0], &arena, &files, diags))
        client = tls_client_for(GW_STR("localhost"), files.ca.ptr, diags);
    gw_arena_clear(&arena);
    return client;
}

/* A wildcard stands for one label (RFC 9525 section 6.3), any one; a certificate without names has
 * its subject, which is localhost where people have made it for this. */
static struct tls_client *for_file(const char *file, struct gw_diags *diags)
{
    struct tls_certificate shown;
    char name[TLS_HOST_MAX + 8];
    if (!tls_certificate_read(file, &shown)) {
        gw_diag_file(diags, GW_DIAG_ERROR, file, "this is no certificate in PEM");
        return NULL;
    }
    bool wildcard = shown.host[0] == '*';
    snprintf(name, sizeof(name), "%s%s", wildcard ? "admin" : "", shown.host + wildcard);
    return tls_client_for(gw_str_z(name[0] ? name : "localhost"), file, diags);
}

/* The first one: it answers whoever names nobody, and its own name chooses it. */
struct tls_client *admin_tls_client(const struct config *config, struct gw_diags *diags)
{
    const struct config_certificate *c = &config->admin.tls[0];
    return c->local_ca ? for_local_ca(config, diags) : for_file(c->certificate.ptr, diags);
}
