/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/worker.h"

#include <stdatomic.h>
#include <sys/resource.h>

#include "cache/key.h"
#include "gateway/access_log.h"
#include "gateway/fetch.h"
#include "gateway/net/tls.h"
#include "gateway/probes.h"
#include "gateway/server.h"
#include "gateway/session.h"

#define LINES_MAX        ((size_t)512 * 1024)
#define HOUSEKEEPING_MS  100
#define DESCRIPTORS_KEPT 256 /* at most; an eighth where there are few */

/* ---- the snapshot as this worker uses it ---- */

static struct worker_pools *pools_new(struct gw_loop *loop, const struct snapshot *snapshot)
{
    struct worker_pools *pools =
        gw_alloc(sizeof(*pools) + snapshot->origin_count * sizeof(struct balancer *));
    pools->refs = 1;
    pools->count = snapshot->origin_count;
    for (size_t i = 0; i < pools->count; i++)
        pools->items[i] = balancer_new(loop, snapshot->origins[i].servers);
    return pools;
}

/* With the last snapshot that shares them, which each exchange and fetch of it holds: by then
 * nothing but idle connections is left, and probes, which hold their balancer themselves. */
static void pools_unref(struct worker_pools *pools)
{
    if (--pools->refs)
        return;
    for (size_t i = 0; i < pools->count; i++)
        balancer_retire(pools->items[i]);
    free(pools);
}

static struct worker_snapshot *worker_snapshot_new(struct worker *worker, struct snapshot *snapshot)
{
    const struct worker_snapshot *old = worker->current;
    struct worker_snapshot *ws = gw_zalloc(sizeof(*ws));
    ws->refs = 1;
    ws->snapshot = snapshot_ref(snapshot);
    if (old && old->snapshot->config == snapshot->config) {
        ws->shared = old->shared;
        ws->shared->refs++;
    } else {
        ws->shared = pools_new(worker->loop, snapshot);
    }
    ws->origins = ws->shared->items;
    return ws;
}

struct worker_snapshot *worker_snapshot_ref(struct worker_snapshot *ws)
{
    ws->refs++;
    return ws;
}

void worker_snapshot_unref(struct worker_snapshot *ws)
{
    if (!ws || --ws->refs)
        return;
    pools_unref(ws->shared);
    snapshot_unref(ws->snapshot);
    free(ws);
}

/* ---- orders from other threads: a task on the heap for each ---- */

struct order {
    struct gw_task task;
    struct worker *worker;
    struct snapshot *snapshot; /* of a reload; a reference */
};

static void give_order(struct worker *worker, void (*run)(struct gw_task *),
                       struct snapshot *snapshot)
{
    struct order *order = gw_zalloc(sizeof(*order));
    gw_task_init(&order->task, run);
    order->worker = worker;
    order->snapshot = snapshot;
    gw_loop_post(worker->loop, &order->task);
}

/* Those of the last configuration end: their servers are not asked any more. */
static void start_probes(struct worker *worker)
{
    probes_stop(worker->probes);
    worker->probes = worker->index == 0 ? probes_start(worker->loop, worker->current) : NULL;
}

/* Handshakes under way end with the certificates they began with. A door stays plain, or not, as
 * long as it is open. */
static void renew_certificates(struct worker *worker)
{
    const struct snapshot *s = worker->current->snapshot;
    for (size_t i = 0; i <= worker->door_count; i++) {
        struct session_door *door = &worker->doors[i];
        struct tls_server *next =
            door->admin ? snapshot_admin_tls(s) : snapshot_tls_at(s, i, door->address);
        if (!door->tls || !next)
            continue;
        tls_server_unref(door->tls);
        door->tls = tls_server_ref(next);
    }
}

static void run_reload(struct gw_task *task)
{
    struct order *order = gw_container_of(task, struct order, task);
    struct worker *worker = order->worker;
    struct worker_snapshot *old = worker->current;
    worker->current = worker_snapshot_new(worker, order->snapshot);
    if (old->shared != worker->current->shared)
        start_probes(worker);
    else
        probes_follow(worker->probes, order->snapshot);
    if (old->snapshot->config != order->snapshot->config) { /* else: derived, all stays */
        access_log_configure(worker->log, &order->snapshot->config->log);
        renew_certificates(worker);
    }
    worker_snapshot_unref(old);
    snapshot_unref(order->snapshot); /* the order's; `current` has its own */
    sem_post(&worker->server->switched);
    free(order);
}

