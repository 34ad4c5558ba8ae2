/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* JSON files whose every value knows its place: the one room where cJSON is visible.
 *
 * Files may hold // and block comments. cJSON keeps no positions and takes texts that are not JSON;
 * so a strict check goes first (config/json_check.h), which names the fault with line and column
 * and blanks comments so that offsets stay true, then cJSON parses, and only when a message needs a
 * place the text is walked once more in step with the tree.
 *
 * Owns: the document owns a copy of name and text and all values; values are borrowed and
 * immutable. Thread: one builds, then any reads. Limits: text 64 MiB, nesting 100, 60
 * characters a number. A repeated key in one object, \u0000 and bytes that are not UTF-8 are
 * errors. */
#include "gateway/base/buf.h"
#include "gateway/base/diag.h"

struct json_doc;
struct json; /* one value of a document */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* NULL after a syntax error, which is then in diags with line and column. */
GW_MUST struct json_doc *json_parse(const struct gw_source *source, struct gw_diags *diags);
/* For a text that somebody has sent: one with more values than these is an error, too. */
GW_MUST struct json_doc *json_parse_within(const struct gw_source *source, size_t values_max,
                                           struct gw_diags *diags);
/* Reads the file first; a missing or unreadable file is an error in diags. `name` is what messages
 * say. */
GW_MUST struct json_doc *json_read(const char *path, const char *name, struct gw_diags *diags);
void json_doc_free(struct json_doc *doc);
const struct json *json_root(const struct json_doc *doc);
const struct gw_source *json_source(const struct json_doc *doc);

enum json_type json_type(const struct json *v);
/* "a string", "an object", … for messages. */
const char *json_type_name(enum json_type type);

/* Member of an object by exact name, or NULL (also when v is no object). */
const struct json *json_get(const struct json *v, const char *key);
/* Children of an object or array, in the order of the text. */
const struct json *json_first(const struct json *v);
const struct json *json_next(const struct json *child);
size_t json_count(const struct json *v);
/* The name under which a member stands in its object; empty for array items and the root. */
struct gw_str json_key(const struct json *member);

bool json_bool(const struct json *v);         /* of a JSON_BOOL */
struct gw_str json_str(const struct json *v); /* of a JSON_STRING, without escapes; else empty */
double json_number(const struct json *v);     /* of a JSON_NUMBER */
/* True when v is a number without fraction in [min, max] (|n| < 2^53). */
GW_MUST bool json_int(const struct json *v, int64_t min, int64_t max, int64_t *out);

/* Where a value (or, for the key form, its name) stands in the source text. */
void json_place(const struct json_doc *doc, const struct json *v, size_t *offset, size_t *width);
void json_key_place(const struct json_doc *doc, const struct json *member, size_t *offset,
                    size_t *width);
/* Byte offset in the source text of byte `at` of a string value's decoded text (escapes are
 * counted): errors inside expressions are shown where they stand in the file. */
size_t json_string_offset(const struct json_doc *doc, const struct json *string, size_t at);

/* Overwrites a secret in the document's copy of the text, so that no excerpt in a message shows it;
 * the value itself stays. Of a URL only what stands before "@" goes. NULL and references to
 * ${…} are left alone. */
void json_hide(struct json_doc *doc, const struct json *string);

/* Messages at a value, or at a member's name. */
void json_error(const struct json_doc *doc, const struct json *v, struct gw_diags *diags,
                const char *fmt, ...) GW_PRINTF(4, 5);
void json_warn(const struct json_doc *doc, const struct json *v, struct gw_diags *diags,
               const char *fmt, ...) GW_PRINTF(4, 5);
void json_key_error(const struct json_doc *doc, const struct json *member, struct gw_diags *diags,
                    const char *fmt, ...) GW_PRINTF(4, 5);

/* Reports every member of the object whose name is not in `known` (NULL-terminated), with the
 * nearest known name. */
void json_unknown_keys(const struct json_doc *doc, const struct json *object,
                       const char *const *known, struct gw_diags *diags);

/* Appends the value as compact JSON, member order kept. */
void json_write(const struct json *v, struct gw_buf *out);
