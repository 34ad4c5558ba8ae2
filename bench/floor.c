/* SPDX-License-Identifier: Apache-2.0 */
/* The floor: what libuv and llhttp alone cost for one request and one prepared answer, with one
 * read and one write each. No gateway on this stack can be cheaper; how much dearer ours is, is
 * the figure bench/compare prints. The same program is the comparison's origin: it counts what it
 * answers and tells the number at /__count, so that a "hit" that asked the origin is found out.
 *
 * Prints its port on stdout once it listens. Thread: one. */
#include <getopt.h>
#include <llhttp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#define READ_BYTES 65536
#define HEAD_MAX   1024

struct answer {
    char *bytes;
    size_t len;
};

struct floor {
    uv_loop_t loop;
    uv_tcp_t listener;
    llhttp_settings_t settings;
    struct answer answer, last_answer; /* the last one says that the connection ends */
    bool origin;                       /* count and tell */
    unsigned long long answered;
    char read_buffer[READ_BYTES]; /* one for all: a request is used up within its read callback */
};

struct connection {
    uv_tcp_t tcp;
    llhttp_t parser;
    struct floor *floor;
    bool asks_count;
};

/* The rest of an answer that the socket did not take at once. */
struct pending {
    uv_write_t request;
    char bytes[];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void hang_up(struct connection *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request); /* the first member of its struct pending */
}

/* Written at once where the socket takes it; only the rest of a large answer is queued. */
static void send_all(struct connection *c, const char *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
    int sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
    if (sent == (int)len)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        hang_up(c);
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    struct pending *rest = malloc(sizeof(*rest) + len - done);
    if (!rest)
        abort();
    memcpy(rest->bytes, bytes + done, len - done);
    buf = uv_buf_init(rest->bytes, (unsigned)(len - done));
    uv_write(&rest->request, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
}

/* Only set for the origin: the floor looks at nothing it need not. */
static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct connection *c = parser->data;
    c->asks_count = len == 8 && memcmp(at, "/__count", 8) == 0;
    return 0;
}

static void send_count(struct connection *c)
{
    char body[32], text[256];
    int body_len = snprintf(body, sizeof(body), "%llu\n", c->floor->answered);
    int len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
                       body_len, body);
    send_all(c, text, (size_t)len);
}

static int on_request(llhttp_t *parser)
{
    struct connection *c = parser->data;
    bool keep = llhttp_should_keep_alive(parser);
    const struct answer *answer = keep ? &c->floor->answer : &c->floor->last_answer;
    if (c->asks_count) {
        send_count(c);
    } else {
        c->floor->answered++;
        send_all(c, answer->bytes, answer->len);
    }
    if (!keep) { /* the parser must not see what follows on a connection that is closing */
        hang_up(c);
        return HPE_USER;
    }
    return 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct connection *c = handle->data;
    *buf = uv_buf_init(c->floor->read_buffer, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = stream->data;
    if (n < 0 || llhttp_execute(&c->parser, buf->base, (size_t)n) != HPE_OK)
        hang_up(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct floor *f = listener->data;
    struct connection *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;
    if (!c)
        return;
    uv_tcp_init(&f->loop, &c->tcp);
    c->tcp.data = c;
    c->floor = f;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        hang_up(c);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1); /* or a large answer waits for the acknowledgement of its start */
    llhttp_init(&c->parser, HTTP_REQUEST, &f->settings);
    c->parser.data = c;
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* Head and body in one piece. A 304 goes without a length: wrk would wait for as many bytes. */
static struct answer prepare(int status, size_t body_len, const char *cache_control,
                             const char *connection)
{
    struct answer a = {malloc(HEAD_MAX + body_len), 0};
    if (!a.bytes)
        abort();
    char date[64], length[48] = "";
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    /* The entity tag names the size, so that a conditional request is the same for every server. */
    size_t sent = status == 304 ? 0 : body_len;
    if (status != 304)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", body_len);
    int head = snprintf(a.bytes, HEAD_MAX,
                        "HTTP/1.1 %d %s\r\nServer: floor\r\nDate: %s\r\n"
                        "Content-Type: text/plain\r\n%sCache-Control: %s\r\n"
                        "ETag: \"bench-%zu\"\r\n"
                        "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n%s\r\n",
                        status, status == 200 ? "OK" : "Prepared", date, length, cache_control,
                        body_len, connection);
    memset(a.bytes + head, 'x', sent);
    a.len = (size_t)head + sent;
    return a;
}

static int listen_on(struct floor *f, int port)
{
    struct sockaddr_in address;
    int size = sizeof(address);
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(&f->loop, &f->listener);
    f->listener.data = f;
    int err = uv_tcp_bind(&f->listener, (struct sockaddr *)&address, 0);
    if (err == 0)
        err = uv_listen((uv_stream_t *)&f->listener, 1024, on_connection);
    if (err == 0)
        err = uv_tcp_getsockname(&f->listener, (struct sockaddr *)&address, &size);
    if (err != 0) {
        fprintf(stderr, "bench_floor: port %d: %s\n", port, uv_strerror(err));
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},   {"body", required_argument, NULL, 'b'},
        {"status", required_argument, NULL, 's'}, {"cache-control", required_argument, NULL, 'c'},
        {"origin", no_argument, NULL, 'o'},       {0},
    };
    static struct floor f;
    long port = 0, body = 1024, status = 200;
    const char *cache_control = "public, max-age=86400";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'p':
            port = strtol(optarg, NULL, 10);
            break;
        case 'b':
            body = strtol(optarg, NULL, 10);
            break;
        case 's':
            status = strtol(optarg, NULL, 10);
            break;
        case 'c':
            cache_control = optarg;
            break;
        case 'o':
            f.origin = true;
            break;
        default:
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN); /* a client that left in the middle of a large answer */
    f.answer = prepare((int)status, (size_t)body, cache_control, "");
    f.last_answer = prepare((int)status, (size_t)body, cache_control, "Connection: close\r\n");
    llhttp_settings_init(&f.settings);
    f.settings.on_message_complete = on_request;
    f.settings.on_url = f.origin ? on_url : NULL;
    uv_loop_init(&f.loop);
    if (listen_on(&f, (int)port) != 0)
        return 1;
    return uv_run(&f.loop, UV_RUN_DEFAULT);
}
