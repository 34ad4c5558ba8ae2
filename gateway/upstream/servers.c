/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/servers.h"

#include <pthread.h>
#include <stdio.h>

#include "gateway/base/err.h"
#include "gateway/net/tls.h"
#include "gateway/upstream/retry_budget.h"

struct server_state {
    struct tls_client *tls[SERVERS_SPEECH_COUNT]; /* or NULL */
    int64_t turn;                                 /* current weight of the smooth round robin */
    uint32_t active;
    /* By requests. */
    uint32_t fails;        /* since window_ms */
    uint64_t window_ms;    /* when the first of them happened */
    uint64_t out_until_ms; /* 0: not taken out by failures */
    bool trial;            /* out_until_ms is over and one request finds out … */
    uint64_t trial_ms;     /* … since then */
    /* By probes. */
    enum servers_probe probe;
    uint32_t row; /* probes in a row that contradict `probe` */
    uint64_t attempts, failures, ejections;
    char reason[96];
};

struct servers {
    const struct config_origin *origin;
    pthread_mutex_t lock; /* guards all below; held for a walk over a few servers */
    struct retry_budget budget;
    uint64_t retries;
    size_t count;
    struct server_state state[];
};

struct servers *servers_new(const struct config_origin *origin)
{
    size_t count = origin->server_count;
    struct servers *s = gw_zalloc(sizeof(*s) + count * sizeof(s->state[0]));
    s->origin = origin;
    s->count = count;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void servers_free(struct servers *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count * SERVERS_SPEECH_COUNT; i++)
        tls_client_unref(s->state[i / SERVERS_SPEECH_COUNT].tls[i % SERVERS_SPEECH_COUNT]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct config_origin *servers_origin(const struct servers *s)
{
    return s->origin;
}

size_t servers_count(const struct servers *s)
{
    return s->count;
}

void servers_set_tls(struct servers *s, size_t server, enum servers_speech speech,
                     struct tls_client *tls)
{
    s->state[server].tls[speech] = tls;
}

struct tls_client *servers_tls(const struct servers *s, size_t server, enum servers_speech speech)
{
    return s->state[server].tls[speech];
}

/* ---- whose turn it is ---- */

/* Workers read the clock apart: the one who asks last may be the one whose turn began first. */
static bool has_passed(uint64_t since_ms, uint64_t period_ms, uint64_t now_ms)
{
    return now_ms >= since_ms && now_ms - since_ms >= period_ms;
}

/* A trial whose client went away tells nothing, and who is still at the server may be a tunnel that
 * stays for days: after the time that a failure costs the next request tries. */
static bool is_on_trial(const struct servers *s, const struct server_state *state, uint64_t now_ms)
{
    return state->trial && !has_passed(state->trial_ms, s->origin->fail_timeout_ms, now_ms);
}

static bool is_up(const struct servers *s, const struct server_state *state, uint64_t now_ms)
{
    if (state->probe == SERVERS_PROBE_DOWN)
        return false;
    return !state->out_until_ms ||
           (now_ms >= state->out_until_ms && !is_on_trial(s, state, now_ms));
}

/* Fewest attempts for the weight, compared without division. */
static bool is_less_busy(const struct servers *s, size_t a, size_t b)
{
    const struct config_origin *server = s->origin->servers;
    return (uint64_t)s->state[a].active * server[b].weight <
           (uint64_t)s->state[b].active * server[a].weight;
}

/* A bit each: those that may be asked, without the busier ones if the balance is by connections. */
static uint32_t candidates(const struct servers *s, uint32_t without, bool backup, uint64_t now_ms)
{
    uint32_t found = 0;
    size_t best = SERVERS_NONE;
    for (size_t i = 0; i < s->count; i++) {
        if (without >> i & 1 || s->origin->servers[i].backup != backup ||
            !is_up(s, &s->state[i], now_ms))
            continue;
        bool by_load = s->origin->balance == CONFIG_LEAST_CONNECTIONS;
        if (best != SERVERS_NONE && by_load && is_less_busy(s, best, i))
            continue;
        if (best == SERVERS_NONE || (by_load && is_less_busy(s, i, best))) {
            best = i;
            found = 0;
        }
        found |= 1u << i;
    }
    return found;
}

/* nginx's smooth weighted round robin: weights 5, 1, 1 give a a b a c a a and not a a a a a b c. */
static size_t take_turn(struct servers *s, uint32_t among)
{
    size_t best = SERVERS_NONE;
    int64_t total = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!(among >> i & 1))
            continue;
        s->state[i].turn += s->origin->servers[i].weight;
        total += s->origin->servers[i].weight;
        if (best == SERVERS_NONE || s->state[i].turn > s->state[best].turn)
            best = i;
    }
    if (best != SERVERS_NONE)
        s->state[best].turn -= total;
    return best;
}

/* All are down: each is asked when its turn comes. */
static size_t last_resort(struct servers *s)
{
    return take_turn(s, UINT32_MAX);
}

static size_t choose(struct servers *s, uint32_t without, uint64_t now_ms)
{
    uint32_t among = candidates(s, without, false, now_ms);
    if (!among)
        among = candidates(s, without, true, now_ms);
    return take_turn(s, among);
}

