/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The process: what all workers share, and its life (start, reload, drain, stop).
 *
 * start: configuration → snapshot → sockets bound, or taken over → another user → workers running →
 * ready file. HUP or server_reload: a new snapshot is built beside the running one; on any error
 * the running one stays and the log says why. TERM, QUIT, INT: /readyz turns 503, listeners close,
 * exchanges finish, up to the drain deadline; a second TERM or INT exits at once.
 *
 * Thread: server_run the main thread; the others say so. Owns: everything here. */
#include <semaphore.h>

#include "cache/store.h"
#include "gateway/activation.h"
#include "gateway/api_purge_limit.h"
#include "gateway/control.h"
#include "gateway/privilege.h"
#include "gateway/recorder.h"
#include "gateway/worker.h"

struct server_options {
    const char *config_path; /* or NULL with flags */
    const struct config_flags *flags;
    const char *ready_file; /* or NULL: gets {"listen":[…],"admin":…,"pid":…} once ready */
    const char *user;       /* or NULL: "user" of the configuration */
    const char *seccomp;    /* "deny", "kill" or NULL: "seccomp" of the configuration */
};

struct server {
    struct server_options options;
    struct gw_clock clock;
    struct metrics *metrics;
    struct cache_store *cache;
    struct limiter_world *limiter;
    struct rate_counters *rate;         /* of rate limiting rules; they outlive snapshots */
    struct tls_tickets *tickets;        /* keys of session tickets, for all listeners */
    struct snapshot *snapshot;          /* the newest; main thread */
    struct control control;             /* what workers ask of the main thread */
    sem_t switched;                     /* posted by each worker that uses a new snapshot */
    struct api_purge_limit purge_limit; /* worker 0's */
    struct activation activation;       /* sockets of the service manager, until all are bound */
    struct privilege privilege;         /* who it becomes once the sockets are bound */
    struct recorder recorder;           /* of finished exchanges, while somebody looks */
    unsigned event_streams;             /* open ones of /api/events; worker 0's */
    struct worker *workers;
    unsigned worker_count;
    uint64_t ray_seed;
    uint64_t started_ms; /* kernel wall clock */
    _Atomic bool ready;  /* serving, not draining */
    _Atomic bool draining;
    _Atomic int connections; /* open client connections of all workers */
};

/* Serves until told to stop. Exit code of the verb `run`: 0 drained, 1 failure at run time, 3
 * configuration invalid. */
int server_run(const struct server_options *options);

/* Builds and installs a new snapshot from the same file. False when that failed: diags say why and
 * nothing changed. Main thread. */
GW_MUST bool server_reload(struct server *s, struct gw_diags *diags);
/* All workers use the snapshot when this returns; takes the reference over. Main thread, while it
 * serves. */
void server_install(struct server *s, struct snapshot *next);
