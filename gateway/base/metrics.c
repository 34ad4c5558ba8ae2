/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/map.h"
#include "gateway/base/process.h"

#define SLOT_BITS    12
#define SLOTS        ((size_t)1 << SLOT_BITS)
#define ID_BITS      14 /* four ids and the family fit one 64-bit key */
#define ID_MASK      (((uint64_t)1 << ID_BITS) - 1)
#define FAMILY_SHIFT (4 * ID_BITS)

_Static_assert(METRICS_TEXT_FIRST + METRICS_TEXT_MAX <= ID_MASK, "every id fits its bits");
_Static_assert(METRICS_SERIES_MAX * 4 <= SLOTS * 3, "probe runs stay short");
_Static_assert(METRIC_COUNT < 255, "the family fits its bits");

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const struct family {
    enum kind kind;
    const char *name, *help;
    const char *labels[4];
} families[METRIC_COUNT] = {
#define X(id, kind, name, help, ...) {kind, name, help, {__VA_ARGS__}},
    METRIC_FAMILIES(X)
#undef X
};

/* Upper bounds of the buckets as microseconds and as text; the last bucket is +Inf. */
static const struct bound {
    uint64_t us;
    const char *le;
} bounds[] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"}, {UINT64_MAX, "+Inf"},
};
#define BUCKETS GW_COUNT(bounds)

/* Not cumulative, unlike the text: an observation touches one bucket, the scrape adds them up. The
 * count is the sum of the buckets, so that both agree whenever they are read. */
struct histogram {
    _Atomic uint64_t buckets[BUCKETS];
    _Atomic uint64_t sum_us;
};

/* key 0 is a free slot: families are stored plus one. A slot is never given back. */
struct slot {
    _Atomic uint64_t key;
    _Atomic uint64_t value;
};

/* Open addressing that only grows: a reader needs nothing but acquire loads, because a key, once
 * seen, stays where it is and means the same. A series of a zone that a reload removed stays, too,
 * as Prometheus expects of a counter. */
struct metrics_worker {
    struct slot slots[SLOTS];
    struct histogram histograms[METRIC_COUNT];
    _Atomic uint64_t overflow;
    size_t used;
};

struct gauge {
    _Atomic int64_t value;
    _Atomic bool shown;
    int64_t (*read)(void *ctx);
    void *ctx;
};

/* texts is append-only and needs no lock to read: a scrape learns an id from a key that a worker
 * published after the text was stored. */
struct metrics {
    unsigned workers;
    struct metrics_worker **worker;
    struct gauge gauges[METRIC_COUNT];
    pthread_mutex_t mutex; /* guards the two below */
    struct gw_map ids;     /* text → its place in texts, plus one */
    size_t text_count;
    char *texts[METRICS_TEXT_MAX];
};

struct metrics *metrics_new(unsigned workers, struct gw_str version)
{
    struct metrics *m = gw_zalloc(sizeof(*m));
    m->workers = workers;
    m->worker = gw_zalloc(workers * sizeof(struct metrics_worker *));
    for (unsigned i = 0; i < workers; i++)
        m->worker[i] = gw_zalloc(sizeof(struct metrics_worker));
    pthread_mutex_init(&m->mutex, NULL);
    gw_map_init(&m->ids);
    metrics_intern(m, GW_STR("other"));
    metrics_inc(m->worker[0], METRIC_BUILD_INFO, metrics_intern(m, version));
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->workers; i++)
        free(m->worker[i]);
    free(m->worker);
    for (size_t i = 0; i < m->text_count; i++)
        free(m->texts[i]);
    gw_map_release(&m->ids);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

struct metrics_worker *metrics_worker(struct metrics *m, unsigned index)
{
    return m->worker[index];
}

/* A scraper drops the whole answer when one label is not UTF-8. What the ceiling cut in the middle
 * of a character becomes "?" like any other broken byte. */
static struct gw_str make_utf8(struct gw_str text, char copy[METRICS_LABEL_LENGTH])
{
    text = gw_str_first(text, METRICS_LABEL_LENGTH);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    for (size_t i = 0, n; i < text.len; i += n ? n : 1) {
        n = gw_utf8_length(gw_str(copy + i, text.len - i));
        if (n == 0)
            copy[i] = '?';
    }
    return gw_str(copy, text.len);
}

