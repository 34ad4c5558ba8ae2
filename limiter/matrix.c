/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/matrix.h"

#include <math.h>
#include <pthread.h>

#include "limiter/table.h"

/* A key's exact window, and where in it each store said what. */
struct open_window {
    uint64_t reset_at_ms;
    uint64_t last_ms; /* arrival */
    uint32_t arrivals;
    struct {
        uint32_t first_refusal, last_admission; /* numbers; 0: none */
    } by_store[LIMITER_STORES];
    uint32_t unused;
};

struct place_count {
    uint64_t edge; /* hash of its name; 0: free */
    uint32_t isolate;
    uint64_t arrivals;
};

struct matrix_tally {
    struct matrix_tally *next;
    pthread_mutex_t lock; /* of what follows */
    char name[LIMITER_NAME_MAX];
    size_t name_len;
    struct window_rule rule;
    enum limiter_store store;
    uint32_t compare;
    uint32_t era;         /* rises when the verdicts so far are forgotten */
    struct table windows; /* logical key -> struct open_window */
    struct place_count places[MATRIX_PLACES_MAX];
    uint32_t place_count;
    struct matrix_counts counts;
};

struct matrix {
    pthread_mutex_t lock; /* of the list; tallies themselves stay where they are */
    struct matrix_tally *tallies;
    size_t count;
};

/* ---- life ---- */

