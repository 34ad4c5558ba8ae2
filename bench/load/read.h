/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reading JSON objects by tables: which members there are, where their values go, what they must
 * look like. Every mistake is reported with its place and reading goes on, so that all of them come
 * at once. Private to the files that read scenarios.
 *
 * Thread: one. Owns: nothing; values go to the plan's arena. */
#include "bench/load/plan.h"
#include "config/json.h"

struct reader {
    const struct json_doc *doc;
    struct gw_diags *diags;
    struct load_plan *plan;
    const char *base; /* the file, for paths in it; NULL: the working directory */
};

/* A member of an object; the table's last one has no name. `read` gets the address of the field. */
struct read_field {
    const char *name;
    void (*read)(struct reader *r, const struct json *v, void *field);
    size_t offset;
    bool required;
};

void read_object(struct reader *r, const struct json *v, const struct read_field *fields,
                 void *target);

/* struct gw_str, ending with NUL; not empty. */
void read_text(struct reader *r, const struct json *v, void *field);
/* The same for the value of a header: its variables compile. */
void read_value(struct reader *r, const struct json *v, void *field);
void read_path(struct reader *r, const struct json *v, void *field);
/* bool */
void read_bool(struct reader *r, const struct json *v, void *field);
/* uint32_t from 1 */
void read_count(struct reader *r, const struct json *v, void *field);
/* uint64_t microseconds: "250ms". */
void read_duration(struct reader *r, const struct json *v, void *field);
/* struct load_pairs from an object of texts: headers, or cookies. */
void read_headers(struct reader *r, const struct json *v, void *field);
void read_cookies(struct reader *r, const struct json *v, void *field);

/* Reports a template's mistake inside the string v. */
void read_template_mistake(struct reader *r, const struct json *v,
                           const struct template_mistake *mistake);
#define read_error(r, v, ...) json_error((r)->doc, v, (r)->diags, __VA_ARGS__)
