/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigwaitinfo, pthread_setname_np */
#include "gateway/server.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/api_rulesets_store.h"
#include "gateway/base/hash.h"
#include "gateway/cli.h"
#include "gateway/faults.h"
#include "gateway/net/tls_tickets.h"
#include "gateway/notify.h"
#include "gateway/ready_file.h"
#include "gateway/seccomp.h"
#include "gateway/trust.h"
#include "limiter/rate_rules.h"
#include "limiter/state.h"

/* ---- configuration ---- */

static struct config *load_config(const struct server_options *options, struct gw_diags *diags)
{
    if (options->config_path)
        return config_load(options->config_path, NULL, diags);
    return config_from_flags(options->flags, diags);
}

/* NULL after an error, which is in diags. Takes the configuration over, which may be NULL. */
static struct snapshot *build_snapshot(struct server *s, struct config *config,
                                       struct gw_diags *diags)
{
    if (!config)
        return NULL;
    bool prepared = trust_prepare(config, gw_kernel_wall_ms(), diags);
    struct snapshot *next = snapshot_build(config, s->metrics, diags);
    if (prepared)
        return next;
    snapshot_unref(next);
    return NULL;
}

static bool same_backend(const struct config_backend *a, const struct config_backend *b)
{
    bool same = a->kind == b->kind && gw_str_eq(a->host, b->host) && a->port == b->port &&
                gw_str_eq(a->unix_path, b->unix_path) && a->db == b->db &&
                a->cluster == b->cluster && a->other_count == b->other_count;
    for (size_t i = 0; same && i < a->other_count; i++)
        same = gw_str_eq(a->others[i].host, b->others[i].host) &&
               a->others[i].port == b->others[i].port;
    return same;
}

/* Sockets, threads, memory ceilings and the backend stay as they were at start: saying so beats
 * ignoring it. */
static void warn_about_restart(const struct config *old, const struct config *now)
{
    bool listen = old->listen_count != now->listen_count;
    for (size_t i = 0; !listen && i < now->listen_count; i++)
        listen = !gw_str_eq(old->listen[i].address.text, now->listen[i].address.text) ||
                 !old->listen[i].tls_count != !now->listen[i].tls_count;
    const struct {
        bool changed;
        const char *what;
    } fixed[] = {
        {listen || !gw_str_eq(old->admin.address.text, now->admin.address.text) ||
             !old->admin.tls_count != !now->admin.tls_count,
         "listen, admin"},
        {old->workers != now->workers, "workers"},
        {old->clock != now->clock, "clock"},
        {old->cache.max_size != now->cache.max_size, "cache.max_size"},
        {!same_backend(&old->limiter.backend, &now->limiter.backend), "limiter.backend"},
        {!gw_str_eq(old->user, now->user), "user"},
        {old->seccomp != now->seccomp || old->seccomp_action != now->seccomp_action, "seccomp"},
    };
    for (size_t i = 0; i < GW_COUNT(fixed); i++)
        if (fixed[i].changed)
            gw_log_warn("reload keeps the old value of \"%s\": it changes only with a restart",
                        fixed[i].what);
}

/* A worker switches at the start of one of its turns, so this waits for less than a turn: all are
 * told before the first is waited for. Who has asked for the change over the API hears of it behind
 * this, and sees it on every worker. */
void server_install(struct server *s, struct snapshot *next)
{
    limiter_world_cut_off(s->limiter, fault_set_cuts_counters(next->faults));
    for (unsigned i = 0; i < s->worker_count; i++)
        worker_reload(&s->workers[i], next);
    for (unsigned i = 0; i < s->worker_count; i++)
        while (sem_wait(&s->switched) != 0) /* EINTR */
            continue;
    snapshot_unref(s->snapshot);
    s->snapshot = next;
}

static bool has_faults_of_its_own(const struct snapshot *s)
{
    size_t configured = 0, kept = 0, count = s->faults ? s->faults->count : 0;
    for (size_t i = 0; i < s->config->zone_count; i++)
        configured += s->config->zones[i].fault_count;
    while (kept < count && !s->faults->items[kept]->from_api)
        kept++;
    return kept != count || kept != configured;
}

