/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Messages for the person who wrote a file: where, what, and what to write instead. Callees append
 * on failure and on doubt, and never print; `check` and `run` print all of them at once. The look
 * is a compiler's:
 *
 *     config.json:12:15: error: unknown key "lisen"; did you mean "listen"?
 *         "lisen": [ ... ]
 *         ^~~~~~~
 *
 * Thread: one. Owns: everything it was given is copied. Limits: GW_DIAG_MAX entries, the rest is
 * only counted. */
#include <stdio.h>

#include "gateway/base/str.h"

#define GW_DIAG_MAX 1000

enum gw_severity { GW_DIAG_ERROR, GW_DIAG_WARNING };

/* A text that messages can point into. Borrowed; it outlives every call that names it. */
struct gw_source {
    const char *name; /* as the user wrote it: "config.json" */
    struct gw_str text;
};

struct gw_diag {
    enum gw_severity severity;
    char *file;      /* NULL when the message belongs to no file */
    unsigned line;   /* 1-based; 0: the file as a whole */
    unsigned column; /* 1-based, in bytes */
    unsigned width;  /* length of the offending text in bytes, at least 1 */
    char *message;
    char *excerpt;       /* the source line or the part of it around the place; NULL: no source */
    unsigned excerpt_at; /* bytes of the line in front of it */
};

struct gw_diags {
    struct gw_diag *items;
    size_t count;
    size_t errors, warnings; /* also those beyond GW_DIAG_MAX */
};

void gw_diags_init(struct gw_diags *d);
void gw_diags_release(struct gw_diags *d);

/* A message about `width` bytes at byte `offset` of the source. source may be NULL (no place). */
void gw_diag_at(struct gw_diags *d, enum gw_severity severity, const struct gw_source *source,
                size_t offset, size_t width, const char *fmt, ...) GW_PRINTF(6, 7);
/* A message about a file as a whole, or about no file (file == NULL). */
void gw_diag_file(struct gw_diags *d, enum gw_severity severity, const char *file, const char *fmt,
                  ...) GW_PRINTF(4, 5);

/* 1-based line and column (in bytes) of an offset in a text. */
void gw_line_column(struct gw_str text, size_t offset, unsigned *line, unsigned *column);

/* All messages in the form above, errors and warnings in order of appearance. */
void gw_diags_print(const struct gw_diags *d, FILE *out, bool color);

/* The entry of `candidates` (NULL-terminated) closest to `word` (edit distance at most a third of
 * its length, at least 1; else one that is `word` and an underscore with more), or NULL. For "did
 * you mean". */
const char *gw_nearest(struct gw_str word, const char *const *candidates);
