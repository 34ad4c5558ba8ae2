/* SPDX-License-Identifier: Apache-2.0 */
/* The app's limiter on Workers KV (spec/limiter.md a1): it reads the value, judges it by the `now`
 * of its entry, writes the new one, and tries a refused write three times before it gives up with
 * an error. Nothing holds the steps together: calls that read before another's write lands see the
 * same count, and the last write wins.
 *
 * A read shows the value as of its beginning, a write can be read from its landing on; so calls
 * race for read_ms + write_ms. With both at 0 a decision is one step and nobody races. */
#include "limiter/decision.h"
#include "limiter/store.h"
#include "limiter/verdict.h"

/* The app's waits before its second and third try. */
static const uint32_t waits_ms[] = {15, 30};
#define TRIES (GW_COUNT(waits_ms) + 1)

static enum decision_progress judge(struct decision *d);
static enum decision_progress write_value(struct decision *d);

/* Redis did not answer. False: the failure policy's verdict stands; true: it says "memory", and the
 * store of this process takes over. */
static bool falls_back(struct decision *d)
{
    enum config_backend_failure failure = d->worker->world->settings.on_backend_failure;
    d->verdict.degraded = true;
    if (failure == CONFIG_FAIL_MEMORY)
        return true;
    d->verdict = verdict_uncounted(d->rule.limit, failure == CONFIG_FAIL_ALLOW, false);
    return false;
}

static void keep_copy(struct decision *d)
{
    const struct window *value = &d->kv.value;
    if (value->reset_at_ms == 0 && !d->kv.settings.negative_cache)
        return;
    struct kv_copy copy = {d->at_ms + d->kv.settings.cache_ttl_ms, *value};
    kv_copy_keep(d->worker->world->local->kv, d->edge, d->key, &copy, d->kv.epoch, d->at_ms);
}

/* ---- reading ---- */

/* The copy is kept before the read's latency has passed: one kept afterwards could replace what the
 * edge has written meanwhile by something older. */
static enum decision_progress have_value(struct decision *d)
{
    keep_copy(d);
    return decision_after(d, d->kv.settings.read_ms, judge);
}

static enum decision_progress read_here(struct decision *d)
{
    d->kv.value = kv_store_read(d->worker->world->local->kv, d->key, kv_place(d->edge), d->at_ms);
    return have_value(d);
}

static enum decision_progress on_read(struct decision *d)
{
    if (!d->op.answered)
        return falls_back(d) ? read_here(d) : DECISION_DONE;
    d->kv.value = (struct window){d->op.answer[2], (uint32_t)d->op.answer[1]};
    return have_value(d);
}

static enum decision_progress read_value(struct decision *d)
{
    struct limiter_worker *worker = d->worker;
    if (kv_copy_find(worker->world->local->kv, d->edge, d->key, d->at_ms, &d->kv.value)) {
        d->verdict.kv.copies++;
        return decision_after(d, d->kv.settings.read_ms, judge);
    }
    d->verdict.kv.reads++;
    d->kv.epoch = kv_copy_epoch(worker->world->local->kv);
    if (!worker->redis)
        return read_here(d);
    d->step = on_read;
    d->op.answered = false;
    bool sent = redis_kv_read(worker->redis, &d->op, d->key, kv_place(d->edge), d->at_ms);
    return sent ? DECISION_WAIT : DECISION_MORE;
}

/* ---- judging ---- */

static uint64_t seconds_up(uint64_t ms)
{
    return (ms + 999) / 1000;
}

/* KV wants TTLs of a minute at least; the app asks for no less, its service helper may. */
static uint32_t ttl_of(const struct decision *d, bool opens)
{
    uint64_t left_ms = d->kv.value.reset_at_ms - d->now_ms; /* not 0: the window is open */
    uint64_t ttl_s = seconds_up(left_ms) + (opens ? 5 : 2);
    if (d->kv.settings.clamp_ttl)
        ttl_s = gw_max_u64(ttl_s, KV_TTL_MIN);
    return (uint32_t)gw_min_u64(ttl_s, UINT32_MAX);
}

