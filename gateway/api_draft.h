/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rules of a version that is being written: identities, positions and versions of rules as
 * spec/api-v4.md sections 3.4 and 3.5 have them. Whether the rules are any good is decided
 * afterwards, by compiling them.
 *
 * A rule is matched by id, else by ref, and keeps its id; it gets a new version and time only when
 * its definition or ref changes. Each call reports into `problems` and answers false, and the draft
 * is then worth nothing. Pure but for random ids. Owns: nothing, all is in the arena. Thread: one.
 */
#include "gateway/api_rulesets_store.h"

struct api_draft {
    struct gw_arena *arena;
    struct api_problems *problems;
    struct gw_str last_updated; /* of what changes */
    struct api_rule *rules;
    size_t count;
};

/* With the rules of `current`; NULL: with none. */
void api_draft_init(struct api_draft *d, struct gw_arena *arena, const struct api_version *current,
                    uint64_t date_ms, struct api_problems *problems);
/* All rules: those of an array. */
GW_MUST bool api_draft_replace(struct api_draft *d, const struct json *rules);
/* One more, at its "position" or at the end; *index is where it is. */
GW_MUST bool api_draft_add(struct api_draft *d, const struct json *rule, size_t *index);
/* Replaces the definition and moves, or only moves when there is just a "position". */
GW_MUST bool api_draft_change(struct api_draft *d, const struct json *rule, size_t *index);
void api_draft_remove(struct api_draft *d, size_t index);
/* The index of a rule, or GW_NPOS. */
size_t api_draft_find(const struct api_draft *d, struct gw_str id);
