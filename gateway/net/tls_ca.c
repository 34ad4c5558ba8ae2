/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/tls_ca.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "gateway/base/ip.h"
#include "gateway/net/tls_inside.h"

#define BACKDATE_S (3600) /* clocks of containers and virtual machines lag */
#define SAN_MAX    ((size_t)512 * 1024)

struct extension {
    int nid;
    const char *value;
};

/* ---- PEM ---- */

static BIO *open_text(struct gw_str text)
{
    return BIO_new_mem_buf(text.ptr ? text.ptr : "", (int)gw_min_size(text.len, TLS_CA_PEM_MAX));
}

static X509 *read_certificate(struct gw_str text)
{
    BIO *bio = open_text(text);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

/* The passphrase is always empty: our own keys have none, and nobody is asked. */
static EVP_PKEY *read_key(struct gw_str text)
{
    BIO *bio = open_text(text);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
    BIO_free(bio);
    return key;
}

static void take_text(BIO *bio, struct gw_buf *out)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    gw_buf_add(out, gw_str(text, len > 0 ? (size_t)len : 0));
    BIO_free(bio);
}

static void write_pair(X509 *certificate, EVP_PKEY *key, struct gw_buf *certificate_out,
                       struct gw_buf *key_out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    take_text(bio, certificate_out);
    bio = BIO_new(BIO_s_secmem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    take_text(bio, key_out);
}

/* ---- making ---- */

/* RFC 5280 section 4.1.2.2: positive, at most 20 bytes, never the same twice: 126 random bits. The
 * first bit is 0 for the sign, the second 1 so that no leading zero changes the length. */
static bool set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return ok;
}

static bool set_validity(X509 *certificate, uint64_t now_s, unsigned days)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(now_s - BACKDATE_S)) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(now_s + days * TLS_DAY_S));
}

static bool set_name(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                      (const unsigned char *)"nearedge local development", -1, -1,
                                      0) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                      -1, 0);
}

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *list,
                           size_t count)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, &ctx, list[i].nid, list[i].value);
        bool ok = e && X509_add_ext(certificate, e, -1);
        X509_EXTENSION_free(e);
        if (!ok)
            return false;
    }
    return true;
}

bool tls_ca_create(const char *name, uint64_t now_s, struct gw_buf *certificate, struct gw_buf *key)
{
    /* The authority key identifier would point at itself: RFC 5280 section 4.2.1.1 allows to leave
     * it out. */
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
    };
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    bool ok = pair && x && X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
              set_validity(x, now_s, TLS_CA_DAYS) && set_name(x, name) &&
              X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_set_pubkey(x, pair) &&
              add_extensions(x, x, extensions, GW_COUNT(extensions)) &&
              X509_sign(x, pair, EVP_sha256());
    if (ok)
        write_pair(x, pair, certificate, key);
    X509_free(x);
    EVP_PKEY_free(pair);
    ERR_clear_error();
    return ok;
}

/* "DNS:www.example.com,IP:127.0.0.1" */
static void write_san(const struct tls_ca_order *order, struct gw_buf *out)
{
    for (size_t i = 0; i < order->count; i++) {
        struct gw_ip ip;
        bool address = gw_ip_parse(order->names[i], &ip);
        gw_buf_printf(out, "%s%s:%.*s", i ? "," : "", address ? "IP" : "DNS",
                      GW_STR_ARG(order->names[i]));
    }
    gw_buf_char(out, '\0');
}

/* The first name is the subject, for people; RFC 5280 appendix A.1 allows it 64 characters. */
static bool name_server(X509 *x, struct gw_str first)
{
    char name[65];
    snprintf(name, sizeof(name), "%.*s", (int)gw_min_size(first.len, 64), first.ptr);
    return set_name(x, name);
}

static bool sign_server(X509 *x, X509 *ca, EVP_PKEY *ca_key, const struct tls_ca_order *order)
{
    struct gw_buf san;
    gw_buf_init(&san, SAN_MAX);
    write_san(order, &san);
    const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
        {NID_subject_alt_name, san.data},
    };
    bool ok = !san.overflow && set_serial(x) && set_validity(x, order->now_s, TLS_CA_SERVER_DAYS) &&
              name_server(x, order->names[0]) &&
              X509_set_issuer_name(x, X509_get_subject_name(ca)) &&
              add_extensions(x, ca, extensions, GW_COUNT(extensions)) &&
              X509_sign(x, ca_key, EVP_sha256());
    gw_buf_release(&san);
    return ok;
}

bool tls_ca_issue(const struct tls_ca_order *order, struct gw_buf *certificate, struct gw_buf *key)
{
    X509 *ca = read_certificate(order->ca), *x = X509_new();
    EVP_PKEY *ca_key = read_key(order->ca_key), *pair = EVP_EC_gen("P-256");
    bool ok = ca && ca_key && x && pair && order->count > 0 && order->count <= TLS_CA_NAMES_MAX &&
              X509_check_private_key(ca, ca_key) && X509_set_version(x, X509_VERSION_3) &&
              X509_set_pubkey(x, pair) && sign_server(x, ca, ca_key, order);
    if (ok)
        write_pair(x, pair, certificate, key);
    X509_free(ca);
    X509_free(x);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(pair);
    ERR_clear_error();
    return ok;
}

/* ---- reading ---- */

static void write_fingerprint(const X509 *x, char out[3 * 32])
{
    unsigned char digest[32];
    unsigned len = sizeof(digest);
    if (X509_digest(x, EVP_sha256(), digest, &len) != 1)
        memset(digest, 0, sizeof(digest));
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(out + 3 * i, 4 - (i + 1 == sizeof(digest)), "%02X%s", digest[i],
                 i + 1 < sizeof(digest) ? ":" : "");
}

bool tls_ca_read(struct gw_str certificate, struct tls_ca_facts *out)
{
    X509 *x = read_certificate(certificate);
    ERR_clear_error();
    if (!x)
        return false;
    *out = (struct tls_ca_facts){.not_after_s = tls_seconds(X509_get0_notAfter(x))};
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out->subject,
                              sizeof(out->subject));
    write_fingerprint(x, out->sha256);
    X509_free(x);
    return true;
}

static bool has_name(X509 *x, struct gw_str name)
{
    char text[256];
    struct gw_ip ip;
    if (name.len >= sizeof(text))
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    if (gw_ip_parse(name, &ip))
        return X509_check_ip_asc(x, text, 0) == 1;
    /* As texts: a wildcard that was ordered is not there because a name below it is, nor the other
     * way round. */
    return X509_check_host(x, text, name.len, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
}

static size_t name_count(const X509 *x)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    int count = sk_GENERAL_NAME_num(names);
    GENERAL_NAMES_free(names);
    return count > 0 ? (size_t)count : 0;
}

bool tls_ca_fits(const struct tls_ca_order *order, struct gw_str certificate, struct gw_str key)
{
    X509 *ca = read_certificate(order->ca), *x = read_certificate(certificate);
    EVP_PKEY *pair = read_key(key);
    bool fits = ca && x && pair && X509_check_private_key(x, pair) == 1 &&
                X509_verify(x, X509_get0_pubkey(ca)) == 1 && name_count(x) == order->count;
    for (size_t i = 0; fits && i < order->count; i++)
        fits = has_name(x, order->names[i]);
    X509_free(ca);
    X509_free(x);
    EVP_PKEY_free(pair);
    ERR_clear_error();
    return fits;
}