uint16_t metrics_intern(struct metrics *m, struct gw_str text)
{
    char copy[METRICS_LABEL_LENGTH];
    text = make_utf8(text, copy);
    pthread_mutex_lock(&m->mutex);
    size_t place = (size_t)(uintptr_t)gw_map_get(&m->ids, text);
    if (place == 0 && m->text_count < METRICS_TEXT_MAX) {
        m->texts[m->text_count] = gw_str_dupz(text);
        place = ++m->text_count;
        gw_map_put(&m->ids, text, (void *)(uintptr_t)place);
    }
    pthread_mutex_unlock(&m->mutex);
    return (uint16_t)(place ? METRICS_TEXT_FIRST + place - 1 : METRICS_TEXT_OTHER);
}

/* The only writer of a cell needs no read-modify-write instruction: others just look. */
static void bump(_Atomic uint64_t *cell, uint64_t by)
{
    uint64_t before = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, before + by, memory_order_relaxed);
}

/* Family first, then the labels in order: sorting keys sorts the output. */
static uint64_t pack(enum metric family, struct metrics_labels labels)
{
    uint64_t key = (uint64_t)family + 1;
    for (size_t i = 0; i < GW_COUNT(labels.id); i++)
        key = key << ID_BITS | (labels.id[i] & ID_MASK);
    return key;
}

void metrics_add(struct metrics_worker *w, enum metric family, struct metrics_labels labels,
                 int64_t by)
{
    uint64_t key = pack(family, labels);
    /* Multiplicative hashing (Knuth, 6.4): ids are small and handed out by us, nobody picks them to
     * collide. */
    size_t at = key * 0x9e3779b97f4a7c15 >> (64 - SLOT_BITS);
    for (;; at = (at + 1) & (SLOTS - 1)) {
        struct slot *slot = &w->slots[at];
        uint64_t found = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (gw_unlikely(found == 0)) {
            if (w->used == METRICS_SERIES_MAX) {
                bump(&w->overflow, 1);
                return;
            }
            w->used++; /* value is still 0: a scrape that sees the key now is right as well */
            atomic_store_explicit(&slot->key, key, memory_order_release);
            found = key;
        }
        if (gw_likely(found == key)) {
            bump(&slot->value, (uint64_t)by);
            return;
        }
    }
}

void metrics_observe_us(struct metrics_worker *w, enum metric family, uint64_t us)
{
    struct histogram *h = &w->histograms[family];
    size_t i = 0; /* most durations end the walk at once; a binary search would cost more */
    while (us > bounds[i].us)
        i++;
    bump(&h->buckets[i], 1);
    bump(&h->sum_us, us);
}

void metrics_set(struct metrics *m, enum metric family, int64_t value)
{
    atomic_store(&m->gauges[family].value, value);
    atomic_store(&m->gauges[family].shown, true);
}

void metrics_set_callback(struct metrics *m, enum metric family, int64_t (*read)(void *ctx),
                          void *ctx)
{
    m->gauges[family].read = read;
    m->gauges[family].ctx = ctx;
    atomic_store(&m->gauges[family].shown, true);
}

/* One series as a scrape sees it: the sum over all workers. */
struct sample {
    uint64_t key;
    int64_t value;
};

static int by_key(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* Sorts by key and sums equal keys; returns how many remain. */
static size_t merge(struct sample *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), by_key);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && samples[kept - 1].key == samples[i].key)
            samples[kept - 1].value += samples[i].value;
        else
            samples[kept++] = samples[i];
    }
    return kept;
}

/* All series of all workers; the caller frees *out. Overflow is counted beside the tables (it must
 * work when they are full) and joins them here. */
static size_t collect(struct metrics *m, struct sample **out)
{
    struct sample *samples = gw_alloc((METRICS_SERIES_MAX + 1) * m->workers * sizeof(*samples));
    size_t count = 0;
    for (unsigned i = 0; i < m->workers; i++) {
        struct metrics_worker *w = m->worker[i];
        uint64_t overflow = atomic_load_explicit(&w->overflow, memory_order_relaxed);
        samples[count++] =
            (struct sample){pack(METRIC_OVERFLOW, (struct metrics_labels){{0}}), (int64_t)overflow};
        for (size_t at = 0; at < SLOTS; at++) {
            struct slot *slot = &w->slots[at];
            uint64_t key = atomic_load_explicit(&slot->key, memory_order_acquire);
            if (key)
                samples[count++] = (struct sample){
                    key, (int64_t)atomic_load_explicit(&slot->value, memory_order_relaxed)};
        }
    }
    *out = samples;
    return merge(samples, count);
}

static void write_heading(struct gw_buf *out, const char *name, const char *type, const char *help)
{
    gw_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line feed are the only escapes of the text format. */
static void write_escaped(struct gw_buf *out, struct gw_str text)
{
    gw_buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\' || c == '"' || c == '\n')
            gw_buf_char(out, '\\');
        gw_buf_char(out, c == '\n' ? 'n' : c);
    }
    gw_buf_char(out, '"');
}

