/* SPDX-License-Identifier: Apache-2.0 */
/* What `check`, the start and metrics say about certificates that load: works today, maybe not
 * tomorrow. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

#include "gateway/base/ip.h"
#include "gateway/net/tls_server_inside.h"

static void check_dates(const X509 *certificate, const char *file, time_t now,
                        struct gw_diags *diags)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *to = X509_get0_notAfter(certificate);
    struct tm tm;
    char text[32];
    int days = 0, seconds = 0;
    ASN1_TIME *today = ASN1_TIME_set(NULL, now);
    ASN1_TIME_diff(&days, &seconds, today, to);
    ASN1_TIME_free(today);
    if (!ASN1_TIME_to_tm(to, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d", &tm))
        return;
    if (ASN1_TIME_cmp_time_t(from, now) > 0)
        gw_diag_file(diags, GW_DIAG_WARNING, file, "this certificate is not valid yet");
    else if (ASN1_TIME_cmp_time_t(to, now) <= 0)
        gw_diag_file(diags, GW_DIAG_WARNING, file,
                     "this certificate expired on %s: browsers refuse it", text);
    else if (days < TLS_EXPIRES_SOON_DAYS)
        gw_diag_file(diags, GW_DIAG_WARNING, file, "this certificate expires on %s, in %d days",
                     text, days);
}

static void check_permissions(const char *file, struct gw_diags *diags)
{
    struct stat info;
    if (stat(file, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH)))
        gw_diag_file(diags, GW_DIAG_WARNING, file,
                     "every user of this machine may read this private key (mode %03o); chmod 600",
                     (unsigned)info.st_mode & 0777);
}

void tls_server_check(const struct tls_server *s, uint64_t wall_ms, struct gw_diags *diags)
{
    for (size_t i = 0; i < s->count; i++) {
        check_dates(SSL_CTX_get0_certificate(s->contexts[i]), s->pairs[i].certificate,
                    (time_t)(wall_ms / 1000), diags);
        check_permissions(s->pairs[i].key, diags);
    }
}

static bool name_of(const GENERAL_NAME *entry, char out[TLS_HOST_MAX])
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(entry, &type);
    if (type != GEN_DNS && type != GEN_IPADD)
        return false;
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    size_t len = (size_t)ASN1_STRING_length(value);
    if (type == GEN_DNS) {
        snprintf(out, TLS_HOST_MAX, "%.*s", (int)gw_min_size(len, TLS_HOST_MAX), bytes);
        return true;
    }
    struct gw_ip ip = {.family = len == 4 ? GW_IP_V4 : GW_IP_V6};
    if (len != 4 && len != sizeof(ip.bytes))
        return false;
    memcpy(ip.bytes, bytes, len);
    gw_ip_format(&ip, out);
    return true;
}

static void describe(const X509 *x, const char *file, struct tls_certificate *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    *out =
        (struct tls_certificate){.file = file, .not_after_s = tls_seconds(X509_get0_notAfter(x))};
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (name_of(sk_GENERAL_NAME_value(names, i), out->host))
            break;
    GENERAL_NAMES_free(names);
}

bool tls_server_certificate(const struct tls_server *s, size_t pair, struct tls_certificate *out)
{
    if (pair < s->count)
        describe(SSL_CTX_get0_certificate(s->contexts[pair]), s->pairs[pair].certificate, out);
    return pair < s->count;
}

bool tls_certificate_read(const char *file, struct tls_certificate *out)
{
    BIO *bio = BIO_new_file(file, "r");
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (x)
        describe(x, file, out);
    BIO_free(bio);
    X509_free(x);
    ERR_clear_error();
    return x != NULL;
}
