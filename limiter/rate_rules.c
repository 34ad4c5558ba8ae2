/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/rate_rules.h"

#include "gateway/http/headers.h"
#include "limiter/shards.h"

#define HASHED_TAIL ((size_t)33) /* "~" and 32 hex digits */

struct rate_counters {
    struct shards *shards; /* key -> struct rate_counter */
};

struct rate_counters *rate_counters_new(size_t max)
{
    struct rate_counters *counters = gw_zalloc(sizeof(*counters));
    counters->shards = shards_new(max, sizeof(struct rate_counter));
    return counters;
}

void rate_counters_free(struct rate_counters *counters)
{
    if (!counters)
        return;
    shards_free(counters->shards);
    free(counters);
}

/* ---- keys ---- */

static struct rules_value value_of(const struct rate_visit *visit,
                                   const struct rate_characteristic *c)
{
    if (c->value)
        return expr_value(c->value, visit->facts);
    return (struct rules_value){.kind = RULES_VALUE_IP, .ip = &visit->facts->client_ip};
}

/* The hash is this process's own: outside of it nobody can try which secret it stands for. */
static void add_secret(struct rules_value value, struct gw_buf *out)
{
    size_t at = out->len;
    rules_value_text(value, out);
    if (value.kind == RULES_MISSING || out->overflow)
        return;
    uint64_t hash = gw_hash(gw_str_from(gw_buf_str(out), at));
    out->len = at;
    gw_buf_printf(out, "#%016llx", (unsigned long long)hash);
}

static void add_values(const struct rate_visit *visit, const struct rate_limit *rate,
                       struct gw_buf *out)
{
    for (size_t i = 0; i < rate->characteristic_count; i++) {
        gw_buf_add(out, i ? GW_STR(", ") : GW_STR_EMPTY);
        struct rules_value value = value_of(visit, &rate->characteristics[i]);
        if (rate->characteristics[i].secret)
            add_secret(value, out);
        else
            rules_value_text(value, out);
    }
}

/* Visitors choose these values: a long one must not become a large key, and two long ones must not
 * become one. */
static void shorten(struct gw_buf *key, size_t values_at)
{
    size_t kept = gw_max_u64(values_at, RATE_KEY_MAX - HASHED_TAIL);
    if (key->len <= RATE_KEY_MAX && !key->overflow)
        return;
    struct gw_hash128 hash = gw_hash128(gw_buf_str(key));
    key->len = gw_min_size(kept, key->len);
    key->overflow = false;
    gw_buf_printf(key, "~%016llx%016llx", (unsigned long long)hash.hi, (unsigned long long)hash.lo);
}

static struct table_key key_of(const struct rate_visit *visit, const struct rate_limit *rate)
{
    struct gw_buf *key = visit->key;
    gw_buf_clear(key);
    gw_buf_add(key, visit->zone);
    gw_buf_char(key, '/');
    gw_buf_add(key, gw_str(rate->name, sizeof(rate->name) - 1));
    gw_buf_char(key, '@');
    gw_buf_add(key, visit->edge);
    gw_buf_char(key, ':');
    size_t values_at = key->len;
    add_values(visit, rate, key);
    shorten(key, values_at);
    return table_key(gw_buf_str(key));
}

/* The other way round. */
static struct rate_entry entry_of(struct gw_str key, const struct rate_counter *c)
{
    struct rate_entry entry = {.counter = *c};
    (void)gw_str_next(&key, '/', &entry.zone);
    (void)gw_str_next(&key, '@', &entry.rule);
    (void)gw_str_next(&key, ':', &entry.edge);
    entry.values = key;
    return entry;
}

struct list {
    bool (*visit)(void *ctx, const struct rate_entry *entry);
    void *ctx;
};

static bool visit_entry(void *ctx, struct gw_str key, const void *record)
{
    const struct list *list = ctx;
    const struct rate_entry entry = entry_of(key, record);
    return list->visit(list->ctx, &entry);
}

void rate_counters_list(struct rate_counters *counters,
                        bool (*visit)(void *ctx, const struct rate_entry *entry), void *ctx)
{
    struct list list = {visit, ctx};
    shards_visit(counters->shards, visit_entry, &list);
}

size_t rate_counters_clear(struct rate_counters *counters)
{
    uint64_t keys = 0, evictions = 0;
    shards_count(counters->shards, &keys, &evictions);
    shards_clear(counters->shards);
    return keys;
}

/* ---- counters ---- */

static struct rate_terms terms_of(const struct rate_limit *rate)
{
    return (struct rate_terms){rate->limit, rate->period_ms, rate->timeout_ms};
}

/* Who only asks (cost 0) leaves no counter behind. */
static struct rate_reading take(const struct rate_visit *visit, const struct rate_limit *rate,
                                uint64_t cost)
{
    const struct rate_terms terms = terms_of(rate);
    struct table_key key = key_of(visit, rate);
    struct shard *shard = shard_lock(visit->counters->shards, key.hash);
    struct rate_counter *c =
        cost ? table_open(&shard->table, key, visit->now_ms) : table_find(&shard->table, key);
    struct rate_reading reading = {0};
    if (c) {
        uint64_t ends_at_ms = c->ends_at_ms;
        reading = rate_counter_take(c, &terms, cost, visit->now_ms);
        if (c->ends_at_ms != ends_at_ms)
            table_settle(&shard->table, c);
    }
    shard_unlock(shard);
    return reading;
}

/* ---- the phase ---- */

static bool is_matched(const struct rate_verdict *verdict, size_t rule)
{
    return verdict->matched[rule / 64] >> (rule % 64) & 1;
}

