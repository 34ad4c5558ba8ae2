/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What reading and writing rulesets through the API share (spec/api-v4.md section 3): paths name a
 * ruleset by id or as the entry point of a phase, and one of its versions. Internal to
 * gateway/api_ru*. Thread: any. */
#include "gateway/api_write.h"

/* Segments of /client/v4/zones/:zone/rulesets/…; a phase takes two more than an id. */
struct api_ruleset_path {
    struct gw_str ruleset; /* id; empty when a phase names it */
    struct gw_str phase;
    struct gw_str version; /* behind "versions/" */
    struct gw_str rule;    /* behind "rules/" */
};
struct api_ruleset_path api_ruleset_path(struct gw_str path);

/* The ruleset of a path, or NULL after an answer: 404 with 10003, 10005 or 7003. */
const struct api_ruleset *api_ruleset_at(struct admin_call *call, const struct api_rulesets *set,
                                         const struct api_ruleset_path *path);
/* The version, likewise. */
const struct api_version *api_version_at(struct admin_call *call, const struct api_ruleset *rs,
                                         const struct api_ruleset_path *path);

/* Compiles the version, as the newest of the ruleset, into w->change and answers with the ruleset;
 * false after an answer that names everything wrong with it. */
GW_MUST bool api_commit(struct api_write *w, const struct api_ruleset *head,
                        const struct api_version *version);
/* The writer of a phase's entry point: what a PUT of it does. */
GW_MUST bool api_replace_entrypoint(struct api_write *w);