struct matrix *matrix_new(void)
{
    struct matrix *m = gw_zalloc(sizeof(*m));
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void matrix_free(struct matrix *m)
{
    while (m && m->tallies) {
        struct matrix_tally *t = m->tallies;
        m->tallies = t->next;
        table_release(&t->windows);
        pthread_mutex_destroy(&t->lock);
        free(t);
    }
    if (m)
        pthread_mutex_destroy(&m->lock);
    free(m);
}

static struct gw_str name_of(const struct matrix_tally *t)
{
    return gw_str(t->name, t->name_len);
}

bool matrix_fits(struct matrix_tally *t, const struct limiter *limiter)
{
    pthread_mutex_lock(&t->lock);
    bool fits = t->rule.limit == limiter->rule.limit &&
                t->rule.window_ms == limiter->rule.window_ms && t->store == limiter->store &&
                t->compare == limiter->compare && gw_str_eq(name_of(t), limiter->name);
    pthread_mutex_unlock(&t->lock);
    return fits;
}

static struct matrix_tally *find_locked(struct matrix *m, const struct limiter *limiter)
{
    struct matrix_tally *t = m->tallies;
    while (t && !matrix_fits(t, limiter))
        t = t->next;
    return t;
}

struct matrix_tally *matrix_find(struct matrix *m, const struct limiter *limiter)
{
    pthread_mutex_lock(&m->lock);
    struct matrix_tally *t = find_locked(m, limiter);
    pthread_mutex_unlock(&m->lock);
    return t;
}

/* With t->lock held, or before others know it. */
static void forget_counts(struct matrix_tally *t)
{
    t->counts = (struct matrix_counts){0};
    t->place_count = 0;
    t->era++;
}

static void dedicate(struct matrix_tally *t, const struct limiter *limiter)
{
    t->name_len = gw_min_size(limiter->name.len, sizeof(t->name));
    memcpy(t->name, limiter->name.ptr, t->name_len);
    t->rule = limiter->rule;
    t->store = limiter->store;
    t->compare = limiter->compare;
    forget_counts(t);
}

static struct matrix_tally *add_locked(struct matrix *m, const struct limiter *limiter)
{
    struct matrix_tally *t = gw_zalloc(sizeof(*t));
    dedicate(t, limiter);
    pthread_mutex_init(&t->lock, NULL);
    table_init_records(&t->windows, MATRIX_KEYS_MAX, sizeof(struct open_window));
    t->next = m->tallies;
    m->tallies = t;
    m->count++;
    return t;
}

/* Somebody who edits a limiter all day leaves tallies behind that no limiter fits any more. A
 * worker may still know this one and verdicts for it be on their way: the former looks whether it
 * fits, and the latter are of an older era. */
static struct matrix_tally *reuse_locked(struct matrix *m, const struct limiter *limiter)
{
    struct matrix_tally *idle = NULL;
    uint64_t since_ms = UINT64_MAX;
    for (struct matrix_tally *t = m->tallies; t; t = t->next) {
        pthread_mutex_lock(&t->lock);
        uint64_t last_ms = t->counts.last_ms;
        pthread_mutex_unlock(&t->lock);
        if (!idle || last_ms < since_ms) {
            idle = t;
            since_ms = last_ms;
        }
    }
    pthread_mutex_lock(&idle->lock);
    table_clear(&idle->windows);
    dedicate(idle, limiter);
    pthread_mutex_unlock(&idle->lock);
    return idle;
}

struct matrix_tally *matrix_open(struct matrix *m, const struct limiter *limiter)
{
    pthread_mutex_lock(&m->lock);
    struct matrix_tally *t = find_locked(m, limiter);
    if (!t)
        t = m->count < MATRIX_LIMITERS_MAX ? add_locked(m, limiter) : reuse_locked(m, limiter);
    pthread_mutex_unlock(&m->lock);
    return t;
}

/* ---- arrivals ---- */

/* Places are few; beyond the ceiling they count as none, which only blurs the model. */
static void count_place(struct matrix_tally *t, const struct limiter_place *place)
{
    uint64_t edge = gw_hash(place->edge) | 1;
    size_t i = 0;
    while (i < t->place_count &&
           (t->places[i].edge != edge || t->places[i].isolate != place->isolate))
        i++;
    if (i == t->place_count && i < MATRIX_PLACES_MAX)
        t->places[t->place_count++] = (struct place_count){edge, place->isolate, 0};
    if (i < t->place_count)
        t->places[i].arrivals++;
}

static struct open_window *window_at(struct matrix_tally *t, struct gw_str key, uint64_t now_ms)
{
    struct open_window *w = table_open(&t->windows, table_key(key), now_ms);
    if (w->reset_at_ms <= now_ms) {
        *w = (struct open_window){.reset_at_ms = now_ms + t->rule.window_ms, .last_ms = now_ms};
        t->counts.windows++;
    }
    table_settle(&t->windows, w);
    return w;
}

struct matrix_arrival matrix_arrive(struct matrix_tally *t, struct gw_str key,
                                    const struct limiter_place *place, uint64_t now_ms)
{
    pthread_mutex_lock(&t->lock);
    struct matrix_counts *c = &t->counts;
    struct open_window *w = window_at(t, key, now_ms);
    uint32_t number = ++w->arrivals, step = step_of(number);
    c->reached[step] += number == step_floor(step);
    c->exact += number <= t->rule.limit;
    c->span_ms += now_ms > w->last_ms ? now_ms - w->last_ms : 0;
    w->last_ms = gw_max_u64(w->last_ms, now_ms);
    c->first_ms = c->arrivals++ ? gw_min_u64(c->first_ms, now_ms) : now_ms;
    c->last_ms = gw_max_u64(c->last_ms, now_ms);
    count_place(t, place);
    struct matrix_arrival arrival = {t, key, w->reset_at_ms, number, t->era};
    pthread_mutex_unlock(&t->lock);
    return arrival;
}

void matrix_skip(struct matrix_tally *t)
{
    pthread_mutex_lock(&t->lock);
    t->counts.skipped++;
    pthread_mutex_unlock(&t->lock);
}

/* ---- verdicts ---- */

static uint32_t mixed_zone(uint32_t first_refusal, uint32_t last_admission)
{
    return first_refusal && last_admission > first_refusal ? last_admission - first_refusal : 0;
}

/* Answers come in any order, so both ends of the mixed zone may move, but only apart. */
static void place_in_window(struct open_window *w, const struct matrix_arrival *a,
                            const struct matrix_verdict *v, struct matrix_column *c)
{
    uint32_t *first = &w->by_store[v->store].first_refusal;
    uint32_t *last = &w->by_store[v->store].last_admission;
    uint32_t mixed_before = mixed_zone(*first, *last), first_before = *first;
    if (v->admitted && a->number > *last)
        *last = a->number;
    if (!v->admitted && !v->failed && (!*first || a->number < *first)) {
        *first = a->number;
        c->windows_refusing += first_before == 0;
        c->first_refusals += a->number;
        c->first_refusals -= first_before;
        c->first_refusal =
            c->first_refusal && c->first_refusal < *first ? c->first_refusal : *first;
    }
    uint32_t mixed = mixed_zone(*first, *last);
    c->mixed += mixed - mixed_before;
    c->mixed_max = mixed > c->mixed_max ? mixed : c->mixed_max;
}

static void judge_locked(struct matrix_tally *t, const struct matrix_arrival *a,
                         const struct matrix_verdict *v)
{
    struct matrix_column *c = &t->counts.columns[v->store];
    c->admitted += v->admitted;
    c->failed += v->failed;
    c->refused += !v->admitted && !v->failed;
    c->waited_ms += v->waited_ms;
    c->waits[step_of(v->waited_ms)]++;
    c->kv_reads += v->kv.copies + v->kv.reads;
    c->kv_writes += v->kv.writes;
    c->kv_refused += v->kv.refused;
    struct open_window *w = table_find(&t->windows, table_key(a->key));
    if (w && w->reset_at_ms == a->reset_at_ms) /* else it is over, or was reset meanwhile */
        place_in_window(w, a, v, c);
}

void matrix_judge(const struct matrix_arrival *a, const struct matrix_verdict *v)
{
    pthread_mutex_lock(&a->tally->lock);
    if (a->tally->era == a->era)
        judge_locked(a->tally, a, v);
    pthread_mutex_unlock(&a->tally->lock);
}

/* ---- beginning anew ---- */

void matrix_forget(struct matrix *m, struct gw_str name, struct gw_str key)
{
    pthread_mutex_lock(&m->lock);
    for (struct matrix_tally *t = m->tallies; t; t = t->next) {
        pthread_mutex_lock(&t->lock);
        if (gw_str_eq(name_of(t), name))
            table_del(&t->windows, table_key(key));
        pthread_mutex_unlock(&t->lock);
    }
    pthread_mutex_unlock(&m->lock);
}

/* Open windows stay, because the stores' do: what they admit from now on is the rest of them. */
void matrix_clear(struct matrix_tally *t)
{
    pthread_mutex_lock(&t->lock);
    forget_counts(t);
    pthread_mutex_unlock(&t->lock);
}

/* ---- reading ---- */

static void read_places(const struct matrix_tally *t, struct matrix_counts *out)
{
    uint64_t least = UINT64_MAX, most = 0;
    out->places = t->place_count;
    for (size_t i = 0; i < t->place_count; i++) {
        size_t k = 0;
        while (t->places[k].edge != t->places[i].edge)
            k++;
        out->edges += k == i; /* the first place of its edge */
        least = gw_min_u64(least, t->places[i].arrivals);
        most = gw_max_u64(most, t->places[i].arrivals);
    }
    out->in_turn = t->place_count && most - least <= 1;
}

void matrix_read(struct matrix_tally *t, struct matrix_counts *out)
{
    pthread_mutex_lock(&t->lock);
    *out = t->counts;
    read_places(t, out);
    pthread_mutex_unlock(&t->lock);
}

uint32_t matrix_wait_at(const struct matrix_column *column, double percent)
{
    uint64_t all = column->admitted + column->refused + column->failed, seen = 0;
    uint64_t rank = (uint64_t)ceil((double)all * percent / 100);
    for (uint32_t i = 0; i < STEPS; i++) {
        seen += column->waits[i];
        if (seen && seen >= rank)
            return step_floor(i);
    }
    return 0;
}