/* A counting expression stands on its own: it also counts what the rule does not match. */
static bool counts(const struct rate_visit *visit, const struct rate_verdict *verdict,
                   const struct rule *rule)
{
    return rule->rate->counting ? expr_eval_shared(rule->rate->counting, visit->facts)
                                : is_matched(verdict, rule->index);
}

/* Only `log` lets the evaluation go on (section b5); whatever else acts has refused the request. */
static void act(struct rate_verdict *verdict, const struct rule *rule,
                const struct rate_reading *reading)
{
    verdict->refused = rule->rate->action != RATE_LOG;
    if (verdict->refused && verdict->act_count == RATE_ACTS_MAX)
        verdict->act_count--; /* what ended it is always named */
    if (verdict->act_count < RATE_ACTS_MAX)
        verdict->acts[verdict->act_count++] =
            (struct rate_act){rule->index, (uint8_t)rule->rate->action};
    verdict->until_ms = reading->until_ms;
}

static void judge(const struct rate_visit *visit, struct rate_verdict *verdict,
                  const struct rule *rule)
{
    const struct rate_limit *rate = rule->rate;
    bool matches = expr_eval_shared(rule->expr, visit->facts);
    if (matches)
        verdict->matched[rule->index / 64] |= 1ull << (rule->index % 64);
    verdict->waits_for_origin |= rate->moment == RATE_AT_ORIGIN;
    verdict->waits_for_response |= rate->moment == RATE_AT_RESPONSE;
    /* A rule judges what it matches even if it counts something else, or later: those who made it
     * full are not always those whom it stops. */
    bool now = rate->moment == RATE_AT_REQUEST && counts(visit, verdict, rule);
    if (!matches && !now)
        return;
    struct rate_reading reading = take(visit, rate, now);
    if (matches && reading.over)
        act(verdict, rule, &reading);
}

static const struct rule *rule_at(const struct rate_visit *visit, size_t index)
{
    const struct rule *rule = ruleset_rule(visit->rules, index);
    return rule->enabled && rule->rate ? rule : NULL;
}

static size_t rules_of(const struct rate_visit *visit)
{
    return gw_min_size(ruleset_count(visit->rules), RATE_RULES_MAX);
}

void rate_rules_request(const struct rate_visit *visit, struct rate_verdict *verdict)
{
    *verdict = (struct rate_verdict){0};
    expr_share_reset(visit->facts);
    for (size_t i = 0; i < rules_of(visit) && !verdict->refused; i++) {
        const struct rule *rule = rule_at(visit, i);
        if (rule)
            judge(visit, verdict, rule);
    }
    /* The origin is not going to be asked, nor is there an answer of its to count. */
    if (verdict->refused)
        verdict->waits_for_origin = verdict->waits_for_response = false;
}

/* What the origin says this answer cost it; 0 for none and for what is out of range. */
static uint64_t score_of(const struct rate_visit *visit, const struct rate_limit *rate)
{
    const struct headers *answer = visit->facts->response_headers;
    const struct gw_str *said = answer ? headers_find(answer, rate->score_header) : NULL;
    uint64_t score;
    return said && gw_str_u64(*said, RATE_SCORE_MAX, &score) ? score : 0;
}

static void count_at(const struct rate_visit *visit, const struct rate_verdict *verdict,
                     enum rate_moment moment, bool asked_origin)
{
    /* What expressions have found out together holds for the facts of one moment; the answer is new
     * among them. */
    expr_share_reset(visit->facts);
    for (size_t i = 0; i < rules_of(visit); i++) {
        const struct rule *rule = rule_at(visit, i);
        if (!rule || rule->rate->moment != moment || (rule->rate->to_origin && !asked_origin) ||
            !counts(visit, verdict, rule))
            continue;
        uint64_t cost = rule->rate->score_header.len ? score_of(visit, rule->rate) : 1;
        if (cost)
            (void)take(visit, rule->rate, cost);
    }
}

void rate_rules_origin(const struct rate_visit *visit, const struct rate_verdict *verdict)
{
    count_at(visit, verdict, RATE_AT_ORIGIN, true);
}

void rate_rules_response(const struct rate_visit *visit, const struct rate_verdict *verdict,
                         bool asked_origin)
{
    count_at(visit, verdict, RATE_AT_RESPONSE, asked_origin);
}

/* ---- explain ---- */

static struct rate_counter copy_of(const struct rate_visit *visit, const struct rate_limit *rate)
{
    struct rate_counter copy = {0};
    struct table_key key = key_of(visit, rate);
    struct shard *shard = shard_lock(visit->counters->shards, key.hash);
    const struct rate_counter *c = table_find(&shard->table, key);
    if (c)
        copy = *c;
    shard_unlock(shard);
    return copy;
}

struct rate_look rate_rules_look(const struct rate_visit *visit, const struct rule *rule,
                                 struct gw_buf *values)
{
    const struct rate_limit *rate = rule->rate;
    const struct rate_terms terms = terms_of(rate);
    struct rate_look look = {0};
    add_values(visit, rate, values);
    if (!visit->counters)
        return look;
    struct rate_counter c = copy_of(visit, rate);
    bool counted = rate->moment == RATE_AT_REQUEST &&
                   expr_eval(rate->counting ? rate->counting : rule->expr, visit->facts);
    look.now = rate_counter_look(&c, &terms, visit->now_ms);
    look.next = rate_counter_take(&c, &terms, counted, visit->now_ms);
    look.next.over = look.next.over && expr_eval(rule->expr, visit->facts);
    return look;
}
