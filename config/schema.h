/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The table of keys: name, type, range, default and one line of help for everything a configuration
 * may say. It alone drives loading, defaults, unknown keys, type errors and the reference text;
 * whoever adds a setting adds a field to the struct and a line to the table.
 *
 * Internal to config/. Thread: static data. Owns: nothing. */
#include "gateway/base/str.h"

struct gw_buf;
struct json;
struct load;

enum schema_kind {
    SCHEMA_BOOL,     /* bool */
    SCHEMA_SWITCH,   /* bool; "on" or "off" as Cloudflare's settings have it, or two words */
    SCHEMA_INT,      /* uint32_t in [min, max] */
    SCHEMA_FRACTION, /* uint32_t, parts of a million; a number from 0 to 1 */
    SCHEMA_SIZE,     /* uint64_t in [min, max]; "256MiB", or a number of bytes */
    SCHEMA_TEXT,     /* struct gw_str */
    SCHEMA_PATH,     /* struct gw_str; made relative to the file that names it; must be readable */
    SCHEMA_ENUM,     /* an enum whose values count through `words` from 0 */
    SCHEMA_FORM,     /* what form->parse makes of a string */
    SCHEMA_OBJECT,   /* the fields of `section` */
    SCHEMA_LIST,     /* a pointer, and behind it the size_t count, of what `item` says */
};

enum schema_flag {
    SCHEMA_REQUIRED = 1,      /* no default */
    SCHEMA_SECRET = 2,        /* a literal in the file is worth a warning */
    SCHEMA_NOT_SIMULATED = 4, /* any value but the default is worth a warning */
    SCHEMA_MAY_BE_EMPTY = 8,  /* texts and lists */
    SCHEMA_ONE_ITEM = 16,     /* a list that is not given holds one item of defaults */
    SCHEMA_LONE_ITEM = 32,    /* a list of one may be written without its brackets */
};

/* Puts the value of `text` at `out`, or reports at `v` and answers false. `v` is NULL for defaults,
 * which are always fine. */
typedef bool schema_parse(struct load *l, const struct json *v, struct gw_str text, void *out);

struct schema_form {
    size_t size;
    const char *what; /* for "must be …" */
    schema_parse *parse;
};

struct schema_key {
    const char *name; /* items of a list: "hosts[]" */
    enum schema_kind kind;
    unsigned flags;           /* enum schema_flag */
    size_t offset;            /* in the struct of the section */
    const char *initial;      /* the default as a text, or NULL: all bytes zero */
    uint64_t min, max;        /* of numbers; of a list: its longest, 0 for any */
    const char *const *words; /* NULL-terminated */
    const struct schema_form *form;
    const struct schema_section *section; /* of an object, or of a list's objects */
    const struct schema_key *item;        /* of a list */
    const char *help;
};

struct schema_section {
    size_t size; /* of the struct; 0 when the fields lie in the struct of the section around it */
    const struct schema_key *keys; /* the last one has no name */
    const char *shorthand; /* the key that a bare string in place of the object stands for */
    /* Relations between keys, after all were loaded. `v` is the object or the bare
     * string, NULL when the file has neither. */
    void (*check)(struct load *l, const struct json *v, void *target);
};

extern const struct schema_section schema_root;        /* struct config */
extern const struct schema_section schema_zone;        /* struct config_zone */
extern const struct schema_section schema_origin;      /* struct config_origin */
extern const struct schema_section schema_origin_rule; /* struct config_origin_rule */
extern const struct schema_section schema_fault;       /* struct config_fault */
extern const struct schema_section schema_limiter;     /* struct config_limiter */

/* One line of a table: the field of a struct, the name in the file, the kind. */
#define SCHEMA_KEY(type, field, key, what)                                                         \
    .name = key, .kind = SCHEMA_##what, .offset = offsetof(type, field)

/* Size in bytes of what one value of this key takes. */
size_t schema_size(const struct schema_key *key);
/* Writes what a value must be: `an integer from 0 to 256`. */
void schema_expected(const struct schema_key *key, struct gw_buf *out);
