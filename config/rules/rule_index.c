/* SPDX-License-Identifier: Apache-2.0 */
/* A table for each text that rules are bound by (the path, nearly always), sorted by bytes. All
 * beginnings of a text that stand in its table are beginnings of the last entry not after the text,
 * too: so that one is found by halving, and from it on each entry knows the longest of its own
 * beginnings. An entry holds the rules of all of those as well, so the first that fits says all.
 *
 * A trie would find the same in one walk; it was not taken, as a few comparisons of cached lines
 * cost as much as its steps, and an array is built and read in a third of the code. */
#include "config/rules/rule_index.h"

#include "config/rules/anchors.h"

struct entry {
    struct gw_str literal;
    const struct entry *shorter; /* the longest other entry that this one starts with, or NULL */
    struct rule_set rules;       /* of this beginning and all shorter ones */
};

struct table {
    size_t text_at;
    struct entry *entries;
    size_t count;
};

/* As many texts as rules are usually bound by; rules bound by a further one are always asked. */
#define TABLES_MAX 4

struct rule_index {
    struct rule_set always;
    struct table tables[TABLES_MAX];
    size_t table_count;
};

static void include(struct rule_set *set, size_t rule)
{
    set->words[rule / 64] |= 1ull << (rule % 64);
}

static void unite(struct rule_set *set, const struct rule_set *more)
{
    for (size_t i = 0; i < RULE_SET_WORDS; i++)
        set->words[i] |= more->words[i];
}

static struct table *table_of(struct rule_index *index, size_t text_at, size_t most,
                              struct gw_arena *arena)
{
    for (size_t i = 0; i < index->table_count; i++) {
        if (index->tables[i].text_at == text_at)
            return &index->tables[i];
    }
    if (index->table_count == TABLES_MAX)
        return NULL;
    struct table *t = &index->tables[index->table_count++];
    t->text_at = text_at;
    t->entries = gw_arena_alloc(arena, most * sizeof(*t->entries));
    return t;
}

/* `most`: entries that a table may get. */
static void place(struct rule_index *index, const struct rule *rule, size_t most,
                  struct gw_arena *arena)
{
    struct anchors anchors;
    anchors_of(rule->expr, &anchors);
    bool placed = anchors.count > 0;
    for (size_t i = 0; i < anchors.count; i++) {
        struct table *t = table_of(index, anchors.items[i].text_at, most, arena);
        placed = placed && t;
        if (!placed)
            break;
        struct entry *e = &t->entries[t->count++];
        *e = (struct entry){.literal = anchors.items[i].literal};
        include(&e->rules, rule->index);
    }
    if (!placed)
        include(&index->always, rule->index);
}

static int by_bytes(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return gw_str_cmp(x->literal, y->literal);
}

static void finish(struct table *t)
{
    qsort(t->entries, t->count, sizeof(*t->entries), by_bytes);
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (kept && gw_str_eq(t->entries[kept - 1].literal, t->entries[i].literal))
            unite(&t->entries[kept - 1].rules, &t->entries[i].rules);
        else
            t->entries[kept++] = t->entries[i];
    }
    t->count = kept;
    for (size_t i = 1; i < t->count; i++) {
        struct entry *e = &t->entries[i];
        const struct entry *shorter = e - 1;
        while (shorter && !gw_str_starts(e->literal, shorter->literal))
            shorter = shorter->shorter;
        e->shorter = shorter;
        if (shorter)
            unite(&e->rules, &shorter->rules);
    }
}

static size_t count_anchors(const struct rule *rules, size_t count)
{
    struct anchors anchors;
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (rules[i].enabled && rules[i].expr) {
            anchors_of(rules[i].expr, &anchors);
            sum += anchors.count;
        }
    }
    return sum;
}

const struct rule_index *rule_index_new(const struct rule *rules, size_t count,
                                        struct gw_arena *arena)
{
    struct rule_index *index = gw_arena_zalloc(arena, sizeof(*index));
    size_t most = count_anchors(rules, count);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].enabled && rules[i].expr)
            place(index, &rules[i], most, arena);
    }
    for (size_t i = 0; i < index->table_count; i++)
        finish(&index->tables[i]);
    return index;
}

/* The last entry that does not sort behind `text`, or NULL. */
static const struct entry *last_before(const struct table *t, struct gw_str text)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (gw_str_cmp(t->entries[middle].literal, text) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &t->entries[low - 1] : NULL;
}

void rule_index_find(const struct rule_index *index, const struct rules_request *r,
                     struct rule_set *candidates)
{
    *candidates = index->always;
    for (size_t i = 0; i < index->table_count; i++) {
        const struct table *t = &index->tables[i];
        struct gw_str text = *(const struct gw_str *)((const char *)r + t->text_at);
        const struct entry *e = last_before(t, text);
        while (e && !gw_str_starts(text, e->literal))
            e = e->shorter;
        if (e)
            unite(candidates, &e->rules);
    }
}
