/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What TLS's own files share: contexts, the state of one connection, the scratch of one loop.
 * Internal to gateway/net/tls*.
 *
 * The path of bytes: libuv reads the socket into the loop's read buffer; OpenSSL takes them from
 * there through a BIO of ours (tls_bio.c) and plain text appears in the scratch, which on_read
 * shows. Written parts are gathered into records, whose cipher text the same BIO collects in the
 * scratch, and one system call sends them. So a request on a kept connection costs one read and one
 * write, as without TLS, and no connection holds a buffer while it is idle
 * (SSL_MODE_RELEASE_BUFFERS). Thread: the loop's; contexts any. */
#include <openssl/ssl.h>

#include "gateway/base/list.h"
#include "gateway/net/conn_inside.h"
#include "gateway/net/tls.h"

#define TLS_RECORD   ((size_t)16384)     /* plain text of one record (RFC 8446 section 5.1) */
#define TLS_OVERHEAD ((size_t)256)       /* of a record at most */
#define TLS_PLAIN    ((size_t)64 * 1024) /* shown to on_read at once */
#define TLS_DAY_S    86400
#define TLS_CONTROL  ((size_t)2 * 16384) /* what a handshake or an alert may add to `send` */

/* One for each loop; nothing in it outlives the call that filled it. */
struct tls_scratch {
    char plain[TLS_PLAIN];
    char gather[TLS_RECORD]; /* small parts on their way into one record */
    size_t send_len;
    char send[CONN_TLS_SEND_MAX + TLS_CONTROL];
};

struct tls_conn {
    struct conn *conn;
    SSL *ssl;
    struct tls_server *server; /* a reference: its callbacks run in handshakes; NULL for a client */
    struct tls_client *client; /* likewise */
    struct tls_scratch *scratch;
    struct gw_str input;   /* cipher text that OpenSSL has not taken yet */
    struct gw_str stash;   /* the same, owned, while the owner does not read */
    struct gw_task resume; /* goes on with the stash in a later turn */
    struct gw_list queue;  /* struct tls_waiting: plain text behind what the kernel has not taken */
    bool greeting;         /* the handshake has begun and not ended */
    bool broken;           /* nothing can be read or written any more */
    bool heard;            /* a byte of the peer has come */
    bool ended;            /* close_notify came */
    bool shut;             /* send close_notify once the queue is empty */
    const char *failure;
};

/* ---- tls_bio.c ---- */

BIO *tls_bio_new(struct tls_conn *t);

/* ---- tls_write.c: the sending half of the layer ---- */

/* Hands what the BIO has collected to the socket. */
GW_MUST int tls_flush(struct tls_conn *t);
int tls_write(struct conn *c, const struct iovec *parts, size_t count,
              const struct conn_hold *hold);
void tls_sent(struct conn *c);
void tls_shut(struct conn *c);
void tls_last_word(struct conn *c);
void tls_drop_queue(struct tls_conn *t);

/* ---- contexts ---- */

/* What both sides have in common: versions, modes, options. */
SSL_CTX *tls_context_new(const SSL_METHOD *method);
/* Loads certificate, chain and key; problems are in diags. */
GW_MUST bool tls_context_use(SSL_CTX *ctx, const struct tls_pair *pair, struct gw_diags *diags);
/* The newest error of this thread in words; the queue is empty after it. */
const char *tls_error(void);

/* Since the epoch; what was before it is 0. */
uint64_t tls_seconds(const ASN1_TIME *time);

SSL *tls_server_ssl(struct tls_server *s);
SSL *tls_client_ssl(struct tls_client *c);
