/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Looks up one value in JSON text that a client sent, for lookup_json_string and
 * lookup_json_integer: no tree, no memory, one pass. The whole text must be valid JSON (RFC 8259);
 * of repeated keys the last counts, as in the engine.
 *
 * Thread: any. Limits: nesting JSON_PATH_NESTING_MAX; deeper text counts as invalid. */
#include "config/rules/access.h"

#define JSON_PATH_NESTING_MAX 64

struct json_token {
    char kind; /* '"' string (text without quotes, escapes kept), '0' number, else the first byte */
    struct gw_str text;
};

/* Walks objects by the path's strings and arrays by its integers. False: invalid JSON, no such
 * value, or a step that does not fit what is there. */
GW_MUST bool json_path(struct gw_str text, const struct arg *path, size_t steps,
                       struct json_token *out);
/* Writes the string without escapes at `to` (room for text.len) and returns its length. */
size_t json_unescape(struct gw_str text, char *to);
