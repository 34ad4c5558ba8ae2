/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Findings about a ruleset, told twice: to the person who wrote the file, with line, column and
 * caret, and to an API client, with Cloudflare's number, pointer and wording
 * (spec/api-v4.md section 3.6). Thread: one. Owns: nothing. */
#include "config/rules/ruleset.h"

struct report {
    const struct json_doc *doc;
    struct gw_diags *diags;
    const struct ruleset_options *options;
    char pointer[256]; /* of the value that is being read: "/rules/0/action_parameters" */
    size_t pointer_len;
    size_t errors;
};

/* Cloudflare's numbers; 0 where none is known. */
enum report_code {
    REPORT_OTHER = 0,
    REPORT_ACTION = 20016,
    REPORT_LOGGING = 20018,
    REPORT_PARAMETERS = 20106,
    REPORT_CHARACTERISTICS = 20155,
    REPORT_COUNT = 20217,
};

/* Down to a member or item, and back to what report_enter returned. */
GW_MUST size_t report_enter(struct report *r, struct gw_str member);
GW_MUST size_t report_enter_item(struct report *r, size_t index);
void report_leave(struct report *r, size_t back);

/* An error at a value. */
void report_error(struct report *r, const struct json *v, int code, const char *fmt, ...)
    GW_PRINTF(4, 5);
/* An error about a part of a string value; `message` is the API's, the file's is err's reason. */
void report_expression(struct report *r, const struct json *v, const struct expr_error *err,
                       const char *field);
/* Every member that is not in `known`. */
void report_unknown(struct report *r, const struct json *object, const char *const *known);
/* The member, if it is there and not null (null means absent). With the wrong type: an error, and
 * NULL. */
const struct json *report_member(struct report *r, const struct json *object, const char *key,
                                 enum json_type type);
