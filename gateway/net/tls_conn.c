/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake and the receiving half of the TLS layer, and what conn.h offers about TLS. Whenever
 * a function here is entered OpenSSL's error queue is empty: SSL_get_error would take an old entry
 * for a new failure. */
#include "gateway/net/tls_inside.h"

static const struct conn_layer tls_layer;

/* ---- the end of reading ---- */

static void stop_reading(struct conn *c)
{
    conn_poll(c, false);
    c->reading = false;
}

static void fail(struct tls_conn *t, int err)
{
    t->broken = true;
    stop_reading(t->conn);
    if (t->conn->events->on_error)
        t->conn->events->on_error(t->conn->ctx, err);
}

static void end(struct tls_conn *t)
{
    t->ended = true;
    stop_reading(t->conn);
    if (t->conn->events->on_eof)
        t->conn->events->on_eof(t->conn->ctx);
}

/* ---- the handshake ---- */

/* The handshake has read the socket whatever the owner wanted; from here on his wish counts, if he
 * has not closed or begun to finish (which reads by itself). The flags change before he is told: he
 * may write at once. */
static void told_greeting(struct tls_conn *t, int err)
{
    struct conn *c = t->conn;
    t->greeting = false;
    t->broken = err != 0;
    c->events->on_connect(c->ctx, err);
    if (!c->finishing)
        conn_poll(c, c->reading && !err);
}

static int handshake_error(struct tls_conn *t)
{
    long verdict = SSL_get_verify_result(t->ssl);
    const char *error = tls_error();
    /* Without verification there is a verdict too, and it is not why this failed. */
    bool verified = SSL_get_verify_mode(t->ssl) & SSL_VERIFY_PEER;
    if (t->client && verified && verdict != X509_V_OK) {
        t->failure = X509_verify_cert_error_string(verdict);
        return GW_ECERT;
    }
    t->failure = error;
    return GW_ETLS;
}

/* True when it has ended, well or not: then the owner was told. */
static bool greet(struct tls_conn *t)
{
    int done, flushed, reason;
    do { /* again when a large chain of certificates filled the scratch */
        done = SSL_do_handshake(t->ssl);
        reason = done == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, done);
        flushed = tls_flush(t);
    } while (reason == SSL_ERROR_WANT_WRITE && !flushed);
    if (done == 1) {
        told_greeting(t, 0);
        return true;
    }
    if (reason == SSL_ERROR_WANT_READ && !flushed)
        return false;
    told_greeting(t, flushed ? flushed : handshake_error(t));
    return true;
}

/* A method's first letter where a handshake record (22) should begin: nginx and Cloudflare answer
 * such a client in words. */
static bool is_plain_http(struct tls_conn *t, struct gw_str bytes)
{
    bool first = !t->heard;
    t->heard = true;
    return first && !t->client && bytes.ptr[0] >= 'A' && bytes.ptr[0] <= 'Z';
}

/* ---- reading ---- */

/* The peer's close_notify has come. OpenSSL says so again whenever it is asked, so that an owner
 * who has paused hears of it when he reads on, as he would of a FIN: requests that came before it
 * may still wait for their turn. */
static bool has_ended(const struct tls_conn *t)
{
    return SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN;
}

/* There is something to tell an owner who reads on, without the socket. */
static bool has_news(const struct tls_conn *t)
{
    return t->stash.len || has_ended(t);
}

/* Fills the scratch from the input. The reason why there is no more for now, SSL_ERROR_NONE when
 * the scratch is full. Asking OpenSSL only while there is something to decrypt saves the call that
 * would just say "later". */
static int decrypt(struct tls_conn *t, size_t *len)
{
    *len = 0;
    while (TLS_PLAIN - *len >= TLS_RECORD) {
        if (!t->input.len && !SSL_has_pending(t->ssl) && !has_ended(t))
            return SSL_ERROR_WANT_READ;
        int n = SSL_read(t->ssl, t->scratch->plain + *len, (int)(TLS_PLAIN - *len));
        if (n <= 0)
            return SSL_get_error(t->ssl, n);
        *len += (size_t)n;
    }
    return SSL_ERROR_NONE;
}

