/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of a listener: loading, choosing by SNI, ALPN, session tickets. One OpenSSL
 * context for each pair; the first one begins every handshake. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>

#include "gateway/base/clock.h"
#include "gateway/base/hash.h"
#include "gateway/net/tls_server_inside.h"
#include "gateway/net/tls_tickets.h"

/* ---- SNI ---- */

/* Names are kept in lower case; a wildcard as ".example.com", which stands for one label (RFC 9525
 * section 6.3). */
static void add_name(struct tls_server *s, const char *text, size_t len, SSL_CTX *ctx)
{
    char name[256];
    if (len == 0 || len > sizeof(name))
        return;
    for (size_t i = 0; i < len; i++)
        name[i] = gw_lower(text[i]);
    struct gw_str key = gw_str(name, len);
    if (gw_str_starts(key, GW_STR("*.")))
        key = gw_str_from(key, 1);
    if (!gw_map_get(&s->names, key))
        gw_map_put(&s->names, key, ctx);
}

/* Without a subjectAltName a certificate names nobody: browsers stopped reading the subject. */
static void add_names(struct tls_server *s, SSL_CTX *ctx)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(SSL_CTX_get0_certificate(ctx), NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *name = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type == GEN_DNS)
            add_name(s, (const char *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name),
                     ctx);
    }
    GENERAL_NAMES_free(names);
}

static SSL_CTX *find(const struct tls_server *s, struct gw_str host)
{
    char name[256];
    if (host.len == 0 || host.len > sizeof(name))
        return NULL;
    for (size_t i = 0; i < host.len; i++)
        name[i] = gw_lower(host.ptr[i]);
    struct gw_str key = gw_str(name, host.len);
    SSL_CTX *exact = key.ptr[0] == '.' ? NULL : gw_map_get(&s->names, key);
    size_t dot = gw_str_chr(key, '.');
    if (exact || dot == GW_NPOS || dot == 0)
        return exact;
    return gw_map_get(&s->names, gw_str_from(key, dot));
}

bool tls_server_covers(const struct tls_server *s, struct gw_str host)
{
    return find(s, host) != NULL;
}

/* Of the extension as it came: a list of one name (RFC 6066 section 3). OpenSSL refuses what is
 * malformed when it reads it itself. */
static struct gw_str name_in(const unsigned char *list, size_t len)
{
    if (len < 5 || list[2] != TLSEXT_NAMETYPE_host_name)
        return GW_STR_EMPTY;
    size_t name_len = (size_t)list[3] << 8 | list[4];
    return name_len == len - 5 ? gw_str((const char *)list + 5, name_len) : GW_STR_EMPTY;
}

/* The servername callback would come too late: by then a ticket has been looked at, and one of
 * another certificate taken. */
static int on_client_hello(SSL *ssl, int *alert, void *ctx)
{
    (void)alert;
    const unsigned char *list;
    size_t len;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &list, &len) != 1)
        return SSL_CLIENT_HELLO_SUCCESS;
    SSL_CTX *chosen = find(ctx, name_in(list, len));
    if (chosen)
        SSL_set_SSL_CTX(ssl, chosen);
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* Only so that OpenSSL tells the visitor that his name was heard. */
static int on_server_name(SSL *ssl, int *alert, void *ctx)
{
    (void)ssl, (void)alert, (void)ctx;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- ALPN ---- */

/* "h2,http/1.1" as RFC 7301 section 3.1 has it on the wire. */
static void set_protocols(struct tls_server *s, const char *protocols)
{
    struct gw_str rest = gw_str_z(protocols), name;
    while (gw_str_next(&rest, ',', &name) && s->protocols_len + 1 + name.len <= TLS_PROTOCOLS_MAX) {
        s->protocols[s->protocols_len] = (unsigned char)name.len;
        memcpy(s->protocols + s->protocols_len + 1, name.ptr, name.len);
        s->protocols_len += 1 + name.len;
    }
}

/* Who offers nothing that we speak is told so (section 3.2). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *ctx)
{
    (void)ssl;
    const struct tls_server *s = ctx;
    int found = SSL_select_next_proto((unsigned char **)out, out_len, s->protocols,
                                      (unsigned)s->protocols_len, in, in_len);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- tickets ---- */

static bool set_up(const struct tls_ticket_key *key, EVP_MAC_CTX *mac)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->hmac, sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's contract: 1 done, 2 done and please renew, 0 unknown (a full handshake), -1 failed. */
static int on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    struct tls_server *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const EVP_CIPHER *aes = EVP_aes_256_cbc();
    struct tls_ticket_key key;
    uint64_t now_ms = gw_kernel_mono_ms();
    if (sealing) {
        key = tls_tickets_seal(s->tickets, now_ms);
        memcpy(name, key.name, sizeof(key.name));
        gw_random(iv, (size_t)EVP_CIPHER_get_iv_length(aes));
        return EVP_EncryptInit_ex(cipher, aes, NULL, key.aes, iv) == 1 && set_up(&key, mac) ? 1
                                                                                            : -1;
    }
    bool old;
    if (!tls_tickets_open(s->tickets, now_ms, name, &key, &old))
        return 0;
    if (EVP_DecryptInit_ex(cipher, aes, NULL, key.aes, iv) != 1 || !set_up(&key, mac))
        return -1;
    return old ? 2 : 1;
}

