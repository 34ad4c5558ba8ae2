/* SPDX-License-Identifier: Apache-2.0 */
/* From a document to rules that run: what the API shows is what is compiled, in the same words that
 * a file would have. */
#include "gateway/api_rulesets.h"

#define DOCUMENT_MAX ((size_t)96 << 20)
#define MESSAGES_MAX ((size_t)64 << 10)
#define WARNINGS_MAX 20

static void on_problem(void *ctx, const struct ruleset_problem *problem)
{
    api_problem(ctx, (unsigned)problem->code, gw_str_z(problem->pointer), "%s", problem->message);
}

/* What is accepted but will not do what its author may think, said where the real API says such
 * things. */
static struct gw_str messages_of(const struct gw_diags *diags, struct gw_arena *arena)
{
    struct gw_buf out;
    gw_buf_init(&out, MESSAGES_MAX);
    for (size_t i = 0; i < gw_min_size(diags->count, WARNINGS_MAX); i++) {
        if (i > 0)
            gw_buf_char(&out, ',');
        admin_v4_error(&out, 0, diags->items[i].message);
    }
    struct gw_str copy = out.overflow ? GW_STR_EMPTY : gw_arena_dup(arena, gw_buf_str(&out));
    gw_buf_release(&out);
    return copy;
}

static struct ruleset *compile(struct api_write *w, struct gw_str document)
{
    const struct gw_source source = {"ruleset", document};
    struct ruleset_options options = snapshot_ruleset_options(w->zone->config);
    struct gw_diags diags;
    options.on_problem = on_problem;
    options.ctx = &w->problems;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    struct ruleset *rs = doc ? ruleset_load_value(doc, json_root(doc), &options, &diags) : NULL;
    if (rs)
        w->messages = messages_of(&diags, &w->arena);
    else if (w->problems.count == 0)
        api_problem(&w->problems, 0, GW_STR_EMPTY, "the ruleset is too large");
    json_doc_free(doc);
    gw_diags_release(&diags);
    return rs;
}

bool api_commit(struct api_write *w, const struct api_ruleset *head,
                const struct api_version *version)
{
    struct gw_buf document;
    gw_buf_init(&document, DOCUMENT_MAX);
    api_ruleset_write(head, version, true, &document);
    w->change.phase = head->phase;
    w->change.compiled = compile(w, gw_buf_str(&document));
    if (w->change.compiled) {
        struct api_version *kept = api_version_new(version);
        w->change.documents = api_rulesets_with(w->zone->documents, head, kept);
        w->written = api_ruleset_find(w->change.documents, head->id);
        api_version_unref(kept);
        api_begin(&w->call.out);
        gw_buf_add(&w->call.out, gw_buf_str(&document));
        api_end_with(&w->call.out, w->messages, GW_STR_EMPTY);
    } else {
        api_fail_problems(&w->call, 400, &w->problems);
    }
    gw_buf_release(&document);
    return w->change.compiled != NULL;
}