/* The files are read again: what the API changed and nobody saved is gone. */
static void warn_about_unsaved(const struct snapshot *old)
{
    for (size_t i = 0; i < old->zone_count; i++) {
        const struct snapshot_zone *zone = &old->zones[i];
        if (zone->documents->unsaved)
            gw_log_warn(
                "reload replaces the rulesets changed through the API by those of the files "
                "zone=%.*s",
                GW_STR_ARG(zone->config->name));
        if (zone->changed.zones)
            gw_log_warn("reload replaces the settings changed through the API by those of the "
                        "configuration zone=%.*s",
                        GW_STR_ARG(zone->config->name));
    }
    if (has_faults_of_its_own(old))
        gw_log_warn("reload replaces the faults changed through the API by those of the "
                    "configuration");
}

static void note_load(struct server *s, bool ok)
{
    metrics_set(s->metrics, METRIC_CONFIG_RELOAD, ok);
    if (ok)
        metrics_set(s->metrics, METRIC_CONFIG_RELOADED_AT, (int64_t)(gw_kernel_wall_ms() / 1000));
}

bool server_reload(struct server *s, struct gw_diags *diags)
{
    struct snapshot *next = build_snapshot(s, load_config(&s->options, diags), diags);
    note_load(s, next != NULL);
    if (!next)
        return false;
    snapshot_attach_cache(next, s->cache);
    snapshot_attach_tickets(next, s->tickets);
    warn_about_restart(s->snapshot->config, next->config);
    warn_about_unsaved(s->snapshot);
    gw_log_setup(next->config->log.level, STDERR_FILENO);
    recorder_keep(&s->recorder, next->config->admin.record);
    server_install(s, next);
    return true;
}

static void reload_and_log(struct server *s)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    notify(NOTIFY_RELOADING, NULL);
    bool ok = server_reload(s, &diags);
    gw_diags_print(&diags, stderr, false);
    if (ok)
        gw_log_info("configuration reloaded zones=%zu", s->snapshot->zone_count);
    else
        gw_log_error("reload failed errors=%zu: the running configuration stays", diags.errors);
    notify(NOTIFY_READY, ok ? "serving" : "serving; the last reload failed, see the log");
    gw_diags_release(&diags);
}

/* ---- start ---- */

/* Ten thousand idle clients are ten thousand descriptors. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static struct net_address address_of(const struct config_address *a)
{
    struct net_address at = {0};
    if (!a->unix_path.len)
        return net_address_ip(&a->ip, a->port);
    return net_address_unix(a->unix_path, &at) == 0 ? at : (struct net_address){0};
}

static bool say_bound(int err, struct gw_str address)
{
    if (err)
        fprintf(stderr, "nearedge: cannot listen on %.*s: %s%s\n", GW_STR_ARG(address),
                gw_strerror(err),
                err == -EADDRINUSE ? ": another process listens there; stop it, or choose another "
                                     "address"
                                   : "");
    return err == 0;
}

static bool is_free(const struct server *s, const struct config_address *wanted)
{
    struct net_address at = address_of(wanted);
    return activation_count(&s->activation, &at) || say_bound(listener_probe(&at), wanted->text);
}

/* Before the first socket of our own is open, which may be on all addresses and another on one. */
static bool are_all_free(const struct server *s)
{
    const struct config *config = s->snapshot->config;
    for (size_t i = 0; i < config->listen_count; i++)
        if (!is_free(s, &config->listen[i].address))
            return false;
    return !config->admin.enabled || is_free(s, &config->admin.address);
}

/* Sockets that were passed for this address: one for each worker, so that the kernel spreads
 * connections as over sockets of our own, or fewer, which several workers then share. With more
 * there would be queues that nobody looks into, for the manager keeps them open. */
static bool can_take(const struct server *s, const struct net_address *at, unsigned workers,
                     struct gw_str address)
{
    size_t passed = activation_count(&s->activation, at);
    if (passed > workers)
        fprintf(
            stderr,
            "nearedge: cannot listen on %.*s: %zu sockets are passed for %u workers; leave some "
            "out, or raise \"workers\"\n",
            GW_STR_ARG(address), passed, workers);
    else if (passed)
        gw_log_info("listening on passed sockets address=%.*s sockets=%zu workers=%u",
                    GW_STR_ARG(address), passed, workers);
    return passed <= workers;
}

