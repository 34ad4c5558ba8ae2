/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/parse.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/rules/prepare.h"

void parse_note(struct parser *p, size_t offset, size_t width, const char *fmt, ...)
{
    struct note_link *link = gw_arena_alloc(p->lx.arena, sizeof(*link));
    va_list args;
    va_start(args, fmt);
    vsnprintf(link->note.text, sizeof(link->note.text), fmt, args);
    va_end(args);
    link->note.offset = offset;
    link->note.width = width;
    link->next = p->notes;
    p->notes = link;
    p->expr->note_count++;
}

void parse_deny(struct parser *p, size_t offset, size_t width, const char *fmt, ...)
{
    if (p->denied.reason[0])
        return;
    p->denied = (struct expr_error){.kind = EXPR_NOT_ENTITLED, .offset = offset, .width = width};
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->denied.reason, sizeof(p->denied.reason), fmt, args);
    va_end(args);
}

bool parse_mismatch(struct parser *p, size_t offset, size_t width, struct rules_type expected,
                    struct rules_type actual)
{
    char want[RULES_TYPE_TEXT_MAX], got[RULES_TYPE_TEXT_MAX];
    return lex_fail(&p->lx, offset, width, "expected value of type %s, but got %s",
                    rules_type_text(expected, false, want), rules_type_text(actual, false, got));
}

/* Whoever succeeds takes his level off again; after a failure nobody counts any more. */
bool parse_nest(struct parser *p)
{
    if (++p->depth <= EXPR_NESTING_MAX)
        return true;
    return lex_fail(&p->lx, p->lx.at, p->lx.end - p->lx.at,
                    "maximum nesting depth exceeded (limit: %d)", EXPR_NESTING_MAX);
}

static struct logic *group(struct parser *p)
{
    lex_space(&p->lx);
    struct logic *inner = parse_logic(p);
    if (!inner)
        return NULL;
    lex_space(&p->lx);
    return lex_expect(&p->lx, ")") ? inner : NULL;
}

static struct logic *operand(struct parser *p);

static struct logic *negation(struct parser *p)
{
    lex_space(&p->lx);
    struct logic *inner = operand(p);
    if (!inner)
        return NULL;
    struct logic *l = gw_arena_zalloc(p->lx.arena, sizeof(*l));
    l->kind = LOGIC_NOT;
    l->array = inner->array;
    l->slot = LOGIC_UNSHARED;
    l->cost = inner->cost;
    l->inner = inner;
    return l;
}

static struct logic *operand(struct parser *p)
{
    size_t start = p->lx.at;
    bool grouped = lex_accept(&p->lx, "(");
    struct logic *l;
    /* No word ends behind "not": "notssl" negates (section 2), and no field or function begins so.
     */
    if (!grouped && !lex_accept(&p->lx, "not") && !lex_accept(&p->lx, "!")) {
        struct access *left = parse_access(p);
        l = left ? parse_compare(p, left) : NULL;
    } else {
        size_t after = p->lx.at;
        p->lx.at = start; /* too deep a nesting is reported at the word that opens it */
        if (!parse_nest(p))
            return NULL;
        p->lx.at = after;
        l = grouped ? group(p) : negation(p);
        p->depth--;
    }
    if (l) {
        l->offset = start;
        l->width = p->lx.at - start;
    }
    return l;
}

/* From loose to tight; each level is a chain of the next one. */
static const struct {
    enum logic_kind kind;
    const char *word, *sign;
} levels[] = {
    {LOGIC_OR, "or", "||"},
    {LOGIC_XOR, "xor", "^^"},
    {LOGIC_AND, "and", "&&"},
};

static bool accept_operator(struct parser *p, size_t level)
{
    size_t back = p->lx.at;
    lex_space(&p->lx);
    if (lex_accept(&p->lx, levels[level].word) || lex_accept(&p->lx, levels[level].sign)) {
        lex_space(&p->lx);
        return true;
    }
    p->lx.at = back;
    return false;
}

static struct rules_type type_of(const struct logic *l)
{
    return l->array ? RULES_ARRAY_OF(RULES_BOOL) : RULES_TYPE(RULES_BOOL);
}

static struct logic *chain(struct parser *p, size_t level)
{
    if (level == GW_COUNT(levels))
        return operand(p);
    size_t start = p->lx.at, count = 1;
    struct logic *first = chain(p, level + 1), *last = first;
    while (last && accept_operator(p, level)) {
        struct logic *next = chain(p, level + 1);
        if (!next)
            return NULL;
        if (next->array != first->array) {
            parse_mismatch(p, p->lx.at, p->lx.end - p->lx.at, type_of(first), type_of(next));
            return NULL;
        }
        last->next = next;
        last = next;
        count++;
    }
    if (!last || count == 1)
        return first;
    struct logic *l = gw_arena_zalloc(p->lx.arena, sizeof(*l));
    l->kind = (uint8_t)levels[level].kind;
    l->array = first->array;
    l->slot = LOGIC_UNSHARED;
    l->offset = start;
    l->width = p->lx.at - start;
    prepare_chain(l, first, count, p->lx.arena);
    return l;
}

struct logic *parse_logic(struct parser *p)
{
    return chain(p, 0);
}
