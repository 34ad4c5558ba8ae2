/* SPDX-License-Identifier: Apache-2.0 */
/* How an origin is spoken to: whom it must prove to be, who we are, and the session to resume. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/ip.h"
#include "gateway/net/tls_inside.h"

struct tls_client {
    _Atomic unsigned refs;
    SSL_CTX *ctx;
    char *name; /* NULL: an address, or not given: no SNI */
    pthread_mutex_t lock;
    SSL_SESSION *session; /* the newest, or NULL; under the lock */
};

/* TLS 1.3 sends tickets after the handshake, TLS 1.2 within it: the newest is the best. RFC 8446
 * appendix C.4 wants each used once, so that nobody who listens can tell that two visits are one
 * visitor's: an edge has nothing of that kind to hide from whoever watches its way to an origin. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    pthread_mutex_lock(&c->lock);
    SSL_SESSION *old = c->session;
    c->session = session;
    pthread_mutex_unlock(&c->lock);
    SSL_SESSION_free(old);
    return 1; /* the reference is ours now */
}

static bool trust(struct tls_client *c, const char *ca, struct gw_diags *diags)
{
    if (!ca)
        return SSL_CTX_set_default_verify_paths(c->ctx) == 1;
    if (SSL_CTX_load_verify_locations(c->ctx, ca, NULL) != 1) {
        gw_diag_file(diags, GW_DIAG_ERROR, ca, "this holds no certificate in PEM: %s", tls_error());
        return false;
    }
    /* Whatever the file names is trusted, also an intermediate authority or the origin's own. */
    X509_STORE_set_flags(SSL_CTX_get_cert_store(c->ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return true;
}

/* A name may be an address: then no SNI is sent (RFC 6066 section 3), and the certificate must hold
 * that address. */
static void expect(struct tls_client *c, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(c->ctx);
    struct gw_ip ip;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (!name)
        return;
    if (gw_ip_parse(gw_str_z(name), &ip)) {
        X509_VERIFY_PARAM_set1_ip_asc(param, name);
        return;
    }
    X509_VERIFY_PARAM_set1_host(param, name, 0);
    c->name = gw_strdup(name);
}

struct tls_client *tls_client_load(const struct tls_client_options *options, struct gw_diags *diags)
{
    static const unsigned char protocols[] = "\x08http/1.1"; /* all that upstream/client.h speaks */
    struct tls_client *c = gw_zalloc(sizeof(*c));
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    c->ctx = tls_context_new(TLS_client_method());
    SSL_CTX_set_app_data(c->ctx, c);
    SSL_CTX_set_alpn_protos(c->ctx, protocols, sizeof(protocols) - 1);
    /* OpenSSL's own store of a client is never looked into by OpenSSL: it would only grow. */
    SSL_CTX_set_session_cache_mode(c->ctx,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(c->ctx, on_session);
    SSL_CTX_set_verify(c->ctx, options->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    expect(c, options->name);
    bool ok = !options->verify || trust(c, options->ca, diags);
    if (ok && options->own.certificate)
        ok = tls_context_use(c->ctx, &options->own, diags);
    ERR_clear_error();
    if (ok)
        return c;
    tls_client_unref(c);
    return NULL;
}

struct tls_client *tls_client_for(struct gw_str name, const char *ca, struct gw_diags *diags)
{
    char *host = gw_str_dupz(name);
    const struct tls_client_options options = {.ca = ca, .name = host, .verify = true};
    struct tls_client *c = tls_client_load(&options, diags);
    free(host);
    return c;
}

struct tls_client *tls_client_ref(struct tls_client *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

/* The last reference is a snapshot's, a pool's or that of a connection that outlives both. */
void tls_client_unref(struct tls_client *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_SESSION_free(c->session);
    SSL_CTX_free(c->ctx);
    pthread_mutex_destroy(&c->lock);
    free(c->name);
    free(c);
}

SSL *tls_client_ssl(struct tls_client *c)
{
    SSL *ssl = SSL_new(c->ctx);
    if (!ssl)
        abort();
    if (c->name)
        SSL_set_tlsext_host_name(ssl, c->name);
    pthread_mutex_lock(&c->lock);
    if (c->session)
        SSL_set_session(ssl, c->session);
    pthread_mutex_unlock(&c->lock);
    return ssl;
}