/* Worker 0 binds first: with port 0 the others need the port that the kernel chose. A Unix socket
 * has one owner. */
static bool bind_door(struct server *s, size_t door)
{
    const struct config_address *wanted = &s->snapshot->config->listen[door].address;
    struct net_address at = address_of(wanted);
    unsigned workers = net_address_is_unix(&at) ? 1 : s->worker_count;
    if (!can_take(s, &at, workers, wanted->text))
        return false;
    for (unsigned i = 0; i < workers; i++) {
        int fd = activation_copy(&s->activation, &at, i);
        if (!say_bound(worker_listen(&s->workers[i], door, &at, fd), wanted->text))
            return false;
        at = listener_address(s->workers[0].listeners[door]);
    }
    return true;
}

static bool bind_admin(struct server *s)
{
    const struct config_address *wanted = &s->snapshot->config->admin.address;
    struct net_address at = address_of(wanted);
    if (!can_take(s, &at, 1, wanted->text))
        return false;
    int fd = activation_copy(&s->activation, &at, 0);
    return say_bound(worker_listen_admin(&s->workers[0], &at, fd), wanted->text);
}

static bool bind_all(struct server *s)
{
    const struct config *config = s->snapshot->config;
    if (!are_all_free(s))
        return false;
    for (size_t i = 0; i < config->listen_count; i++)
        if (!bind_door(s, i))
            return false;
    if (config->admin.enabled && !bind_admin(s))
        return false;
    activation_warn(&s->activation);
    activation_release(&s->activation);
    return true;
}

