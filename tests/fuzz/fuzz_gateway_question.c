/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of POST /api/explain and of the trace API: refused with a reason, or explained, and the
 * answer is JSON. */
#include "tests/fuzz/fuzz_gateway_snapshot.h"

#include "gateway/explain_question.h"
#include "tests/fuzz/check.h"

static void check_json(struct gw_str text)
{
    struct gw_source source = {"answer", text};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    CHECK(doc);
    json_doc_free(doc);
    gw_diags_release(&diags);
}

static void explain(const struct explain_question *question)
{
    char error[EXPLAIN_ERROR_MAX] = "";
    struct explain *e = explain_new(fuzz_snapshot(), question, error);
    CHECK(e || error[0]);
    if (!e)
        return;
    struct gw_buf json, text;
    gw_buf_init(&json, 1 << 24);
    gw_buf_init(&text, 1 << 24);
    explain_json(e, &json);
    explain_text(e, true, false, &text);
    explain_verdict(e, &text);
    CHECK(!json.overflow && text.len > 0);
    check_json(gw_buf_str(&json));
    gw_buf_release(&json);
    gw_buf_release(&text);
    explain_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 16384)
        return 0;
    struct gw_source source = {"question", gw_str((const char *)data, size)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    for (int form = EXPLAIN_FORM_OWN; doc && form <= EXPLAIN_FORM_TRACE; form++) {
        struct explain_asked asked = {.wrong = NULL};
        struct gw_arena arena;
        gw_arena_init(&arena, NULL, 0, 0);
        if (explain_question_read(&asked, json_root(doc), (enum explain_form)form, &arena))
            explain(&asked.question);
        else
            CHECK(asked.wrong && asked.error[0]);
        gw_arena_clear(&arena);
    }
    json_doc_free(doc);
    gw_diags_release(&diags);
    return 0;
}