static enum decision_progress judge(struct decision *d)
{
    uint64_t read_reset_ms = d->kv.value.reset_at_ms;
    bool admits = window_take(&d->kv.value, d->rule, 1, d->now_ms) > 0;
    struct limiter_verdict v = verdict_of(&d->kv.value, admits, d->rule, d->now_ms, false);
    v.kv = d->verdict.kv;
    v.degraded = d->verdict.degraded;
    d->verdict = v;
    if (!admits)
        return DECISION_DONE;
    d->kv.ttl_s = ttl_of(d, d->kv.value.reset_at_ms != read_reset_ms);
    return decision_after(d, d->kv.settings.write_ms, write_value);
}

/* ---- writing ---- */

/* When even the last try comes before the store takes a write again, the end is certain. A virtual
 * clock has nobody who moves it for a refusal's sake, so that such a call would hang; on the system
 * clock it takes the time that the app takes. */
static bool is_hopeless(const struct decision *d, uint64_t next_ms)
{
    if (d->worker->world->clock != GW_CLOCK_VIRTUAL)
        return false;
    uint64_t last_ms = d->at_ms;
    for (size_t i = d->kv.failures; i < TRIES; i++)
        last_ms += waits_ms[i - 1] + d->kv.settings.write_ms;
    return next_ms > last_ms;
}

static enum decision_progress refused(struct decision *d, enum limiter_fault fault, size_t value,
                                      uint64_t next_ms)
{
    d->kv.failures++;
    d->verdict.kv.refused++;
    if (d->kv.failures < TRIES && !is_hopeless(d, next_ms))
        return decision_after(d, waits_ms[d->kv.failures - 1] + d->kv.settings.write_ms,
                              write_value);
    d->verdict.kv.refused = TRIES; /* those it did not wait for, too */
    return decision_fail(d, fault, (uint32_t)value);
}

static enum decision_progress written(struct decision *d, bool taken, uint64_t next_ms)
{
    if (!taken)
        return refused(d, LIMITER_KV_WRITE_LIMIT, 0, next_ms);
    d->verdict.kv.writes++;
    keep_copy(d);
    return DECISION_DONE;
}

static struct kv_write write_of(const struct decision *d)
{
    return (struct kv_write){
        .place = kv_place(d->edge),
        .at_ms = d->at_ms,
        .value = d->kv.value,
        .ttl_s = d->kv.ttl_s,
        .delay_ms = kv_delay_ms(&d->kv.settings, d->key, d->at_ms),
    };
}

static enum decision_progress write_here(struct decision *d)
{
    struct kv_write write = write_of(d);
    uint64_t next_ms;
    bool taken =
        kv_store_write(d->worker->world->local->kv, d->key, &d->kv.settings, &write, &next_ms);
    return written(d, taken, next_ms);
}

static enum decision_progress on_written(struct decision *d)
{
    if (!d->op.answered)
        return falls_back(d) ? write_here(d) : DECISION_DONE;
    return written(d, d->op.answer[0] != 0, d->op.answer[2]);
}

/* The order of KV's own checks: the key, the expiration, then how often. */
static enum decision_progress write_value(struct decision *d)
{
    if (d->key.len > KV_KEY_MAX)
        return refused(d, LIMITER_KV_KEY_LENGTH, d->key.len, UINT64_MAX);
    if (d->kv.ttl_s < KV_TTL_MIN)
        return refused(d, LIMITER_KV_EXPIRATION, d->kv.ttl_s, UINT64_MAX);
    d->kv.epoch = kv_copy_epoch(d->worker->world->local->kv);
    if (!d->worker->redis)
        return write_here(d);
    struct kv_write write = write_of(d);
    d->step = on_written;
    d->op.answered = false;
    bool sent = redis_kv_write(d->worker->redis, &d->op, d->key, &d->kv.settings, &write);
    return sent ? DECISION_WAIT : DECISION_MORE;
}

enum limiter_outcome decide_kv(struct limiter_worker *worker, const struct limiter_ask *ask,
                               struct limiter_call *call, struct limiter_verdict *out)
{
    char key[STORAGE_KEY_MAX];
    struct decision *d = decision_new(worker, ask, storage_key(ask, key), GW_STR_EMPTY, out);
    if (!d)
        return out->outcome;
    d->kv.settings = kv_settings_of(limiter_settings(worker, ask), ask->limiter);
    d->step = read_value;
    return decision_start(d, call, out);
}