void worker_reload(struct worker *worker, struct snapshot *snapshot)
{
    give_order(worker, run_reload, snapshot_ref(snapshot));
}

static void run_reopen(struct gw_task *task)
{
    struct order *order = gw_container_of(task, struct order, task);
    access_log_reopen(order->worker->log);
    free(order);
}

void worker_reopen_logs(struct worker *worker)
{
    give_order(worker, run_reopen, NULL);
}

/* ---- the end ---- */

static void on_limiter_closed(void *ctx)
{
    struct worker *worker = ctx;
    worker->limiter = NULL;
    gw_loop_stop(worker->loop);
}

/* All sessions are gone, and none may come any more: the admin's door closes only here. */
static void end(struct worker *worker)
{
    if (worker->ending)
        return;
    worker->ending = true;
    listener_close(worker->listeners[worker->door_count]);
    worker->listeners[worker->door_count] = NULL;
    gw_deadline_cancel(&worker->drain_deadline);
    gw_deadline_cancel(&worker->housekeeping);
    fetch_stop_all(worker);
    probes_stop(worker->probes);
    worker->probes = NULL;
    /* Last, since it stops the loop when it is through: what was put off above runs before. */
    limiter_worker_close(worker->limiter, on_limiter_closed, worker);
}

void worker_session_closed(struct worker *worker)
{
    if (worker->draining && worker->session_count == 0)
        end(worker);
}

static void each_session(struct worker *worker, void (*call)(struct gw_list *link))
{
    struct gw_list *link = worker->sessions.next;
    while (link != &worker->sessions) {
        struct gw_list *next = link->next; /* sessions leave the list in a later turn only */
        call(link);
        link = next;
    }
}

static void on_drain_deadline(struct gw_deadline *d)
{
    struct worker *worker = gw_container_of(d, struct worker, drain_deadline);
    gw_log_warn("drain deadline reached worker=%u connections=%zu: closing them", worker->index,
                worker->session_count);
    each_session(worker, session_kill);
}

/* Doors close before sessions are told, so that none comes in unheard; one that is still in its
 * handshake asks `draining` when it becomes a session of HTTP. */
static void run_drain(struct gw_task *task)
{
    struct order *order = gw_container_of(task, struct order, task);
    struct worker *worker = order->worker;
    free(order);
    if (worker->draining)
        return;
    worker->draining = true;
    for (size_t i = 0; i < worker->door_count; i++) { /* the admin stays: /readyz says "draining" */
        listener_close(worker->listeners[i]);
        worker->listeners[i] = NULL;
    }
    gw_deadline_set(worker->loop, &worker->drain_deadline,
                    worker->current->snapshot->config->timeouts.drain_ms);
    each_session(worker, session_drain);
    if (worker->session_count == 0)
        end(worker);
}

void worker_drain(struct worker *worker)
{
    give_order(worker, run_drain, NULL);
}

/* ---- life ---- */

/* The kernel gives out the lowest free descriptor, so a high one says that few are left. The last
 * eighth is not for visitors: those who are here need connections to origins, and whoever comes to
 * see what is wrong needs the admin listener. */
static bool descriptors_run_out(const struct conn *c, rlim_t *max)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    *max = limit.rlim_cur;
    rlim_t kept = limit.rlim_cur / 8 < DESCRIPTORS_KEPT ? limit.rlim_cur / 8 : DESCRIPTORS_KEPT;
    return conn_descriptor(c) >= 0 && (rlim_t)conn_descriptor(c) >= limit.rlim_cur - kept;
}

