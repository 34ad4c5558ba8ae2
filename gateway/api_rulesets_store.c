/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_rulesets_store.h"

/* ---- versions ---- */

struct api_version *api_version_new(const struct api_version *like)
{
    struct api_version *v = gw_zalloc(sizeof(*v));
    atomic_init(&v->refs, 1);
    gw_arena_init(&v->arena, NULL, 0, 0);
    v->number = like->number;
    v->last_updated = gw_arena_dup(&v->arena, like->last_updated);
    v->description = gw_arena_dup(&v->arena, like->description);
    v->count = like->count;
    v->rules = gw_arena_alloc(&v->arena, (v->count + 1) * sizeof(*v->rules));
    for (size_t i = 0; i < v->count; i++)
        v->rules[i] = api_rule_copy(&like->rules[i], &v->arena);
    return v;
}

static struct api_version *version_ref(struct api_version *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}

void api_version_unref(struct api_version *v)
{
    if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    gw_arena_clear(&v->arena);
    free(v);
}

/* ---- sets ---- */

struct api_rulesets *api_rulesets_new(void)
{
    struct api_rulesets *set = gw_zalloc(sizeof(*set));
    atomic_init(&set->refs, 1);
    gw_arena_init(&set->arena, NULL, 0, 0);
    return set;
}

