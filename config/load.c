/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and lists by the table, and the life of a configuration. */
#include "config/load.h"

#define KEYS_MAX 32 /* of one section */

struct owned {
    struct gw_arena arena; /* holds everything below */
    struct json_doc *doc;
    struct config config;
};

/* Every list in the configuration is a pointer to its items and, right behind, their number. Copied
 * as bytes: the field's own type is a pointer to its items, which a void ** may not alias. */
static void set_list(void *target, void *items, size_t count)
{
    memcpy(target, &items, sizeof(items));
    memcpy((char *)target + sizeof(items), &count, sizeof(count));
}

static void load_value(struct load *l, const struct schema_key *key, const struct json *v,
                       void *target);

/* Items keep their places even when some of them are wrong, so that the n-th item here is the n-th
 * in the text and later checks can point at it. */
static void load_list(struct load *l, const struct schema_key *key, const struct json *v,
                      void *target)
{
    bool lone = v && (key->flags & SCHEMA_LONE_ITEM) && json_type(v) == JSON_OBJECT;
    if (v && !lone && json_type(v) != JSON_ARRAY) {
        load_fail_expected(l, key, v);
        return;
    }
    size_t count = v && !lone ? json_count(v) : lone || (key->flags & SCHEMA_ONE_ITEM);
    if (v && count == 0 && !(key->flags & SCHEMA_MAY_BE_EMPTY))
        json_error(l->doc, v, l->diags, "\"%s\" is empty (%s)", key->name, key->help);
    if (key->max && count > key->max) {
        json_error(l->doc, v, l->diags, "\"%s\" has %zu items; at most %u are possible", key->name,
                   count, (unsigned)key->max);
        return;
    }
    if (count == 0)
        return;
    size_t size = schema_size(key->item);
    char *items = gw_arena_zalloc(l->arena, count * size);
    set_list(target, items, count);
    const struct json *child = lone ? v : json_first(v);
    for (size_t i = 0; i < count; i++, child = child ? json_next(child) : NULL)
        load_value(l, key->item, child, items + i * size);
}

/* A value of the wrong type is reported once; what it should have held takes its defaults and says
 * nothing more. */
static void load_object(struct load *l, const struct schema_key *key, const struct json *v,
                        void *target)
{
    bool bare = v && json_type(v) == JSON_STRING && key->section->shorthand;
    if (v && !bare && json_type(v) != JSON_OBJECT) {
        load_fail_expected(l, key, v);
        v = NULL;
    }
    load_section(l, key->section, v, target);
}

/* v is NULL when the file does not say it. */
static void load_value(struct load *l, const struct schema_key *key, const struct json *v,
                       void *target)
{
    switch (key->kind) {
    case SCHEMA_OBJECT:
        load_object(l, key, v, target);
        return;
    case SCHEMA_LIST:
        load_list(l, key, v, target);
        return;
    case SCHEMA_BOOL:
    case SCHEMA_SWITCH:
    case SCHEMA_INT:
    case SCHEMA_FRACTION:
    case SCHEMA_SIZE:
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
    case SCHEMA_ENUM:
    case SCHEMA_FORM:
        break;
    }
    if (v)
        load_scalar(l, key, v, target);
    else
        load_default(l, key, target);
}

static void check_unknown_keys(struct load *l, const struct schema_section *section,
                               const struct json *object)
{
    const char *known[KEYS_MAX + 1] = {NULL};
    for (size_t i = 0; i < KEYS_MAX && section->keys[i].name; i++)
        known[i] = section->keys[i].name;
    json_unknown_keys(l->doc, object, known, l->diags);
}

/* The value that stands for a key in an object, or in the bare string of a short form. */
static const struct json *find_value(const struct schema_section *section, const char *name,
                                     const struct json *v)
{
    if (!v || json_type(v) == JSON_OBJECT)
        return v ? json_get(v, name) : NULL;
    return strcmp(name, section->shorthand) == 0 ? v : NULL;
}

