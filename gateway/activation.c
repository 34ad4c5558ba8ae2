/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/activation.h"

#include <fcntl.h>
#include <unistd.h>

#include "gateway/base/log.h"

#define FIRST_DESCRIPTOR 3

/* The address of a connection of Accept=yes is its listener's, too: only what listens counts. */
static bool read_address(int fd, struct net_address *out)
{
    struct net_address at = {0};
    int type = 0, listens = 0;
    socklen_t size = sizeof(int);
    at.len = sizeof(at.un);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens ||
        getsockname(fd, &at.any, &at.len) != 0)
        return false;
    bool is_path = net_address_is_unix(&at) && memchr(at.un.sun_path, 0, sizeof(at.un.sun_path));
    if (at.any.sa_family != AF_INET && at.any.sa_family != AF_INET6 && !is_path)
        return false;
    *out = at;
    return true;
}

/* sd_listen_fds(3): LISTEN_PID says whose the sockets are. A program that was started by the
 * service, with its environment, must not take numbers 3 and on for its own. */
static bool read_count(uint64_t *count)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    uint64_t named;
    if (!pid || !fds || !gw_str_u64(gw_str_z(pid), INT32_MAX, &named) ||
        named != (uint64_t)getpid())
        return false;
    if (gw_str_u64(gw_str_z(fds), ACTIVATION_MAX, count))
        return true;
    gw_log_warn("passed sockets are left alone LISTEN_FDS=%.16s: it is a number up to %d", fds,
                ACTIVATION_MAX);
    return false;
}

void activation_take(struct activation *a)
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                                            "LISTEN_PIDFDID"};
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t count = 0;
    *a = (struct activation){0};
    if (read_count(&count) && count) {
        a->names = names ? gw_strdup(names) : NULL;
        a->sockets = gw_zalloc(count * sizeof(*a->sockets));
    }
    for (; a->count < count; a->count++) {
        struct activation_socket *s = &a->sockets[a->count];
        s->fd = FIRST_DESCRIPTOR + (int)a->count;
        fcntl(s->fd, F_SETFD, FD_CLOEXEC);
        if (!read_address(s->fd, &s->at))
            s->at.len = 0;
    }
    /* Nobody whom we start may think that they are his. */
    for (size_t i = 0; i < GW_COUNT(variables); i++)
        unsetenv(variables[i]);
}

static bool is_at(const struct activation_socket *s, const struct net_address *at)
{
    if (!s->at.len || s->at.any.sa_family != at->any.sa_family)
        return false;
    if (net_address_is_unix(at))
        return strncmp(s->at.un.sun_path, at->un.sun_path, sizeof(at->un.sun_path)) == 0;
    struct gw_ip ours = net_address_to_ip(at), theirs = net_address_to_ip(&s->at);
    return gw_ip_cmp(&ours, &theirs) == 0 && net_address_port(at) == net_address_port(&s->at);
}

size_t activation_count(const struct activation *a, const struct net_address *at)
{
    size_t found = 0;
    for (size_t i = 0; i < a->count; i++)
        found += is_at(&a->sockets[i], at);
    return found;
}

/* A copy for each worker: listeners close theirs when a worker drains, and the originals are closed
 * once all are bound. */
int activation_copy(struct activation *a, const struct net_address *at, size_t number)
{
    size_t found = activation_count(a, at);
    if (!found)
        return -1;
    size_t skip = number % found, i = 0;
    while (!is_at(&a->sockets[i], at) || skip-- > 0)
        i++;
    a->sockets[i].used = true;
    return fcntl(a->sockets[i].fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
}

static struct gw_str name_of(const struct activation *a, size_t socket)
{
    struct gw_str rest = gw_str_z(a->names), name = GW_STR_EMPTY;
    for (size_t i = 0; i <= socket; i++)
        if (!gw_str_next(&rest, ':', &name))
            return GW_STR("unknown"); /* what systemd calls a socket without a name */
    return gw_str_first(name, 64);
}

void activation_warn(const struct activation *a)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct activation_socket *s = &a->sockets[i];
        char text[NET_ADDRESS_TEXT_MAX] = "none";
        if (s->used)
            continue;
        if (s->at.len)
            net_address_format(&s->at, text);
        gw_log_warn("passed socket is closed descriptor=%d name=%.*s address=%s: %s", s->fd,
                    GW_STR_ARG(name_of(a, i)), text,
                    s->at.len ? "neither \"listen\" nor \"admin\" has this address"
                              : "it is no stream socket that listens");
    }
}

void activation_release(struct activation *a)
{
    for (size_t i = 0; i < a->count; i++)
        close(a->sockets[i].fd);
    free(a->sockets);
    free(a->names);
    *a = (struct activation){0};
}
