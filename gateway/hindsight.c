/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/hindsight.h"

#include "gateway/base/json_out.h"

#define WORDS_MAX   64 /* of one outcome */
#define SUMMARY_MAX 32 /* different changes that are counted apart */
#define TEXT_MAX    ((size_t)64 << 10)

static void show(const void *record, struct gw_str text, struct gw_buf *out)
{
    record_hide(record, text, out);
}

struct explain *hindsight_explain(const struct snapshot *s, const struct record *r,
                                  const struct hindsight_live *live, struct gw_time now)
{
    char error[EXPLAIN_ERROR_MAX];
    const struct explain_question q = {
        .method = r->method,
        .url = r->url,
        .headers = &r->request,
        .ip = r->peer,
        .edge = r->edge,
        .tls = r->tls,
        .now_ms = now.wall_ms,
        .date_ms = now.date_ms,
        .store = live ? live->store : NULL,
        .rate = live ? live->rate : NULL,
        .veil = {record_has_secrets(r) ? show : NULL, r},
    };
    /* With half a head it would be another request; with too many secrets one might be shown. */
    return r->cut || r->secrets.cut ? NULL : explain_new(s, &q, error);
}

/* ---- one request, before and after ---- */

/* What happened to a request, in the words of CF-Cache-Status as far as there are any. */
struct outcome {
    char words[WORDS_MAX];
};

static struct outcome outcome_of(const struct explain *e)
{
    struct outcome o;
    if (e->refused)
        snprintf(o.words, sizeof(o.words), "%u", e->refused);
    else if (!e->eligibility.eligible)
        snprintf(o.words, sizeof(o.words), "DYNAMIC");
    else
        snprintf(o.words, sizeof(o.words), e->key.overflow ? "BYPASS" : "HIT or MISS");
    return o;
}

static const struct explain_setting *setting_of(const struct explain *e, enum cache_setting key)
{
    for (size_t i = 0; i < e->setting_count; i++)
        if (e->settings[i].key == key)
            return &e->settings[i];
    return NULL;
}

/* As text: values are what a person would see changed, and documents are compared nowhere else. */
static bool same_value(const struct explain_setting *a, const struct explain_setting *b)
{
    struct gw_buf texts[2];
    if (!a || !b)
        return a == b;
    gw_buf_init(&texts[0], TEXT_MAX);
    gw_buf_init(&texts[1], TEXT_MAX);
    json_write(a->value, &texts[0]);
    json_write(b->value, &texts[1]);
    bool same = gw_str_eq(gw_buf_str(&texts[0]), gw_buf_str(&texts[1]));
    gw_buf_release(&texts[0]);
    gw_buf_release(&texts[1]);
    return same;
}

/* Names of the settings that differ, "a, b"; empty: none does. */
static void differing_settings(const struct explain *before, const struct explain *after,
                               struct gw_buf *out)
{
    for (size_t key = 0; key < CACHE_SETTING_COUNT; key++) {
        if (same_value(setting_of(before, (enum cache_setting)key),
                       setting_of(after, (enum cache_setting)key)))
            continue;
        gw_buf_add(out, out->len ? GW_STR(", ") : GW_STR_EMPTY);
        gw_buf_add(out, gw_str_z(cache_setting_name((enum cache_setting)key)));
    }
}

static bool same_matches(const struct explain_phase *a, const struct explain_phase *b)
{
    if (a->rule_count != b->rule_count)
        return a->matched == 0 && b->matched == 0;
    for (size_t i = 0; i < a->rule_count; i++)
        if (a->rules[i].matched != b->rules[i].matched)
            return false;
    return true;
}

/* NULL: the zone has no rules of it. */
static const struct explain_phase *phase_of(const struct explain *e, struct gw_str name)
{
    for (size_t i = 0; i < e->phase_count; i++)
        if (gw_str_eq(ruleset_info(e->phases[i].ruleset)->phase_name, name))
            return &e->phases[i];
    return NULL;
}

/* Phases that do not change the cache's settings: what can be told is which of their rules match.
 */
static bool rate_rules_differ(const struct explain *before, const struct explain *after)
{
    static const struct explain_phase none;
    const struct explain_phase *a = phase_of(before, GW_STR("http_ratelimit"));
    const struct explain_phase *b = phase_of(after, GW_STR("http_ratelimit"));
    return !same_matches(a ? a : &none, b ? b : &none);
}

