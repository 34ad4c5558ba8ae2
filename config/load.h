/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parts of the loader share while one file is read. Internal to config/. Thread: the
 * loader's. Owns: nothing; the arena is the configuration's. */
#include "config/config.h"
#include "config/json.h"
#include "config/schema.h"
#include "gateway/base/arena.h"

struct load {
    const struct json_doc *doc;
    struct gw_diags *diags;
    struct gw_arena *arena; /* of the configuration */
    const char *base;       /* the file; paths in it are relative to its folder */
    bool lenient_secrets;
    int plan;      /* enum config_plan that replaces every zone's, or -1 */
    bool verbatim; /* a client's text: "${…}" in it is nothing but these letters */
};

/* Fills the zeroed struct at `target` from an object; NULL: with defaults. Goes on after errors, so
 * that all of them are reported. */
void load_section(struct load *l, const struct schema_section *section, const struct json *v,
                  void *target);

/* One value that is no object and no list; an error leaves the default, or an empty text, at
 * `target`. */
void load_scalar(struct load *l, const struct schema_key *key, const struct json *v, void *target);
void load_default(struct load *l, const struct schema_key *key, void *target);
/* Reports that the value is not what the key takes. */
void load_fail_expected(struct load *l, const struct schema_key *key, const struct json *v);

/* Reports at a value; the answer of a form that refuses it. */
#define load_fail(l, v, ...) (json_error((l)->doc, v, (l)->diags, __VA_ARGS__), false)

/* A copy in the arena with ASCII letters in lower case. */
struct gw_str load_lower(struct load *l, struct gw_str text);

/* Relations inside one section; the table names them. */
void check_listen(struct load *l, const struct json *v, void *target);
void check_certificate(struct load *l, const struct json *v, void *target);
void check_admin(struct load *l, const struct json *v, void *target);
void check_edge(struct load *l, const struct json *v, void *target);
void check_origin(struct load *l, const struct json *v, void *target);
void check_health(struct load *l, const struct json *v, void *target);
void check_origin_rule(struct load *l, const struct json *v, void *target);
void check_fault(struct load *l, const struct json *v, void *target);
void check_settings(struct load *l, const struct json *v, void *target);
void check_zone(struct load *l, const struct json *v, void *target);
/* Relations between sections: every edge exists, no name, host or address stands twice. */
void check_relations(struct load *l, struct config *config);
/* Part of them: a fault is known by its name alone. */
void check_faults(struct load *l, struct config *config);

/* A string value with its ${…} replaced. */
struct expanded {
    struct gw_str text; /* in the arena, NUL behind it */
    bool literal;       /* the file itself holds every byte of it */
    bool missing;       /* a secret was not there and lenient_secrets let that pass */
};
/* False after an error, which is reported. */
GW_MUST bool load_expand(struct load *l, const struct json *v, struct expanded *out);
