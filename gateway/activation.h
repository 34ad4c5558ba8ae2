/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Listening sockets that a service manager opened and passed on: sd_listen_fds(3)'s protocol,
 * descriptors from 3 on and LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES about them. They stay open
 * while the gateway is restarted, so that visitors wait instead of being refused, and ports below
 * 1024 need no privilege of the gateway's.
 *
 * A socket takes the place of the listener that has its address; names are for messages only,
 * since the address decides whom it serves. Nothing is half applied: the manager's descriptors are
 * only looked at here, each worker gets a copy, and all originals are closed once every listener is
 * bound. Thread: main, before others exist. Owns: the descriptors until activation_release.
 * Limits: ACTIVATION_MAX sockets. */
#include "gateway/net/address.h"

#define ACTIVATION_MAX 1024

struct activation_socket {
    int fd;
    struct net_address at; /* len 0: it is no listening stream socket */
    bool used;
};

struct activation {
    struct activation_socket *sockets;
    size_t count;
    char *names; /* as LISTEN_FDNAMES has them, or NULL */
};

/* Looks at what was passed to this process and sets close-on-exec. The variables are unset in any
 * case: they are nobody else's. Before the first descriptor of our own. */
void activation_take(struct activation *a);
/* How many sockets have this address. Never any with port 0, which is no address yet. */
size_t activation_count(const struct activation *a, const struct net_address *at);
/* A copy of one of them, the caller's: each number gets another one until they begin anew. -1 when
 * there is none. */
GW_MUST int activation_copy(struct activation *a, const struct net_address *at, size_t number);
/* Names in the log what no listener took. */
void activation_warn(const struct activation *a);
void activation_release(struct activation *a);