static unsigned worker_count(const struct config *config)
{
    if (config->workers)
        return config->workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

static int64_t read_connections(void *ctx)
{
    return atomic_load(&((struct server *)ctx)->connections);
}

/* What the workers share; the snapshot exists. */
static void build(struct server *s)
{
    const struct config *config = s->snapshot->config;
    gw_log_setup(config->log.level, STDERR_FILENO);
    gw_clock_init(&s->clock, config->clock);
    gw_random(&s->ray_seed, sizeof(s->ray_seed));
    s->started_ms = gw_kernel_wall_ms();
    s->cache = cache_store_new(&config->cache);
    s->limiter = limiter_world_new(&config->limiter, config->clock);
    s->rate = rate_counters_new(RATE_COUNTERS_MAX);
    s->tickets = tls_tickets_new(gw_kernel_mono_ms());
    snapshot_attach_cache(s->snapshot, s->cache);
    snapshot_attach_tickets(s->snapshot, s->tickets);
    s->workers = gw_zalloc(s->worker_count * sizeof(*s->workers));
    for (unsigned i = 0; i < s->worker_count; i++)
        worker_init(&s->workers[i], s, i, s->snapshot);
    note_load(s, true);
    metrics_set_callback(s->metrics, METRIC_CONNECTIONS, read_connections, s);
}

/* ---- serving ---- */

static void exit_at_once(int signal_number)
{
    _exit(128 + signal_number);
}

/* From now on a second TERM or INT does not wait for anything. */
static void drain(struct server *s)
{
    atomic_store(&s->ready, false);
    atomic_store(&s->draining, true);
    gw_log_info("draining connections=%d", atomic_load(&s->connections));
    notify(NOTIFY_STOPPING, "draining");
    struct sigaction action = {.sa_handler = exit_at_once};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigset_t again;
    sigemptyset(&again);
    sigaddset(&again, SIGTERM);
    sigaddset(&again, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &again, NULL);
    for (unsigned i = 0; i < s->worker_count; i++)
        worker_drain(&s->workers[i]);
}

/* The main thread serves signals: reloading happens here, off every request's path. */
static void serve_signals(struct server *s, const sigset_t *signals)
{
    for (;;) {
        int signal_number = 0;
        if (sigwait(signals, &signal_number) != 0)
            continue;
        switch (signal_number) {
        case SIGHUP:
            reload_and_log(s);
            break;
        case CONTROL_SIGNAL:
            control_run(&s->control);
            break;
        case SIGUSR1:
            for (unsigned i = 0; i < s->worker_count; i++)
                worker_reopen_logs(&s->workers[i]);
            break;
        default:
            control_close(&s->control); /* whoever waits for an answer gets one */
            drain(s);
            return;
        }
    }
}

/* Blocked before any thread starts, so that they all inherit it. */
static void block_signals(sigset_t *signals)
{
    /* A peer that went away, or a log that may not grow (LimitFSIZE), is an error of the write and
     * not of the process. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(signals);
    const int wanted[] = {SIGHUP, SIGUSR1, CONTROL_SIGNAL, SIGTERM, SIGQUIT, SIGINT};
    for (size_t i = 0; i < GW_COUNT(wanted); i++)
        sigaddset(signals, wanted[i]);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* Also of a server that never served, and then of NULL. Threads first, since they use all the rest;
 * then the snapshots that hang on them; then what outlives snapshots, the cache among it. */
static void release(struct server *s)
{
    for (unsigned i = 0; s->workers && i < s->worker_count; i++)
        worker_join(&s->workers[i]);
    free(s->workers);
    snapshot_unref(s->snapshot);
    tls_tickets_free(s->tickets);
    if (s->limiter)
        limiter_world_free(s->limiter);
    rate_counters_free(s->rate);
    if (s->cache)
        cache_store_free(s->cache);
    metrics_free(s->metrics);
    activation_release(&s->activation);
    recorder_release(&s->recorder);
    control_release(&s->control);
    sem_destroy(&s->switched);
}

/* Another user may be refused a file that root has read, and HUP is too late to learn that. */
static bool become_user(struct server *s)
{
    struct gw_diags diags;
    if (!privilege_drop(&s->privilege))
        return false;
    if (!s->privilege.wanted)
        return true;
    gw_diags_init(&diags);
    config_free(load_config(&s->options, &diags));
    if (diags.errors) {
        gw_log_warn("reloads will fail: user=%s has no access to errors=%zu", s->privilege.name,
                    diags.errors);
        gw_diags_print(&diags, stderr, false);
    }
    gw_diags_release(&diags);
    return true;
}

static bool filter_calls(const struct server *s)
{
    const struct config *config = s->snapshot->config;
    const char *given = s->options.seccomp;
    if (!given && !config->seccomp)
        return true;
    bool kill = given ? strcmp(given, "kill") == 0 : config->seccomp_action == CONFIG_SECCOMP_KILL;
    int err = seccomp_install(kill ? CONFIG_SECCOMP_KILL : CONFIG_SECCOMP_DENY);
    if (err)
        gw_log_error("cannot filter system calls error=\"%s\"", gw_strerror(err));
    else
        gw_log_info("system calls are filtered action=%s", kill ? "kill" : "deny");
    return !err;
}

/* Ports below 1024 need the first user, files and threads of the future get the second one and the
 * filter: hence this order, and no thread before it. */
static int serve(struct server *s, const sigset_t *signals)
{
    if (!bind_all(s) || !become_user(s) || !filter_calls(s))
        return EXIT_FAILED_RUN;
    for (unsigned i = 0; i < s->worker_count; i++)
        worker_start(&s->workers[i]);
    atomic_store(&s->ready, true);
    ready_log(s);
    if (s->options.ready_file && !ready_file_write(s))
        gw_log_error("cannot write the ready file %s: %s", s->options.ready_file, strerror(errno));
    notify(NOTIFY_READY, "serving");
    serve_signals(s, signals);
    return 0;
}

int server_run(const struct server_options *options)
{
    struct server s = {.options = *options};
    struct gw_diags diags;
    activation_take(&s.activation);
    gw_diags_init(&diags);
    control_init(&s.control);
    recorder_init(&s.recorder);
    sem_init(&s.switched, 0, 0);
    sigset_t signals;
    block_signals(&signals);
    raise_descriptor_limit();

    struct config *config = load_config(options, &diags);
    s.worker_count = config ? worker_count(config) : 1;
    s.metrics = metrics_new(s.worker_count, GW_STR(NEAREDGE_VERSION));
    s.snapshot = build_snapshot(&s, config, &diags);
    bool ok = s.snapshot && privilege_find(s.snapshot->config, options->user, &s.privilege, &diags);
    gw_diags_print(&diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
    int code = EXIT_CONFIG;
    if (ok) {
        build(&s);
        recorder_keep(&s.recorder, s.snapshot->config->admin.record);
        code = serve(&s, &signals);
    }
    gw_diags_release(&diags);
    release(&s);
    return code;
}