static void on_accept(void *ctx, struct conn *c)
{
    const struct session_door *door = ctx;
    rlim_t max;
    struct worker *worker = door->worker;
    const struct config_limits *limits = &worker->current->snapshot->config->limits;
    if (door->admin && worker->admin_count >= limits->admin_connections) {
        gw_log_warn("admin connection refused reason=\"limits.admin_connections (%u) reached\"",
                    limits->admin_connections);
        conn_abandon(c);
        return;
    }
    if (!door->admin && atomic_load(&worker->server->connections) >= (int)limits->connections) {
        gw_log_warn("connection refused reason=\"limits.connections (%u) reached\"",
                    limits->connections);
        conn_abandon(c);
        return;
    }
    if (!door->admin && descriptors_run_out(c, &max)) {
        gw_log_warn("connection refused reason=\"descriptors run out (RLIMIT_NOFILE is %llu)\"",
                    (unsigned long long)max);
        conn_abandon(c);
        return;
    }
    session_accept(worker, door, c);
}

static int listen_at(struct worker *worker, size_t door, const struct net_address *at, int fd)
{
    int err;
    struct session_door *to = &worker->doors[door];
    to->worker = worker;
    worker->listeners[door] = fd < 0 ? listener_open(worker->loop, at, on_accept, to, &err)
                                     : listener_adopt(worker->loop, fd, on_accept, to, &err);
    if (!worker->listeners[door])
        return err;
    struct net_address bound = listener_address(worker->listeners[door]);
    to->bound_port = net_address_port(&bound);
    return 0;
}

int worker_listen(struct worker *worker, size_t door, const struct net_address *at, int fd)
{
    const struct snapshot *snapshot = worker->current->snapshot;
    const struct config_listen *listen = &snapshot->config->listen[door];
    struct tls_server *tls = snapshot->tls[door];
    worker->doors[door] =
        (struct session_door){.port = (uint16_t)listen->visitor_port,
                              .https = listen->visitor_https,
                              .h2c = listen->h2c,
                              .tls = tls ? tls_server_ref(tls) : NULL,
                              .address = gw_str_z(gw_str_dupz(listen->address.text))};
    memcpy(worker->doors[door].edge, listen->edge_name.ptr, listen->edge_name.len);
    return listen_at(worker, door, at, fd);
}

int worker_listen_admin(struct worker *worker, const struct net_address *at, int fd)
{
    struct tls_server *tls = snapshot_admin_tls(worker->current->snapshot);
    worker->doors[worker->door_count] = (struct session_door){
        .admin = true, .https = tls != NULL, .tls = tls ? tls_server_ref(tls) : NULL};
    return listen_at(worker, worker->door_count, at, fd);
}

/* The limiter returns facts and does not log; one worker tells when its backend goes and comes. */
static void watch_backend(struct worker *worker)
{
    struct limiter_health health;
    limiter_world_health(worker->server->limiter, &health);
    if (health.up == !worker->backend_down)
        return;
    worker->backend_down = !health.up;
    if (health.up)
        gw_log_info("counter backend is up");
    else
        gw_log_warn("counter backend is down reason=\"%s\": %s", health.error,
                    health.fails_closed ? "limited requests get 503"
                                        : "limiter.on_backend_failure decides, requests go on");
}

static void on_housekeeping(struct gw_deadline *d)
{
    struct worker *worker = gw_container_of(d, struct worker, housekeeping);
    cache_store_tick(worker->server->cache);
    if (worker->index == 0)
        watch_backend(worker);
    gw_deadline_set(worker->loop, d, HOUSEKEEPING_MS);
}