/* The first difference that a visitor or an operator would notice; false: there is none. */
static bool describe(const struct explain *before, const struct explain *after, struct gw_buf *out)
{
    struct outcome was = outcome_of(before), is = outcome_of(after);
    if (strcmp(was.words, is.words) != 0) {
        gw_buf_printf(out, "change from %s to %s", was.words, is.words);
        return true;
    }
    if (before->eligibility.eligible && !before->refused &&
        !gw_str_eq(gw_buf_str(&before->key), gw_buf_str(&after->key))) {
        gw_buf_add(out,
                   GW_STR("get another cache key: what is cached for them is not found again"));
        return true;
    }
    if (rate_rules_differ(before, after)) {
        gw_buf_add(out, GW_STR("are matched by other rate limiting rules"));
        return true;
    }
    struct gw_buf names;
    gw_buf_init(&names, TEXT_MAX);
    differing_settings(before, after, &names);
    bool differ = names.len > 0 && before->eligibility.eligible;
    if (differ) {
        gw_buf_add(out, GW_STR("get other settings: "));
        gw_buf_add(out, gw_buf_str(&names));
    }
    gw_buf_release(&names);
    return differ;
}

/* ---- all of them ---- */

struct kind {
    struct gw_str what;
    size_t count;
};

struct comparison {
    struct gw_arena arena;
    struct kind kinds[SUMMARY_MAX];
    size_t kind_count, changed, uncounted;
    struct gw_buf changes;
};

static void add_change(struct comparison *c, const struct record *r, struct gw_str what)
{
    if (c->changed++ >= HINDSIGHT_CHANGES_MAX)
        return;
    struct gw_buf *out = &c->changes;
    gw_json_object(out, NULL);
    gw_json_text(out, "ray", r->ray);
    gw_json_text(out, "edge", r->edge);
    gw_json_text(out, "method", r->method);
    gw_json_text(out, "url", r->shown_url);
    gw_json_text(out, "what", what);
    gw_buf_char(out, '}');
}

/* Sentences are counted, requests are named: a person reads a few dozen lines, whatever the
 * traffic. */
static void add_kind(struct comparison *c, struct gw_str what)
{
    for (size_t i = 0; i < c->kind_count; i++)
        if (gw_str_eq(c->kinds[i].what, what)) {
            c->kinds[i].count++;
            return;
        }
    if (c->kind_count == SUMMARY_MAX)
        c->uncounted++;
    else
        c->kinds[c->kind_count++] = (struct kind){gw_arena_dup(&c->arena, what), 1};
}

static void compare_one(struct comparison *c, const struct explain *before,
                        const struct explain *after, const struct record *r)
{
    struct gw_buf what;
    gw_buf_init(&what, TEXT_MAX);
    if (describe(before, after, &what)) {
        add_kind(c, gw_buf_str(&what));
        add_change(c, r, gw_buf_str(&what));
    }
    gw_buf_release(&what);
}

static void add_sentence(struct gw_buf *out, size_t count, struct gw_str what)
{
    struct gw_buf sentence;
    gw_buf_init(&sentence, TEXT_MAX + 64);
    gw_buf_printf(&sentence, "%zu %s ", count, count == 1 ? "request would" : "requests would");
    gw_buf_add(&sentence, what);
    gw_json_text(out, NULL, gw_buf_str(&sentence));
    gw_buf_release(&sentence);
}

static void write(const struct comparison *c, size_t count, struct gw_buf *out)
{
    gw_buf_printf(out, "{\"requests\":%zu,\"changed\":%zu,\"summary\":[", count, c->changed);
    for (size_t i = 0; i < c->kind_count; i++)
        add_sentence(out, c->kinds[i].count, c->kinds[i].what);
    if (c->uncounted)
        add_sentence(out, c->uncounted, GW_STR("change in further ways"));
    gw_buf_add(out, GW_STR("],\"changes\":["));
    gw_buf_add(out, gw_buf_str(&c->changes));
    gw_buf_add(out, GW_STR("]}"));
}

void hindsight_compare(const struct snapshot *before, const struct snapshot *after,
                       struct record *const *records, size_t count, struct gw_time now,
                       struct gw_buf *out)
{
    struct comparison c = {.kind_count = 0};
    size_t compared = 0;
    gw_arena_init(&c.arena, NULL, 0, 0);
    gw_buf_init(&c.changes, (size_t)16 << 20);
    for (size_t i = 0; i < count; i++) {
        struct explain *was = hindsight_explain(before, records[i], NULL, now);
        struct explain *is = hindsight_explain(after, records[i], NULL, now);
        compared += was && is;
        if (was && is)
            compare_one(&c, was, is, records[i]);
        explain_free(was);
        explain_free(is);
    }
    write(&c, compared, out);
    gw_buf_release(&c.changes);
    gw_arena_clear(&c.arena);
}
