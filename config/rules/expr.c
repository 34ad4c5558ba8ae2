/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/expr.h"

#include <stdio.h>

#include "config/rules/eval.h"
#include "config/rules/hosts.h"
#include "config/rules/parse.h"
#include "config/rules/prepare.h"

/* White space of Unicode beyond ASCII, which is trimmed off the ends only: NEL, NBSP, the spaces
 * of the U+2000 block, the line and paragraph separators, and the ideographic space. */
static const char *const wide_spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
};

static size_t space_at(struct gw_str s, bool from_end)
{
    char c = s.len ? s.ptr[from_end ? s.len - 1 : 0] : 'x';
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    for (size_t i = 0; i < GW_COUNT(wide_spaces); i++) {
        struct gw_str wide = gw_str_z(wide_spaces[i]);
        if (from_end ? gw_str_ends(s, wide) : gw_str_starts(s, wide))
            return wide.len;
    }
    return 0;
}

static struct gw_str trim(struct gw_str s)
{
    size_t width;
    while ((width = space_at(s, false)))
        s = gw_str_from(s, width);
    while ((width = space_at(s, true)))
        s.len -= width;
    return s;
}

static size_t characters(struct gw_str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((uint8_t)s.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* Blank and too long are refused before the text is parsed. */
static bool check_size(struct gw_str text, struct expr_error *err)
{
    size_t length = characters(text);
    *err = (struct expr_error){.kind = EXPR_BLANK, .width = text.len};
    if (trim(text).len == 0) {
        snprintf(err->reason, sizeof(err->reason), "the expression cannot be blank");
        return false;
    }
    if (length <= EXPR_LENGTH_MAX)
        return true;
    err->kind = EXPR_TOO_LONG;
    snprintf(err->reason, sizeof(err->reason), "expression size %zu exceeded maximum %d", length,
             EXPR_LENGTH_MAX);
    return false;
}

/* Nothing may follow, and what the plan does not allow is refused now that the rest is fine. */
static bool parse_end(struct parser *p)
{
    struct lexer *lx = &p->lx;
    if (lx->at < lx->end)
        return lex_fail(lx, lx->at, lx->end - lx->at, "unrecognised input");
    if (p->denied.reason[0])
        *lx->err = p->denied;
    return !p->denied.reason[0];
}

static bool parse_whole(struct parser *p)
{
    size_t start = p->lx.at;
    struct logic *root = parse_logic(p);
    if (!root)
        return false;
    if (p->lx.at == p->lx.end && root->array)
        return parse_mismatch(p, start, p->lx.end - start, RULES_TYPE(RULES_BOOL),
                              RULES_ARRAY_OF(RULES_BOOL));
    p->expr->root = root;
    return parse_end(p);
}

static bool fits_value(const struct expr_options *options, struct rules_type type)
{
    if (options->key)
        return type.depth <= 1 && !rules_type_is_map(type);
    return rules_type_is(type, RULES_BYTES) || rules_type_eq(type, RULES_ARRAY_OF(RULES_BYTES));
}

static bool parse_value(struct parser *p)
{
    struct access *a = parse_access(p);
    if (!a)
        return false;
    struct rules_type type = a->each_count ? rules_type_array(a->type) : a->type;
    if (p->lx.at == p->lx.end && !fits_value(p->options, type))
        return parse_mismatch(p, a->offset, a->width, RULES_ARRAY_OF(RULES_BYTES), type);
    p->expr->value = a;
    return parse_end(p);
}

/* Notes were chained newest first. */
static void collect_notes(struct parser *p)
{
    struct expr *e = p->expr;
    e->notes = gw_arena_alloc(&e->arena, e->note_count * sizeof(*e->notes));
    size_t at = e->note_count;
    for (struct note_link *link = p->notes; link; link = link->next)
        e->notes[--at] = link->note;
}

static void find_hosts(struct expr *e)
{
    struct host_set set = hosts_of(e->root, &e->arena);
    e->host_restricted = set.restricted;
    e->hosts = set.items;
    e->host_count = set.count;
}

static struct expr *compile(struct gw_str text, const struct expr_options *options,
                            struct expr_error *err, bool (*parse)(struct parser *p))
{
    if (!check_size(text, err))
        return NULL;
    struct expr *e = gw_zalloc(sizeof(*e));
    gw_arena_init(&e->arena, NULL, 0, 0);
    e->text = gw_arena_dup(&e->arena, text);
    struct gw_str body = trim(e->text);
    struct parser p = {.options = options, .expr = e};
    p.lx = (struct lexer){
        .text = e->text, .at = (size_t)(body.ptr - e->text.ptr), .arena = &e->arena, .err = err};
    p.lx.end = p.lx.at + body.len;
    if (!parse(&p)) {
        expr_free(e);
        return NULL;
    }
    collect_notes(&p);
    return e;
}

struct expr *expr_compile(struct gw_str text, const struct expr_options *options,
                          struct expr_error *err)
{
    struct expr *e = compile(text, options, err, parse_whole);
    if (e)
        find_hosts(e);
    /* Last, when nothing can fail any more: the share keeps pointers into this expression. */
    if (e && options->share)
        prepare_shared(options->share, e);
    return e;
}

struct expr *expr_compile_value(struct gw_str text, const struct expr_options *options,
                                struct expr_error *err)
{
    return compile(text, options, err, parse_value);
}

/* Of a half-built one, too: a failed parse ends here. Regexes are chained as they are compiled, so
 * none is lost; everything else is the arena's. */
void expr_free(struct expr *e)
{
    if (!e)
        return;
    for (struct regex_link *link = e->regexes; link; link = link->next)
        regex_free(link->regex);
    gw_arena_clear(&e->arena);
    free(e);
}

struct gw_str expr_text(const struct expr *e)
{
    return e->text;
}

bool expr_needs_response(const struct expr *e)
{
    return e->response;
}

const struct expr_note *expr_notes(const struct expr *e, size_t *count)
{
    *count = e->note_count;
    return e->notes;
}

bool expr_hosts(const struct expr *e, const struct gw_str **hosts, size_t *count)
{
    *hosts = e->hosts;
    *count = e->host_count;
    return e->host_restricted;
}

bool expr_eval_shared(const struct expr *e, struct rules_request *r)
{
    struct eval ev = {.r = r, .work = EVAL_WORK_MAX};
    return eval_bool(&ev, e->root);
}

struct rules_value expr_value(const struct expr *e, struct rules_request *r)
{
    struct eval ev = {.r = r, .work = EVAL_WORK_MAX};
    return eval_access(&ev, e->value);
}

bool expr_eval(const struct expr *e, struct rules_request *r)
{
    expr_share_reset(r);
    return expr_eval_shared(e, r);
}
