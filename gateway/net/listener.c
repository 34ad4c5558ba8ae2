/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/base/log.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    struct gw_loop *loop;
    void (*on_accept)(void *ctx, struct conn *c);
    void *ctx;
    struct net_address address;
    bool bound_here; /* else: by somebody else, who minds a Unix socket's path */
};

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *l = stream->data;
    int err = status;
    struct conn *c = status == 0 ? conn_accept(l->loop, stream, &err) : NULL;
    if (c)
        l->on_accept(l->ctx, c);
    else if (err != UV_EAGAIN)
        gw_log_warn("accept failed error=\"%s\"; the connection is refused, listening goes on",
                    gw_strerror(err));
}

/* A socket file that nobody answers on is left over from a killed process. Nothing else goes: not a
 * file or a link that somebody's typing error names, and not the socket of a process that lives. */
static void remove_stale_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    struct net_address to;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || net_address_unix(gw_str_z(path), &to) != 0)
        return;
    if (connect(fd, &to.any, to.len) != 0 && errno == ECONNREFUSED)
        unlink(path);
    close(fd);
}

/* An open socket, bound, or a negative errno. SO_REUSEPORT (`shared`) has to be set before libuv
 * sees the descriptor. SO_REUSEADDR alone lets connections of a process that ended linger, but no
 * other listener. */
static int bind_socket(const struct net_address *at, bool shared)
{
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    if (net_address_is_unix(at)) {
        remove_stale_socket(at->un.sun_path);
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){shared}, sizeof(int));
    }
    /* Whatever net.ipv6.bindv6only says: "[::]:80" is IPv6 alone, and "0.0.0.0:80" beside it
     * another listener. */
    if (at->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, &at->any, at->len) != 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static int give_to_loop(struct listener *l, int fd)
{
    struct uv_loop_s *uv = gw_loop_uv(l->loop);
    if (net_address_is_unix(&l->address)) {
        uv_pipe_init(uv, &l->pipe, 0);
        l->handle.data = l;
        return uv_pipe_open(&l->pipe, fd);
    }
    uv_tcp_init(uv, &l->tcp);
    l->handle.data = l;
    return uv_tcp_open(&l->tcp, fd);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int listener_probe(const struct net_address *at)
{
    if (net_address_is_unix(at) || !net_address_port(at))
        return 0;
    int fd = bind_socket(at, false);
    if (fd >= 0)
        close(fd);
    return fd == -EADDRINUSE ? fd : 0;
}

static int begin(struct listener *l, int fd)
{
    int on = 1;
    if (!net_address_is_unix(&l->address)) /* what is accepted inherits it */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int err = give_to_loop(l, fd);
    if (err)
        close(fd);
    return err ? err : uv_listen(&l->stream, BACKLOG, on_connection);
}

struct listener *listener_adopt(struct gw_loop *loop, int fd,
                                void (*on_accept)(void *ctx, struct conn *c), void *ctx, int *err)
{
    struct listener *l = gw_zalloc(sizeof(*l));
    *l = (struct listener){.loop = loop, .on_accept = on_accept, .ctx = ctx};
    l->address.len = sizeof(l->address.un);
    if (getsockname(fd, &l->address.any, &l->address.len) != 0) {
        *err = -errno;
        close(fd);
        free(l);
        return NULL;
    }
    *err = begin(l, fd);
    if (!*err)
        return l;
    /* A handle it is in any case; the descriptor goes with it unless begin has closed it. */
    uv_close(&l->handle, on_closed);
    return NULL;
}

struct listener *listener_open(struct gw_loop *loop, const struct net_address *at,
                               void (*on_accept)(void *ctx, struct conn *c), void *ctx, int *err)
{
    int fd = bind_socket(at, true);
    if (fd < 0) {
        *err = fd;
        return NULL;
    }
    struct listener *l = listener_adopt(loop, fd, on_accept, ctx, err);
    if (l)
        l->bound_here = true;
    return l;
}

struct net_address listener_address(const struct listener *l)
{
    return l->address;
}

void listener_close(struct listener *l)
{
    if (!l)
        return;
    /* Before the close: a successor who binds the path in between would lose his file to us. */
    if (l->bound_here && net_address_is_unix(&l->address))
        unlink(l->address.un.sun_path);
    uv_close(&l->handle, on_closed);
}