void tls_server_use_tickets(struct tls_server *s, struct tls_tickets *tickets)
{
    s->tickets = tickets;
    for (size_t i = 0; i < s->count; i++) {
        SSL_CTX_clear_options(s->contexts[i], SSL_OP_NO_TICKET);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(s->contexts[i], on_ticket);
    }
}

/* A session is resumed where its certificate is shown and nowhere else: whoever sends a visitor of
 * one host to another one's listener must not be believed for his ticket (RFC 6066 section 3, RFC
 * 8446 section 4.6.1). A certificate that was renewed costs its visitors one handshake. */
static bool bind_sessions(SSL_CTX *ctx)
{
    unsigned char id[SSL_MAX_SID_CTX_LENGTH];
    unsigned len = sizeof(id);
    return X509_digest(SSL_CTX_get0_certificate(ctx), EVP_sha256(), id, &len) == 1 &&
           SSL_CTX_set_session_id_context(ctx, id, len) == 1;
}

/* ---- life ---- */

static SSL_CTX *load_pair(struct tls_server *s, const struct tls_pair *pair, struct gw_diags *diags)
{
    SSL_CTX *ctx = tls_context_new(TLS_server_method());
    SSL_CTX_set_app_data(ctx, s);
    SSL_CTX_set_client_hello_cb(ctx, on_client_hello, s);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, s);
    /* Sessions live in tickets alone, which any worker opens; a cache would need a lock for all. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, TLS_TICKETS_LIFE_S);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET); /* until there are keys */
    if (tls_context_use(ctx, pair, diags) && bind_sessions(ctx)) {
        add_names(s, ctx);
        return ctx;
    }
    SSL_CTX_free(ctx);
    return NULL;
}

struct tls_server *tls_server_load(const struct tls_pair *pairs, size_t count,
                                   const char *protocols, struct gw_diags *diags)
{
    bool ok = count > 0;
    struct tls_server *s = gw_zalloc(sizeof(*s));
    atomic_init(&s->refs, 1);
    gw_map_init(&s->names);
    set_protocols(s, protocols);
    s->contexts = gw_zalloc((count + 1) * sizeof(SSL_CTX *));
    s->pairs = gw_zalloc((count + 1) * sizeof(*s->pairs));
    for (size_t i = 0; i < count; i++) { /* all problems at once */
        SSL_CTX *ctx = load_pair(s, &pairs[i], diags);
        ok &= ctx != NULL;
        if (!ctx)
            continue;
        s->pairs[s->count] =
            (struct tls_pair){gw_strdup(pairs[i].certificate), gw_strdup(pairs[i].key)};
        s->contexts[s->count++] = ctx;
    }
    if (ok)
        return s;
    tls_server_unref(s);
    return NULL;
}

struct tls_server *tls_server_ref(struct tls_server *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

/* The last reference is a snapshot's or that of a connection that outlives a reload. A context may
 * live on in a handshake's SSL, which is freed before its connection lets go (tls_conn.c). */
void tls_server_unref(struct tls_server *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->count; i++) {
        SSL_CTX_free(s->contexts[i]);
        free((char *)s->pairs[i].certificate);
        free((char *)s->pairs[i].key);
    }
    free(s->contexts);
    free(s->pairs);
    gw_map_release(&s->names);
    free(s);
}

SSL *tls_server_ssl(struct tls_server *s)
{
    SSL *ssl = SSL_new(s->contexts[0]);
    if (!ssl)
        abort();
    return ssl;
}