void load_section(struct load *l, const struct schema_section *section, const struct json *v,
                  void *target)
{
    if (v)
        check_unknown_keys(l, section, v);
    for (const struct schema_key *key = section->keys; key->name; key++) {
        const struct json *member = find_value(section, key->name, v);
        if (!member && v && (key->flags & SCHEMA_REQUIRED))
            json_error(l->doc, v, l->diags, "\"%s\" is missing (%s)", key->name, key->help);
        load_value(l, key, member, (char *)target + key->offset);
    }
    /* Last, and inner sections before outer ones: a check sees defaults filled in, and parts that
     * have been checked and settled themselves. */
    if (section->check)
        section->check(l, v, target);
}

static int find_plan(const char *name)
{
    for (int i = 0; config_plan_names[i]; i++)
        if (strcmp(config_plan_names[i], name) == 0)
            return i;
    return -1;
}

/* All texts at and below `v`, or the passwords of URLs only. */
static void hide_below(struct json_doc *doc, const struct json *v, bool all)
{
    if (all || gw_str_find(json_str(v), GW_STR("://")) != GW_NPOS)
        json_hide(doc, v);
    for (const struct json *child = json_first(v); child; child = json_next(child))
        hide_below(doc, child, all);
}

/* Before the first message: an excerpt shows the line, and a secret may stand on the same one as a
 * mistake, or be the mistake: under `admin` a misspelt name's value is a token for all we know. */
static void hide_secrets(struct json_doc *doc)
{
    const struct json *root = json_root(doc);
    hide_below(doc, root, false);
    json_hide(doc, json_get(json_get(root, "limiter"), "backend"));
    for (const struct json *member = json_first(json_get(root, "admin")); member;
         member = json_next(member))
        hide_below(doc, member, !gw_str_eq(json_key(member), GW_STR("address")));
}

static struct config *load_document(struct json_doc *doc, const struct config_overrides *overrides,
                                    struct gw_diags *diags)
{
    static const struct config_overrides none;
    const struct config_overrides *o = overrides ? overrides : &none;
    size_t before = diags->errors;
    struct owned *owned = gw_zalloc(sizeof(*owned));
    gw_arena_init(&owned->arena, NULL, 0, 0);
    const char *path = json_source(doc)->name;
    /* Relations are checked after errors, too: one run shows all mistakes, not the first layer. */
    struct load l = {doc, diags, &owned->arena, path, o->lenient_secrets, -1, false};
    if (o->plan && (l.plan = find_plan(o->plan)) < 0)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL,
                     "there is no plan \"%s\"; plans are free, pro, business and enterprise",
                     o->plan);
    const struct json *root = json_root(doc);
    hide_secrets(doc);
    if (json_type(root) == JSON_OBJECT) {
        owned->config.path = gw_arena_dup(&owned->arena, gw_str_z(path));
        load_section(&l, &schema_root, root, &owned->config);
        check_relations(&l, &owned->config);
    } else {
        json_error(doc, root, diags, "a configuration is an object in { }, not %s",
                   json_type_name(json_type(root)));
    }
    if (diags->errors == before)
        return &owned->config;
    config_free(&owned->config);
    return NULL;
}

/* The document stays: expressions are compiled later and must be able to say where they stand. */
static struct config *load_and_keep(struct json_doc *doc, const struct config_overrides *overrides,
                                    struct gw_diags *diags)
{
    struct config *config = doc ? load_document(doc, overrides, diags) : NULL;
    if (!config) {
        json_doc_free(doc);
        return NULL;
    }
    config->doc = gw_container_of(config, struct owned, config)->doc = doc;
    return config;
}

struct config *config_load(const char *path, const struct config_overrides *overrides,
                           struct gw_diags *diags)
{
    return load_and_keep(json_read(path, path, diags), overrides, diags);
}

struct config *config_load_text(const struct gw_source *source,
                                const struct config_overrides *overrides, struct gw_diags *diags)
{
    return load_and_keep(json_parse(source, diags), overrides, diags);
}

/* With the last reference to a snapshot, at a tool's end, or by load_document after an error: the
 * document is not ours yet then, and load_and_keep frees it. */
void config_free(struct config *config)
{
    if (!config)
        return;
    struct owned *owned = gw_container_of(config, struct owned, config);
    gw_arena_clear(&owned->arena);
    json_doc_free(owned->doc);
    free(owned);
}
