/* SPDX-License-Identifier: Apache-2.0 */
/* What servers and clients have in common: versions, ciphers, loading a pair of files. */
#include <errno.h>
#include <openssl/err.h>
#include <sys/stat.h>

#include "gateway/base/err.h"
#include "gateway/net/tls_inside.h"

/* RFC 9325 section 4.2: forward secrecy and AEAD only. AES-128 before AES-256: a third cheaper, and
 * nobody breaks either; ChaCha20 goes first for those who ask for it first (no AES hardware). */
#define CIPHERS_12                                                                                 \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS     "X25519:P-256:P-384"

SSL_CTX *tls_context_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(ctx, CIPHERS_12) || !SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) ||
        !SSL_CTX_set1_groups_list(ctx, GROUPS))
        abort(); /* constants that this OpenSSL does not know */
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ctx;
}

/* The queue is the thread's, not the connection's: what one leaves in it the next one would take
 * for its own. */
const char *tls_error(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    if (!text && code && ERR_SYSTEM_ERROR(code))
        text = gw_strerror(-ERR_GET_REASON(code));
    ERR_clear_error();
    return text ? text : "unexpected end of the connection";
}

static bool report(struct gw_diags *diags, const char *file, const char *what)
{
    gw_diag_file(diags, GW_DIAG_ERROR, file, "%s: %s", what, tls_error());
    return false;
}

/* A passphrase would be asked for on a terminal that may not be there. */
static int refuse_passphrase(char *out, int size, int writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)ctx = true;
    return -1;
}

static bool use_key(SSL_CTX *ctx, const struct tls_pair *pair, struct gw_diags *diags)
{
    bool encrypted = false;
    SSL_CTX_set_default_passwd_cb(ctx, refuse_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &encrypted);
    int used = SSL_CTX_use_PrivateKey_file(ctx, pair->key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    SSL_CTX_set_default_passwd_cb(ctx, NULL);
    if (used == 1)
        return true;
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
        ERR_clear_error();
        gw_diag_file(diags, GW_DIAG_ERROR, pair->key,
                     "this key does not belong to the certificate in %s", pair->certificate);
        return false;
    }
    if (!encrypted)
        return report(diags, pair->key, "this is no private key in PEM");
    ERR_clear_error();
    gw_diag_file(diags, GW_DIAG_ERROR, pair->key,
                 "this key has a passphrase; store it without one (openssl pkey -in OLD -out NEW)");
    return false;
}

/* Files that are not there are told apart first: OpenSSL's words for them name a source file of its
 * own. */
bool tls_context_use(SSL_CTX *ctx, const struct tls_pair *pair, struct gw_diags *diags)
{
    const char *const files[] = {pair->certificate, pair->key};
    struct stat info;
    for (size_t i = 0; i < GW_COUNT(files); i++) {
        if (stat(files[i], &info) == 0)
            continue;
        gw_diag_file(diags, GW_DIAG_ERROR, files[i], "cannot read it: %s", gw_strerror(-errno));
        return false;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, pair->certificate) != 1)
        return report(diags, pair->certificate, "this is no certificate in PEM");
    return use_key(ctx, pair, diags);
}

uint64_t tls_seconds(const ASN1_TIME *time)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    int64_t total = (int64_t)days * TLS_DAY_S + seconds;
    return total > 0 ? (uint64_t)total : 0;
}