/* What could not be decrypted; the peer's alert, if that is why. */
static void on_broken(struct tls_conn *t)
{
    t->failure = tls_error();
    fail(t, GW_ETLS);
}

static void read_input(struct tls_conn *t)
{
    struct conn *c = t->conn;
    int reason = SSL_ERROR_NONE;
    while (reason == SSL_ERROR_NONE && c->reading && !c->closing && !c->finishing) {
        size_t len;
        reason = decrypt(t, &len);
        /* Before the owner hears of it: he may write to other connections of the loop, whose
         * records go through the same scratch. */
        int flushed = tls_flush(t); /* answers to key updates, alerts */
        if (len && c->events->on_read)
            c->events->on_read(c->ctx, gw_str(t->scratch->plain, len));
        if (c->closing ||
            c->finishing) /* by on_read; the memory stays until the handle is closed */
            return;
        bool over = reason == SSL_ERROR_ZERO_RETURN;
        if (over && c->reading)
            end(t);
        else if (!over && reason != SSL_ERROR_NONE && reason != SSL_ERROR_WANT_READ)
            on_broken(t);
        else if (flushed)
            fail(t, flushed);
    }
}

/* What the owner does not want now is kept as it came: one read buffer, and one more that was
 * already on its way. */
static void keep_rest(struct tls_conn *t)
{
    char *copy = t->input.len ? gw_alloc(t->input.len) : NULL;
    if (copy)
        memcpy(copy, t->input.ptr, t->input.len);
    t->stash = gw_str(copy, t->input.len);
    t->input = GW_STR_EMPTY;
}

static void take(struct tls_conn *t, struct gw_str bytes)
{
    struct conn *c = t->conn;
    t->input = bytes;
    if (t->greeting && is_plain_http(t, bytes))
        told_greeting(t, GW_EPLAIN_HTTP);
    else if (!t->greeting || greet(t))
        if (!t->broken && !t->ended)
            read_input(t);
    if (c->closing || c->finishing || !c->tls || t->broken || t->ended)
        t->input = GW_STR_EMPTY; /* it is the caller's memory */
    else
        keep_rest(t);
}

static void tls_bytes(struct conn *c, struct gw_str bytes)
{
    struct tls_conn *t = c->tls;
    if (t->broken || t->ended)
        return;
    if (!t->stash.len) {
        take(t, bytes);
        return;
    }
    char *both = gw_realloc((char *)t->stash.ptr, t->stash.len + bytes.len);
    memcpy(both + t->stash.len, bytes.ptr, bytes.len);
    t->stash = gw_str(both, t->stash.len + bytes.len);
}

static void take_stash(struct gw_task *task)
{
    struct tls_conn *t = gw_container_of(task, struct tls_conn, resume);
    struct gw_str stash = t->stash;
    t->stash = GW_STR_EMPTY;
    if (!t->conn->closing && !t->conn->finishing && t->conn->reading)
        take(t, stash);
    else
        t->stash = stash;
    if (t->stash.ptr != stash.ptr)
        free((char *)stash.ptr);
}

static void tls_resumed(struct conn *c)
{
    struct tls_conn *t = c->tls;
    if (t->broken || t->ended)
        return;
    if (has_news(t))
        gw_loop_defer(c->loop, &t->resume);
    conn_poll(c, true);
}

/* RFC 8446 section 6.1: without close_notify anybody may have cut the connection. A server does not
 * mind: requests say where they end. */
static void tls_end(struct conn *c, int err)
{
    struct tls_conn *t = c->tls;
    if (t->greeting) {
        t->failure = "the peer closed the connection during the handshake";
        told_greeting(t, t->client || t->heard ? GW_ETLS : GW_ECLOSED);
        return;
    }
    if (has_news(t) && c->reading) { /* what came before the end is told before it */
        gw_task_cancel(&t->resume);
        take_stash(&t->resume);
    }
    if (t->broken || t->ended || c->closing || c->finishing)
        return;
    if (has_news(t)) /* the owner has paused: the socket says it again when he reads on */
        return;
    if (err || t->client)
        fail(t, err ? err : GW_ETRUNCATED);
    else
        end(t);
}