struct api_rulesets *api_rulesets_ref(struct api_rulesets *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void api_rulesets_unref(struct api_rulesets *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        for (size_t n = 0; n < set->rulesets[i].count; n++)
            api_version_unref(set->rulesets[i].versions[n]);
    free(set->rulesets);
    free(set->files);
    gw_arena_clear(&set->arena);
    free(set);
}

/* A ruleset without versions yet, with room for `room` of them. */
static struct api_ruleset *add_ruleset(struct api_rulesets *set, const struct api_ruleset *head,
                                       size_t room)
{
    set->rulesets = gw_realloc(set->rulesets, (set->count + 1) * sizeof(*set->rulesets));
    struct api_ruleset *rs = &set->rulesets[set->count++];
    *rs = (struct api_ruleset){.id = gw_arena_dup(&set->arena, head->id),
                               .name = gw_arena_dup(&set->arena, head->name),
                               .phase = gw_arena_dup(&set->arena, head->phase)};
    rs->versions = gw_arena_alloc(&set->arena, room * sizeof(struct api_version *));
    return rs;
}

static void add_file(struct api_rulesets *set, struct gw_str phase, struct gw_str path)
{
    set->files = gw_realloc(set->files, (set->file_count + 1) * sizeof(*set->files));
    char *copy = gw_arena_dupz(&set->arena, path);
    set->files[set->file_count++] =
        (struct api_ruleset_file){gw_arena_dup(&set->arena, phase), gw_str(copy, path.len)};
}

/* Everything but the ruleset `but` (NULL: all), sharing the versions. A set is never changed once a
 * snapshot has it, for workers read it without a lock: each write makes a new one. */
static struct api_rulesets *copy_set(const struct api_rulesets *set, const struct api_ruleset *but)
{
    struct api_rulesets *copy = api_rulesets_new();
    copy->unsaved = set->unsaved;
    for (size_t i = 0; i < set->file_count; i++)
        add_file(copy, set->files[i].phase, set->files[i].path);
    for (size_t i = 0; i < set->count; i++) {
        const struct api_ruleset *old = &set->rulesets[i];
        if (old == but)
            continue;
        struct api_ruleset *rs = add_ruleset(copy, old, old->count + 1);
        for (size_t n = 0; n < old->count; n++)
            rs->versions[rs->count++] = version_ref(old->versions[n]);
    }
    return copy;
}

static void drop_version(struct api_ruleset *rs, size_t at)
{
    api_version_unref(rs->versions[at]);
    rs->count--;
    for (size_t i = at; i < rs->count; i++)
        rs->versions[i] = rs->versions[i + 1];
}

/* History is a convenience: it may not grow with what clients send. */
static void trim_history(struct api_ruleset *rs)
{
    size_t bytes = 0, keep = 1;
    for (size_t n = rs->count - 1; n > 0 && keep < API_VERSIONS_MAX; n--, keep++) {
        bytes += rs->versions[n - 1]->arena.used;
        if (bytes > API_HISTORY_MAX)
            break;
    }
    while (rs->count > keep)
        drop_version(rs, 0);
}

struct api_rulesets *api_rulesets_with(const struct api_rulesets *set,
                                       const struct api_ruleset *head, struct api_version *version)
{
    struct api_rulesets *copy = copy_set(set, NULL);
    struct api_ruleset *rs = (struct api_ruleset *)api_ruleset_find(copy, head->id);
    if (!rs)
        rs = add_ruleset(copy, head, 1);
    rs->versions[rs->count++] = version_ref(version);
    trim_history(rs);
    return copy;
}

struct api_rulesets *api_rulesets_without(const struct api_rulesets *set,
                                          const struct api_ruleset *gone)
{
    return copy_set(set, gone);
}

struct api_rulesets *api_rulesets_without_version(const struct api_rulesets *set,
                                                  const struct api_ruleset *of, uint64_t number)
{
    struct api_rulesets *copy = copy_set(set, NULL);
    struct api_ruleset *rs = &copy->rulesets[of - set->rulesets];
    for (size_t n = 0; n < rs->count; n++)
        if (rs->versions[n]->number == number) {
            drop_version(rs, n);
            break;
        }
    return copy;
}

/* ---- from files ---- */

static struct gw_str derived_id(struct gw_arena *arena, struct gw_str zone_id, struct gw_str name)
{
    char id[API_ID_LEN];
    api_derived_id(zone_id, name, id);
    return gw_arena_dup(arena, gw_str(id, sizeof(id)));
}

/* "phase/name" names a rule within its zone. */
static struct gw_str rule_id(struct gw_arena *arena, struct gw_str zone_id, struct gw_str phase,
                             const struct rule *rule)
{
    char text[512];
    struct gw_buf name = gw_buf_over(text, sizeof(text));
    if (rule->id.len)
        return rule->id;
    gw_buf_add(&name, phase);
    if (rule->ref.len)
        gw_buf_printf(&name, "/ref/%.*s", (int)gw_min_size(rule->ref.len, 256), rule->ref.ptr);
    else
        gw_buf_printf(&name, "/%u", rule->index);
    return derived_id(arena, zone_id, gw_buf_str(&name));
}

static uint64_t number_of(struct gw_str version)
{
    uint64_t number = 0;
    return gw_str_u64(version, 1000000000, &number) && number > 0 ? number : 1;
}

/* The loader keeps each rule's own text; it has parsed before. */
static void seed_definition(struct gw_arena *arena, const struct rule *rule,
                            struct api_definition *out)
{
    const struct gw_source source = {"rule", rule->json};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    bool fits = doc && api_definition_read(json_root(doc), arena, out);
    (void)fits; /* the loader's own ceiling for a rule is the same */
    json_doc_free(doc);
    gw_diags_release(&diags);
}

static struct api_rule seed_rule(struct gw_arena *arena, struct gw_str zone_id,
                                 const struct ruleset_info *info, const struct rule *rule)
{
    struct api_rule out = {.id = rule_id(arena, zone_id, info->phase_name, rule),
                           .version = number_of(rule->version),
                           .last_updated = rule->last_updated};
    out.ref = rule->ref.len ? rule->ref : out.id;
    seed_definition(arena, rule, &out.definition);
    return out;
}

void api_rulesets_seed(struct api_rulesets *set, struct gw_str zone_id, const struct ruleset *rs,
                       struct gw_str path, uint64_t date_ms)
{
    const struct ruleset_info *info = ruleset_info(rs);
    char now[API_TIME_LEN];
    struct gw_arena scratch;
    gw_arena_init(&scratch, NULL, 0, 0);
    api_time(date_ms, now);
    struct api_version version = {
        .number = number_of(info->version),
        .last_updated = info->last_updated.len ? info->last_updated : gw_str(now, sizeof(now)),
        .description = info->description,
        .count = ruleset_count(rs),
    };
    version.rules = gw_arena_alloc(&scratch, (version.count + 1) * sizeof(*version.rules));
    for (size_t i = 0; i < version.count; i++) {
        version.rules[i] = seed_rule(&scratch, zone_id, info, ruleset_rule(rs, i));
        if (!version.rules[i].last_updated.len)
            version.rules[i].last_updated = version.last_updated;
    }
    const struct api_ruleset head = {
        .id = info->id.len ? info->id : derived_id(&scratch, zone_id, info->phase_name),
        .name = info->name.len ? info->name : GW_STR("default"),
        .phase = info->phase_name};
    struct api_ruleset *added = add_ruleset(set, &head, 1);
    added->versions[added->count++] = api_version_new(&version);
    add_file(set, info->phase_name, path);
    gw_arena_clear(&scratch);
}

/* ---- looking up ---- */

const struct api_ruleset *api_ruleset_find(const struct api_rulesets *set, struct gw_str id)
{
    for (size_t i = 0; i < set->count; i++)
        if (gw_str_eq(set->rulesets[i].id, id))
            return &set->rulesets[i];
    return NULL;
}

const struct api_ruleset *api_ruleset_of_phase(const struct api_rulesets *set, struct gw_str phase)
{
    for (size_t i = 0; i < set->count; i++)
        if (gw_str_eq(set->rulesets[i].phase, phase))
            return &set->rulesets[i];
    return NULL;
}

const struct api_version *api_ruleset_version(const struct api_ruleset *rs, uint64_t number)
{
    for (size_t n = 0; n < rs->count; n++)
        if (rs->versions[n]->number == number)
            return rs->versions[n];
    return NULL;
}

const char *api_rulesets_file(const struct api_rulesets *set, struct gw_str phase)
{
    for (size_t i = 0; i < set->file_count; i++)
        if (gw_str_eq(set->files[i].phase, phase))
            return set->files[i].path.ptr;
    return NULL;
}

void api_ruleset_write(const struct api_ruleset *rs, const struct api_version *version, bool rules,
                       struct gw_buf *out)
{
    char digits[20];
    gw_buf_char(out, '{');
    api_member(out, "description", version->description);
    api_member(out, "id", rs->id);
    api_member(out, "kind", GW_STR("zone"));
    api_member(out, "last_updated", version->last_updated);
    api_member(out, "name", rs->name);
    api_member(out, "phase", rs->phase);
    if (rules) {
        gw_buf_add(out, GW_STR(",\"rules\":["));
        for (size_t i = 0; i < version->count; i++) {
            if (i > 0)
                gw_buf_char(out, ',');
            api_rule_write(&version->rules[i], out);
        }
        gw_buf_char(out, ']');
    }
    api_member(out, "version", gw_str(digits, gw_u64_digits(digits, version->number)));
    gw_buf_char(out, '}');
}
