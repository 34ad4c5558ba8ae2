/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One rule as the API shows it (spec/api-v4.md section 3.2): who it is, and its definition as JSON
 * text. Action parameters come back exactly as they were sent, or Terraform calls the result
 * inconsistent; so nothing here understands them. Members that are null are left out, at any depth:
 * null means absent. Defaults that the real API adds are added once, when a definition is read.
 *
 * Owns: nothing, texts live in an arena. Thread: immutable when shared. Limit: API_RULE_MAX bytes
 * of a definition. */
#include "gateway/api.h"

#define API_RULE_MAX ((size_t)256 * 1024)

/* In alphabetical order, as they are written; identities stand between EXPRESSION and LOGGING. */
#define API_RULE_MEMBERS(X)                                                                        \
    X(ACTION, "action")                                                                            \
    X(ACTION_PARAMETERS, "action_parameters")                                                      \
    X(DESCRIPTION, "description")                                                                  \
    X(ENABLED, "enabled")                                                                          \
    X(CREDENTIAL_CHECK, "exposed_credential_check")                                                \
    X(EXPRESSION, "expression")                                                                    \
    X(LOGGING, "logging")                                                                          \
    X(RATELIMIT, "ratelimit")

#define X(id, name) API_RULE_##id,
enum api_rule_member { API_RULE_MEMBERS(X) API_RULE_MEMBER_COUNT };
#undef X

struct api_definition {
    struct gw_str text[API_RULE_MEMBER_COUNT]; /* JSON; empty: not there */
};

struct api_rule {
    struct gw_str id, ref, last_updated;
    uint64_t version; /* from 1; counts changes of the definition */
    struct api_definition definition;
};

/* The definition in a rule's object, with defaults. False when it is too large. */
GW_MUST bool api_definition_read(const struct json *rule, struct gw_arena *arena,
                                 struct api_definition *out);
/* Does the object hold any part of a definition? */
bool api_definition_is_in(const struct json *rule);
bool api_definition_eq(const struct api_definition *a, const struct api_definition *b);

struct api_rule api_rule_copy(const struct api_rule *rule, struct gw_arena *arena);
void api_rule_write(const struct api_rule *rule, struct gw_buf *out);
