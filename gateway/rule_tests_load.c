/* SPDX-License-Identifier: Apache-2.0 */
/* What a test file tests: a whole configuration, or rulesets alone, which then stand in a zone that
 * answers for every host. */
#include "config/file.h"
#include "gateway/rule_tests_inside.h"

#define RULESETS_MAX 16

static const char *const file_keys[] = {"config", "rules", "limiters", "plan", "cases", NULL};

struct loader {
    struct rule_tests *t;
    struct gw_diags *problems;
};

/* A path in the file is relative to the file. */
static const char *read_path(const struct loader *l, const struct json *v)
{
    if (json_type(v) != JSON_STRING || !json_str(v).len) {
        json_error(l->t->doc, v, l->problems, "a path is expected");
        return NULL;
    }
    const char *path = file_resolve(&l->t->arena, json_source(l->t->doc)->name, json_str(v)).ptr;
    int err = file_probe(path);
    if (!err)
        return path;
    json_error(l->t->doc, v, l->problems, "%s: %s", path, strerror(-err));
    return NULL;
}

static struct config *load_config(const struct loader *l, const struct json *v, bool *bad_config)
{
    const struct config_overrides overrides = {.lenient_secrets = true};
    const char *path = read_path(l, v);
    struct config *config = path ? config_load(path, &overrides, l->problems) : NULL;
    *bad_config = path && !config;
    return config;
}

static bool read_rules(const struct loader *l, const struct json *v, const char **paths)
{
    bool list = json_type(v) == JSON_ARRAY, good = true;
    size_t count = 0;
    for (const struct json *item = list ? json_first(v) : v; item;
         item = list ? json_next(item) : NULL) {
        if (count == RULESETS_MAX) {
            json_error(l->t->doc, item, l->problems, "more than %d rulesets", RULESETS_MAX);
            return false;
        }
        paths[count] = read_path(l, item);
        good &= paths[count++] != NULL;
    }
    return good;
}

/* "plan" stands beside "rules" only: a configuration says its own. */
static bool set_plan(const struct loader *l, const struct json *v, struct config *config)
{
    for (int plan = 0; v && config_plan_names[plan]; plan++) {
        if (!gw_str_eq(json_str(v), gw_str_z(config_plan_names[plan])))
            continue;
        config->zones[0].plan = (enum config_plan)plan;
        return true;
    }
    if (v)
        json_error(l->t->doc, v, l->problems, "a plan is free, pro, business or enterprise");
    return !v;
}

static struct config *make_config(const struct loader *l, const struct json *root)
{
    const char *rules[RULESETS_MAX + 1] = {NULL};
    static const char *const hosts[] = {"*", NULL};
    const struct json *limiters = json_get(root, "limiters");
    struct config_flags flags = {
        .origin = "http://127.0.0.1:9", .hosts = hosts, .rules = rules}; /* never asked */
    if (!read_rules(l, json_get(root, "rules"), rules))
        return NULL;
    if (limiters && !(flags.limiters = read_path(l, limiters)))
        return NULL;
    struct config *config = config_from_flags(&flags, l->problems);
    if (config && !set_plan(l, json_get(root, "plan"), config)) {
        config_free(config);
        config = NULL;
    }
    return config;
}

struct snapshot *rule_tests_load(struct rule_tests *t, struct gw_diags *problems, bool *bad_config)
{
    const struct loader l = {t, problems};
    const struct json *root = json_root(t->doc), *config_path = json_get(root, "config");
    size_t before = problems->errors;
    json_unknown_keys(t->doc, root, file_keys, problems);
    if (!config_path == !json_get(root, "rules"))
        json_error(t->doc, root, problems, "say what to test: \"config\" or \"rules\"");
    if (config_path && (json_get(root, "plan") || json_get(root, "limiters")))
        json_error(t->doc, root, problems,
                   "\"plan\" and \"limiters\" stand beside \"rules\", not beside \"config\"");
    if (problems->errors > before)
        return NULL;
    struct config *config =
        config_path ? load_config(&l, config_path, bad_config) : make_config(&l, root);
    if (!config)
        return NULL;
    t->metrics = metrics_new(1, GW_STR_EMPTY);
    struct snapshot *s = snapshot_build(config, t->metrics, problems);
    *bad_config = !s;
    return s;
}
