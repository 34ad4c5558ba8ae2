/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rulesets of one zone as documents: what the API shows and changes (spec/api-v4.md sections
 * 3.1 and 3.4). The compiled rulesets of the snapshot are made from the newest versions, so a
 * snapshot holds both and they agree.
 *
 * A set is immutable: a write makes a new set that shares the versions it did not touch, and a new
 * snapshot around it. Readers never lock and a refused write has changed nothing. At start and
 * after HUP the set is seeded from the zone's ruleset files; ids that a file leaves out are derived
 * from the zone, the phase and the place in the file, so that they survive a restart.
 *
 * Owns: everything, in arenas. Thread: immutable; reference counts are atomic. Limits:
 * API_VERSIONS_MAX versions of a ruleset and API_HISTORY_MAX bytes of its old ones (the oldest go
 * first), RULESET_RULES_MAX rules in a version. */
#include <stdatomic.h>

#include "gateway/api_rule.h"

#define API_VERSIONS_MAX 50
#define API_HISTORY_MAX  ((size_t)8 << 20)

struct api_version {
    atomic_uint refs;
    uint64_t number; /* from 1; not used again after a version is deleted */
    struct gw_str last_updated, description;
    struct api_rule *rules;
    size_t count;
    struct gw_arena arena;
};

struct api_ruleset { /* of kind "zone"; one for each phase */
    struct gw_str id, name, phase;
    struct api_version **versions; /* oldest first; the last one is in force */
    size_t count;                  /* at least 1 */
};

struct api_rulesets {
    atomic_uint refs;
    struct gw_arena arena;
    struct api_ruleset *rulesets;
    size_t count;
    struct api_ruleset_file {
        struct gw_str phase, path; /* NUL-terminated */
    } * files;                     /* what admin.persist writes to */
    size_t file_count;
    bool unsaved; /* differs from the files */
};

/* ---- versions ---- */

/* Copies everything; the caller holds the one reference. */
struct api_version *api_version_new(const struct api_version *like);
void api_version_unref(struct api_version *v);
static inline const struct api_version *api_newest(const struct api_ruleset *rs)
{
    return rs->versions[rs->count - 1];
}

/* ---- sets ---- */

struct api_rulesets *api_rulesets_new(void); /* empty */
struct api_rulesets *api_rulesets_ref(struct api_rulesets *set);
void api_rulesets_unref(struct api_rulesets *set);
/* While a set is being built from files, before anybody shares it. */
void api_rulesets_seed(struct api_rulesets *set, struct gw_str zone_id, const struct ruleset *rs,
                       struct gw_str path, uint64_t date_ms);

/* New sets. `version` becomes the newest of the ruleset with the head's id, which is created when
 * there is none; the set takes a reference. */
struct api_rulesets *api_rulesets_with(const struct api_rulesets *set,
                                       const struct api_ruleset *head, struct api_version *version);
struct api_rulesets *api_rulesets_without(const struct api_rulesets *set,
                                          const struct api_ruleset *gone);
struct api_rulesets *api_rulesets_without_version(const struct api_rulesets *set,
                                                  const struct api_ruleset *of, uint64_t number);

/* NULL when there is none. */
const struct api_ruleset *api_ruleset_find(const struct api_rulesets *set, struct gw_str id);
const struct api_ruleset *api_ruleset_of_phase(const struct api_rulesets *set, struct gw_str phase);
const struct api_version *api_ruleset_version(const struct api_ruleset *rs, uint64_t number);
const char *api_rulesets_file(const struct api_rulesets *set, struct gw_str phase);

/* The ruleset as GET answers it; lists leave the rules out. */
void api_ruleset_write(const struct api_ruleset *rs, const struct api_version *version, bool rules,
                       struct gw_buf *out);