static void enter(struct servers *s, size_t server, uint64_t now_ms)
{
    struct server_state *state = &s->state[server];
    state->active++;
    state->attempts++;
    if (!state->out_until_ms || now_ms < state->out_until_ms)
        return;
    state->trial = true;
    state->trial_ms = now_ms;
}

size_t servers_first(struct servers *s, uint64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    size_t server = s->count == 1 ? 0 : choose(s, 0, now_ms);
    if (server == SERVERS_NONE)
        server = last_resort(s);
    enter(s, server, now_ms);
    retry_budget_count(&s->budget, now_ms);
    pthread_mutex_unlock(&s->lock);
    return server;
}

size_t servers_next(struct servers *s, uint32_t tried, uint64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    size_t server = choose(s, tried, now_ms);
    if (server != SERVERS_NONE && !retry_budget_take(&s->budget, &s->origin->retry, now_ms))
        server = SERVERS_NONE;
    if (server != SERVERS_NONE) {
        enter(s, server, now_ms);
        s->retries++;
    }
    pthread_mutex_unlock(&s->lock);
    return server;
}

/* ---- who is up ---- */

/* Answers in between clear nothing: who fails every second request is out too. On trial one failure
 * is enough. */
static void count_failure(struct servers *s, struct server_state *state, uint64_t now_ms)
{
    const struct config_origin *o = s->origin;
    state->failures++;
    if (s->count == 1 || o->max_fails == 0)
        return;
    if (state->fails == 0 || has_passed(state->window_ms, o->fail_timeout_ms, now_ms)) {
        state->window_ms = now_ms;
        state->fails = state->trial ? o->max_fails - 1 : 0;
    }
    if (++state->fails < o->max_fails)
        return;
    state->ejections += !state->out_until_ms; /* once more out is still the same time out */
    state->out_until_ms = now_ms + o->fail_timeout_ms;
    state->trial = false;
    state->fails = 0;
}

/* An answer ends a server's time out at once, also when it was asked for want of a better one. */
static void count_success(struct server_state *state)
{
    state->out_until_ms = 0;
    state->trial = false;
    state->fails = 0;
}

static bool is_fail_status(const struct config_origin *o, unsigned status)
{
    for (size_t i = 0; i < o->fail_status_count; i++)
        if (o->fail_status[i] == status)
            return true;
    return false;
}

void servers_report(struct servers *s, size_t server, int err, unsigned status, uint64_t now_ms)
{
    struct server_state *state = &s->state[server];
    bool refused = !err && is_fail_status(s->origin, status);
    pthread_mutex_lock(&s->lock);
    if (err)
        snprintf(state->reason, sizeof(state->reason), "%s", gw_strerror(err));
    else if (refused)
        snprintf(state->reason, sizeof(state->reason), "status %u", status);
    if (err || refused)
        count_failure(s, state, now_ms);
    else if (state->out_until_ms)
        count_success(state);
    pthread_mutex_unlock(&s->lock);
}

/* A trial that ends without a verdict leaves the question to the next one at once, if nobody else
 * is still at the server: `trial` does not say whose it was. */
void servers_leave(struct servers *s, size_t server)
{
    pthread_mutex_lock(&s->lock);
    s->state[server].active--;
    if (s->state[server].active == 0)
        s->state[server].trial = false;
    pthread_mutex_unlock(&s->lock);
}

void servers_probed(struct servers *s, size_t server, bool ok, const char *why)
{
    const struct config_health *health = &s->origin->health;
    struct server_state *state = &s->state[server];
    enum servers_probe found = ok ? SERVERS_PROBE_UP : SERVERS_PROBE_DOWN;
    pthread_mutex_lock(&s->lock);
    if (!ok)
        snprintf(state->reason, sizeof(state->reason), "%s", why);
    /* The first verdict needs no row: a gateway that starts should not serve from a dead server
     * for the time of three probes. */
    bool first = state->probe == SERVERS_PROBE_NONE;
    state->row = found == state->probe ? 0 : state->row + 1;
    if (first || state->row >= (ok ? health->rise : health->fall)) {
        if (found == SERVERS_PROBE_DOWN)
            state->ejections++;
        else
            count_success(state);
        state->probe = found;
        state->row = 0;
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- looking ---- */

void servers_view(struct servers *s, size_t server, uint64_t now_ms, struct servers_view *out)
{
    const struct server_state *state = &s->state[server];
    pthread_mutex_lock(&s->lock);
    *out = (struct servers_view){
        .up = state->probe != SERVERS_PROBE_DOWN && now_ms >= state->out_until_ms,
        .ejected = now_ms < state->out_until_ms,
        .ejected_for_ms = now_ms < state->out_until_ms ? state->out_until_ms - now_ms : 0,
        .probe = state->probe,
        .active = state->active,
        .attempts = state->attempts,
        .failures = state->failures,
        .ejections = state->ejections,
    };
    memcpy(out->reason, state->reason, sizeof(out->reason));
    pthread_mutex_unlock(&s->lock);
}

uint64_t servers_retries(struct servers *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t retries = s->retries;
    pthread_mutex_unlock(&s->lock);
    return retries;
}
