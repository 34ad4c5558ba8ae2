/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What of a record (record.h) nobody is shown: cookies, credentials, and the values of query
 * parameters that log.mask names, of the request and of its answer.
 *
 * They are looked for in every text made from the record, since a trace quotes a request in other
 * spellings than it came in: decoded, normalised, in lower case, cut off in the middle. So bytes
 * are compared percent-decoded, without case, and with "+" as a space; and a text that ends within
 * a secret ends before it.
 *
 * A value under RECORD_SECRET_MIN bytes ("1", "de") would be found everywhere. It is hidden where
 * it is the whole text or in quotes, and behind its name ("lang=de" becomes "lang=***").
 *
 * Thread: any once collected. Owns: nothing, all lies in the record's arena. Limits:
 * RECORD_SECRETS_MAX; with more, or without room, nothing that could hold one is shown. */
#include "gateway/base/buf.h"

#define RECORD_SECRET_MIN  6
#define RECORD_SECRETS_MAX 128

struct access_line;
struct record;

struct record_secret {
    struct gw_str text;
    size_t name; /* bytes of `text` that may be seen: a name and "="; the rest is short */
};

struct record_secrets {
    const struct record_secret *items;
    size_t count;
    bool cut; /* there are more */
};

/* From the record's fields, its answer's head and its URLs; `line` knows the mask. */
void record_secrets_collect(struct record *r, const struct access_line *line);
/* Whether record_hide can change anything. */
bool record_has_secrets(const struct record *r);
/* Copies `text`, part of a trace, to `out` without the secrets in it. */
void record_hide(const struct record *r, struct gw_str text, struct gw_buf *out);

/* A field's value as it may be shown: names of cookies without their values, and so on. Adds a JSON
 * string. */
void record_shown_value(const struct record *r, struct gw_str name, struct gw_str value,
                        struct gw_buf *out);