/* ---- life ---- */

/* A session whose connection ended without close_notify would not be resumed (RFC 5246 section
 * 7.2.1, given up by everybody since): OpenSSL is told that all is well. */
static void free_tls(struct tls_conn *t)
{
    tls_drop_queue(t);
    gw_task_cancel(&t->resume);
    SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    tls_server_unref(t->server);
    tls_client_unref(t->client);
    free((char *)t->stash.ptr);
    free(t);
}

/* Plain again for the owner's on_close, which may ask for facts that are gone. */
static void tls_release(struct conn *c)
{
    free_tls(c->tls);
    c->tls = NULL;
    c->layer = &conn_plain;
}

static const struct conn_layer tls_layer = {
    .on_bytes = tls_bytes,
    .on_end = tls_end,
    .on_sent = tls_sent,
    .on_resumed = tls_resumed,
    .write = tls_write,
    .shut = tls_shut,
    .last_word = tls_last_word,
    .release = tls_release,
};

static struct tls_conn *begin(struct conn *c, SSL *ssl)
{
    struct tls_conn *t = gw_zalloc(sizeof(*t));
    t->conn = c;
    t->ssl = ssl;
    t->scratch = gw_loop_scratch(c->loop, sizeof(*t->scratch));
    t->greeting = true;
    gw_list_init(&t->queue);
    gw_task_init(&t->resume, take_stash);
    BIO *bio = tls_bio_new(t);
    SSL_set_bio(ssl, bio, bio);
    c->tls = t;
    c->layer = &tls_layer;
    conn_poll(c, true);
    return t;
}

void conn_tls_accept(struct conn *c, struct tls_server *tls)
{
    struct tls_conn *t = begin(c, tls_server_ssl(tls));
    t->server = tls_server_ref(tls);
    SSL_set_accept_state(t->ssl);
}

/* The first message goes out in a later turn, so that a failure is told in one. */
static void start_client(struct gw_task *task)
{
    struct tls_conn *t = gw_container_of(task, struct tls_conn, resume);
    t->resume.run = take_stash;
    if (!t->conn->closing && !t->conn->finishing)
        greet(t);
}

void conn_tls_connect(struct conn *c, struct tls_client *tls)
{
    struct tls_conn *t = begin(c, tls_client_ssl(tls));
    t->client = tls_client_ref(tls);
    SSL_set_connect_state(t->ssl);
    t->resume.run = start_client;
    gw_loop_defer(c->loop, &t->resume);
}

bool conn_tls_is_greeting(const struct conn *c)
{
    return c->tls && c->tls->greeting;
}

static void free_late(struct gw_task *task)
{
    free_tls(gw_container_of(task, struct tls_conn, resume));
}

/* Its caller is told by a function that still looks at it. Nothing could be written yet, so that
 * free_late finds an empty queue and does not touch the connection, which may be gone first. */
void conn_tls_drop(struct conn *c)
{
    struct tls_conn *t = c->tls;
    c->tls = NULL;
    c->layer = &conn_plain;
    t->resume.run = free_late;
    gw_loop_defer(c->loop, &t->resume);
}

/* ---- what was settled ---- */

struct gw_str conn_alpn(const struct conn *c)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    if (c->tls)
        SSL_get0_alpn_selected(c->tls->ssl, &name, &len);
    return gw_str((const char *)name, len);
}

struct conn_tls_facts conn_tls_facts(const struct conn *c)
{
    const struct tls_conn *t = c->tls;
    if (!t)
        return (struct conn_tls_facts){0};
    return (struct conn_tls_facts){.version = SSL_get_version(t->ssl),
                                   .cipher = SSL_get_cipher_name(t->ssl),
                                   .resumed = SSL_session_reused(t->ssl),
                                   .failure = t->failure};
}