static void intern_labels(struct worker *worker, struct metrics *m)
{
    static const char *const decisions[DECISION_COUNT] = {
        "admit", "deny", "shadow_deny", "unavailable", "error", "challenge", "log"};
    static const char *const kv[KV_OPERATION_COUNT][2] = {
        [KV_GET_COPY] = {"get", "edge"},
        [KV_GET_CENTRAL] = {"get", "central"},
        [KV_PUT_OK] = {"put", "ok"},
        [KV_PUT_REFUSED] = {"put", "refused"},
    };
    static const char *const stores[] = {"durable_object", "memory", "kv", "binding"};
    worker->cache_phase_label = metrics_intern(m, gw_str_z(rules_phase_name(RULES_CACHE_REQUEST)));
    worker->rate_phase_label = metrics_intern(m, gw_str_z(rules_phase_name(RULES_RATELIMIT)));
    worker->no_zone_label = metrics_intern(m, GW_STR("none"));
    for (size_t i = 0; i < DECISION_COUNT; i++)
        worker->decision_labels[i] = metrics_intern(m, gw_str_z(decisions[i]));
    for (size_t i = 0; i < KV_OPERATION_COUNT; i++)
        for (size_t k = 0; k < 2; k++)
            worker->kv_labels[i].id[k] = metrics_intern(m, gw_str_z(kv[i][k]));
    for (size_t i = 0; i < GW_COUNT(stores); i++)
        worker->store_labels[i] = metrics_intern(m, gw_str_z(stores[i]));
    for (int i = 0; i < METHOD_COUNT; i++) {
        struct gw_str name = http_method_name((enum http_method)i);
        worker->method_labels[i] = metrics_intern(m, name.len ? name : GW_STR("other"));
    }
    for (int i = 0; i <= CACHE_STATUS_DYNAMIC; i++)
        worker->status_labels[i] = metrics_intern(m, cache_status_name((enum cache_status)i));
}

void worker_init(struct worker *worker, struct server *server, unsigned index,
                 struct snapshot *snapshot)
{
    const struct config *config = snapshot->config;
    *worker = (struct worker){.server = server, .index = index};
    worker->loop = gw_loop_new(&server->clock);
    worker->current = worker_snapshot_new(worker, snapshot);
    worker->limiter = limiter_worker_new(server->limiter, worker->loop);
    worker->metrics = metrics_worker(server->metrics, index);
    worker->log = access_log_new(worker->loop, &config->log);
    worker->request_limits = H1_LIMITS_DEFAULT;
    worker->request_limits.target_max = config->limits.uri_size;
    worker->request_limits.head_max = config->limits.header_size;
    worker->door_count = config->listen_count;
    worker->doors = gw_zalloc((worker->door_count + 1) * sizeof(*worker->doors));
    worker->listeners = gw_zalloc((worker->door_count + 1) * sizeof(struct listener *));
    gw_list_init(&worker->sessions);
    gw_list_init(&worker->fetches);
    gw_list_init(&worker->free_exchanges);
    gw_buf_init(&worker->key, CACHE_KEY_MAX);
    gw_buf_init(&worker->lines, LINES_MAX);
    gw_deadline_init(&worker->drain_deadline, on_drain_deadline);
    gw_deadline_init(&worker->housekeeping, on_housekeeping);
    gw_deadline_set(worker->loop, &worker->housekeeping, HOUSEKEEPING_MS);
    intern_labels(worker, server->metrics);
    start_probes(worker);
}

static void *run_thread(void *arg)
{
    struct worker *worker = arg;
    gw_loop_run(worker->loop);
    return NULL;
}

void worker_start(struct worker *worker)
{
    worker->started = true;
    access_log_reopen(worker->log);
    if (pthread_create(&worker->thread, NULL, run_thread, worker) != 0)
        abort();
}

/* Everything that closes a handle comes before the loop, which runs their callbacks as it goes;
 * what those callbacks give back to (free exchanges, HTTP/2's pool) goes behind it. */
void worker_join(struct worker *worker)
{
    if (worker->started) {
        pthread_join(worker->thread, NULL);
    } else { /* the start failed: only the limiter's connection needs a loop to end */
        end(worker);
        gw_loop_run(worker->loop);
    }
    for (size_t i = 0; i <= worker->door_count; i++)
        listener_close(worker->listeners[i]);
    access_log_free(worker->log);
    worker_snapshot_unref(worker->current);
    gw_loop_free(worker->loop);
    for (struct gw_list *link; (link = gw_list_pop(&worker->free_exchanges));)
        free(gw_list_entry(link, struct exchange, link));
    gw_pool_release(&worker->pool);
    gw_buf_release(&worker->key);
    gw_buf_release(&worker->lines);
    for (size_t i = 0; i <= worker->door_count; i++) {
        tls_server_unref(worker->doors[i].tls);
        free((char *)worker->doors[i].address.ptr);
    }
    free(worker->doors);
    free(worker->listeners);
}