void metrics_write_value(struct gw_buf *out, struct gw_str text)
{
    char copy[METRICS_LABEL_LENGTH];
    write_escaped(out, make_utf8(text, copy));
}

static void write_label(const struct metrics *m, struct gw_buf *out, const char *name, uint64_t id)
{
    gw_buf_printf(out, "%s=", name);
    if (id < METRICS_TEXT_FIRST) {
        gw_buf_printf(out, "\"%u\"", (unsigned)id);
    } else { /* an id that nobody handed out is our bug, but must not cost the scrape */
        size_t place = id - METRICS_TEXT_FIRST;
        const char *text = place < METRICS_TEXT_MAX ? m->texts[place] : NULL;
        write_escaped(out, gw_str_z(text ? text : "other"));
    }
}

static void write_sample(const struct metrics *m, const struct family *f, const struct sample *s,
                         struct gw_buf *out)
{
    gw_buf_add(out, gw_str_z(f->name));
    for (size_t i = 0; i < GW_COUNT(f->labels) && f->labels[i]; i++) {
        gw_buf_char(out, i ? ',' : '{');
        write_label(m, out, f->labels[i], s->key >> (3 - i) * ID_BITS & ID_MASK);
    }
    gw_buf_printf(out, "%s %lld\n", f->labels[0] ? "}" : "", (long long)s->value);
}

static void write_histogram(struct metrics *m, enum metric family, struct gw_buf *out)
{
    const char *name = families[family].name;
    uint64_t seen = 0, sum_us = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        for (unsigned i = 0; i < m->workers; i++)
            seen += atomic_load_explicit(&m->worker[i]->histograms[family].buckets[b],
                                         memory_order_relaxed);
        gw_buf_printf(out, "%s_bucket{le=\"%s\"} %llu\n", name, bounds[b].le,
                      (unsigned long long)seen);
    }
    for (unsigned i = 0; i < m->workers; i++)
        sum_us +=
            atomic_load_explicit(&m->worker[i]->histograms[family].sum_us, memory_order_relaxed);
    gw_buf_printf(out, "%s_sum %llu.%06llu\n%s_count %llu\n", name,
                  (unsigned long long)(sum_us / 1000000), (unsigned long long)(sum_us % 1000000),
                  name, (unsigned long long)seen);
}

/* The single series of a family without labels: a counter is shown from the start (so that its
 * first increment is an increase), a gauge only once it has a value. */
static void write_single(struct metrics *m, enum metric family, const struct sample *counted,
                         struct gw_buf *out)
{
    struct gauge *g = &m->gauges[family];
    if (families[family].kind == GAUGE && !counted && !atomic_load(&g->shown))
        return;
    struct sample s = {0, atomic_load(&g->value) + (counted ? counted->value : 0)};
    if (g->read)
        s.value += g->read(g->ctx);
    write_sample(m, &families[family], &s, out);
}

static void write_process(struct gw_buf *out)
{
    struct gw_process p = gw_process_read();
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"process_cpu_seconds_total", "counter", "User and system CPU time.", p.cpu_seconds},
        {"process_resident_memory_bytes", "gauge", "Resident memory.", (double)p.resident_bytes},
        {"process_virtual_memory_bytes", "gauge", "Virtual memory.", (double)p.virtual_bytes},
        {"process_open_fds", "gauge", "Open file descriptors.", (double)p.open_fds},
        {"process_max_fds", "gauge", "Limit on open file descriptors.", (double)p.max_fds},
        {"process_start_time_seconds", "gauge", "Start, since the epoch.", p.start_seconds},
    };
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        write_heading(out, rows[i].name, rows[i].type, rows[i].help);
        gw_buf_printf(out, "%s %.17g\n", rows[i].name, rows[i].value);
    }
}

void metrics_write(struct metrics *m, struct gw_buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    struct sample *samples;
    size_t count = collect(m, &samples), at = 0;
    for (enum metric family = 0; family < METRIC_COUNT; family++) {
        const struct family *f = &families[family];
        size_t end = at;
        while (end < count && samples[end].key >> FAMILY_SHIFT == (uint64_t)family + 1)
            end++;
        write_heading(out, f->name, types[f->kind], f->help);
        if (f->kind == HISTOGRAM)
            write_histogram(m, family, out);
        else if (!f->labels[0])
            write_single(m, family, end > at ? &samples[at] : NULL, out);
        else
            for (size_t i = at; i < end; i++)
                write_sample(m, f, &samples[i], out);
        at = end;
    }
    free(samples);
    write_process(out);
}
