/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's view of a connection: it reads what was received and writes what will be sent, and
 * never sees a socket. A pair of memory BIOs would copy everything once more and keep two buffers
 * for each connection; SSL_set_fd would cost a read call for each record's header and another to
 * learn that there is nothing more. */
#include <pthread.h>

#include "gateway/net/tls_inside.h"

static int read_input(BIO *bio, char *out, int size)
{
    struct tls_conn *t = BIO_get_data(bio);
    size_t n = gw_min_size((size_t)size, t->input.len);
    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, t->input.ptr, n);
    t->input = gw_str_from(t->input, n);
    return (int)n;
}

/* Whoever makes records leaves room for them (tls_write.c); what OpenSSL writes of its own accord
 * is far below TLS_CONTROL. A chain of certificates that is larger comes in several pieces, with
 * the answer "later" in between. */
static int write_output(BIO *bio, const char *data, int size)
{
    struct tls_conn *t = BIO_get_data(bio);
    struct tls_scratch *s = t->scratch;
    size_t n = gw_min_size((size_t)size, sizeof(s->send) - s->send_len);
    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    memcpy(s->send + s->send_len, data, n);
    s->send_len += n;
    return (int)n;
}

/* A flush ends each flight of a handshake, and anything but 1 fails it. Whatever else is asked has
 * the answer "no". */
static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "nearedge");
    if (!method)
        abort();
    BIO_meth_set_read(method, read_input);
    BIO_meth_set_write(method, write_output);
    BIO_meth_set_ctrl(method, control);
    BIO_meth_set_create(method, create);
}

/* The method is a constant of the process, but has to be built. */
BIO *tls_bio_new(struct tls_conn *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    BIO *bio = BIO_new(method);
    if (!bio)
        abort();
    BIO_set_data(bio, t);
    return bio;
}
