/* SPDX-License-Identifier: Apache-2.0 */
/* A text is refused with a place inside it, or what it says survives writing and reading again. */
#include <assert.h>

#include "config/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct json_doc *doc, const struct json *v)
{
    size_t offset, width, length = json_source(doc)->text.len;
    json_place(doc, v, &offset, &width);
    assert(width > 0 && offset + width <= length);
    if (json_type(v) == JSON_STRING) {
        size_t at = json_string_offset(doc, v, json_str(v).len / 2);
        assert(at > offset && at < offset + width);
    }
    for (const struct json *child = json_first(v); child; child = json_next(child))
        visit(doc, child);
}

static struct gw_buf written(const struct json_doc *doc)
{
    struct gw_buf out;
    gw_buf_init(&out, 1 << 24);
    json_write(json_root(doc), &out);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) /* places are looked for from the start each time */
        return 0;
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct gw_source source = {"fuzz", gw_str((const char *)data, size)};
    struct json_doc *doc = json_parse(&source, &diags);
    assert((doc != NULL) == (diags.errors == 0));
    if (doc) {
        visit(doc, json_root(doc));
        struct gw_buf once = written(doc);
        struct json_doc *again =
            json_parse(&(struct gw_source){"again", gw_buf_str(&once)}, &diags);
        assert(again);
        struct gw_buf twice = written(again);
        assert(gw_str_eq(gw_buf_str(&once), gw_buf_str(&twice)));
        gw_buf_release(&twice);
        gw_buf_release(&once);
        json_doc_free(again);
    }
    json_doc_free(doc);
    gw_diags_release(&diags);
    return 0;
}
