/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/parse.h"
#include "config/rules/prepare.h"

#define REGEXES_MAX 64 /* of one rule, spec section 3; each may be a table of 128 KiB */

/* What an operator word means; COMPARE_IN covers lists too. Where one word begins another the
 * longer stands first. */
static const struct {
    const char *word;
    enum compare_op op;
} operators[] = {
    {"in", COMPARE_IN},
    {"eq", COMPARE_EQ},
    {"==", COMPARE_EQ},
    {"ne", COMPARE_NE},
    {"!=", COMPARE_NE},
    {"ge", COMPARE_GE},
    {">=", COMPARE_GE},
    {"le", COMPARE_LE},
    {"<=", COMPARE_LE},
    {"gt", COMPARE_GT},
    {">", COMPARE_GT},
    {"lt", COMPARE_LT},
    {"<", COMPARE_LT},
    {"bitwise_and", COMPARE_BITS},
    {"&", COMPARE_BITS},
    {"contains", COMPARE_CONTAINS},
    {"matches", COMPARE_MATCHES},
    {"~", COMPARE_MATCHES},
    {"wildcard", COMPARE_WILDCARD},
    {"strict wildcard", COMPARE_WILDCARD},
};

static bool read_operator(struct lexer *lx, enum compare_op *op, bool *strict)
{
    for (size_t i = 0; i < GW_COUNT(operators); i++) {
        if (!lex_accept(lx, operators[i].word))
            continue;
        *op = operators[i].op;
        *strict = operators[i].word[0] == 's';
        return true;
    }
    return false;
}

bool parse_sees_operator(const struct parser *p)
{
    struct lexer ahead = p->lx;
    enum compare_op op;
    bool strict;
    lex_space(&ahead);
    return read_operator(&ahead, &op, &strict);
}

static bool is_ordering(enum compare_op op)
{
    return op >= COMPARE_EQ && op <= COMPARE_GE;
}

static bool operator_fits(enum compare_op op, struct rules_type type)
{
    if (type.depth || type.base == RULES_BOOL)
        return false;
    if (is_ordering(op) || op == COMPARE_IN)
        return true;
    return op == COMPARE_BITS ? type.base == RULES_INT : type.base == RULES_BYTES;
}

/* Since October 2026 a field or call may stand on the right. A literal never reads as a known name:
 * the longest name there is decides ("cf" alone could begin a byte string, "cf.ray_id" cannot). */
static bool sees_access(const struct parser *p)
{
    struct expr_error ignored;
    struct lexer ahead = p->lx;
    struct gw_str name;
    ahead.err = &ignored;
    return lex_name(&ahead, &name) &&
           (rules_field_find(name) || rules_function_find(name) || rules_function_elsewhere(name));
}

static bool dynamic_right(struct parser *p, struct compare *c)
{
    size_t start = p->lx.at;
    struct access *a = parse_access(p);
    if (!a)
        return false;
    if (a->each_count)
        return lex_fail(&p->lx, start, a->width, "invalid use of map each access operator");
    if (!rules_type_eq(a->type, c->left->type))
        return parse_mismatch(p, start, a->width, c->left->type, a->type);
    c->right_access = a;
    return true;
}

static bool literal_right(struct parser *p, struct compare *c)
{
    switch ((enum rules_base)c->base) {
    case RULES_INT:
        c->right.kind = RULES_VALUE_INT;
        return lex_int(&p->lx, &c->right.i);
    case RULES_IP:
        c->right = (struct rules_value){.kind = RULES_VALUE_IP, .ip = &c->ip};
        return lex_ip(&p->lx, &c->ip);
    case RULES_BYTES:
    case RULES_BOOL:
        break;
    }
    c->right.kind = RULES_VALUE_BYTES;
    return lex_bytes(&p->lx, &c->right.s);
}

/* A list of the account that is not defined is a mistake; a managed one (cf.…) is Cloudflare's own,
 * whose contents nobody outside has. */
static bool list_right(struct parser *p, struct compare *c)
{
    struct gw_str name;
    size_t start = p->lx.at;
    if (!lex_list_name(&p->lx, &name))
        return false;
    c->op = COMPARE_IN_LIST;
    c->right = rules_bytes(name);
    c->list = rules_lists_get(p->options->lists, name);
    if (c->list)
        return true;
    if (!gw_str_starts(name, GW_STR("cf.")))
        return lex_fail(&p->lx, start, name.len, "list \"%.*s\" is not defined", GW_STR_ARG(name));
    parse_note(p, start - 1, name.len + 1,
               "managed list $%.*s is accepted but not simulated: it matches nothing",
               GW_STR_ARG(name));
    return true;
}

static size_t item_size(enum rules_base base)
{
    return base == RULES_INT  ? sizeof(struct int_range)
           : base == RULES_IP ? sizeof(struct ip_range)
                              : sizeof(struct gw_str);
}

static bool set_item(struct parser *p, enum rules_base base, void *item)
{
    struct int_range *number = item;
    struct ip_range *address = item;
    if (base == RULES_INT)
        return lex_int_range(&p->lx, &number->low, &number->high);
    if (base == RULES_IP)
        return lex_ip_range(&p->lx, &address->low, &address->high);
    return lex_bytes(&p->lx, item);
}

/* Behind "{". */
static bool set_right(struct parser *p, struct compare *c)
{
    enum rules_base base = (enum rules_base)c->base;
    size_t size = item_size(base), cap = 8, count = 0;
    char *items = gw_arena_alloc(p->lx.arena, cap * size);
    for (;;) {
        lex_space(&p->lx);
        if (lex_accept(&p->lx, "}"))
            break;
        if (count == cap) {
            char *more = gw_arena_alloc(p->lx.arena, 2 * cap * size);
            memcpy(more, items, count * size);
            items = more;
            cap *= 2;
        }
        if (!set_item(p, base, items + count * size))
            return false;
        count++;
    }
    c->set = items;
    c->set_count = count;
    if (base == RULES_INT)
        c->set_count = int_ranges_finish((struct int_range *)items, count);
    else if (base == RULES_IP)
        c->set_count = ip_ranges_finish((struct ip_range *)items, count);
    else
        strings_finish((struct gw_str *)items, count);
    return true;
}

static bool in_right(struct parser *p, struct compare *c)
{
    if (lex_accept(&p->lx, "$"))
        return list_right(p, c);
    return lex_expect(&p->lx, "{") && set_right(p, c);
}

static void check_regex_plan(struct parser *p, size_t offset)
{
    enum rules_phase phase = p->options->phase;
    bool rate = phase == RULES_RATELIMIT || phase == RULES_COUNTING;
    if (rate && p->options->plan < CONFIG_PLAN_ENTERPRISE)
        parse_deny(p, offset, p->lx.at - offset,
                   "not entitled: the use of operator Matches is not allowed, an Advanced Rate "
                   "Limiting plan is required");
    else if (p->options->plan < CONFIG_PLAN_BUSINESS)
        parse_deny(p, offset, p->lx.at - offset,
                   "not entitled: the use of operator Matches is not allowed, a Business plan or a "
                   "WAF Advanced plan is required");
}

static bool regex_right(struct parser *p, struct compare *c)
{
    struct gw_str pattern;
    size_t start;
    if (!lex_regex(&p->lx, &pattern, &start))
        return false;
    if (++p->regexes > REGEXES_MAX)
        return lex_fail(&p->lx, start, p->lx.at - start,
                        "exceeded maximum number of regular expressions (%d)", REGEXES_MAX);
    char reason[sizeof(p->lx.err->reason)];
    c->right = rules_bytes(pattern);
    c->regex = regex_compile(pattern, reason, sizeof(reason));
    if (!c->regex)
        return lex_fail(&p->lx, start, p->lx.at - start, "%s", reason);
    struct regex_link *link = gw_arena_alloc(p->lx.arena, sizeof(*link));
    *link = (struct regex_link){c->regex, p->expr->regexes};
    p->expr->regexes = link;
    return true;
}

static bool wildcard_right(struct parser *p, struct compare *c, bool strict)
{
    struct gw_str pattern;
    size_t start = p->lx.at;
    if (!lex_string(&p->lx, &pattern))
        return false;
    c->right = rules_bytes(pattern);
    const char *reason = wildcard_compile(&c->wildcard, pattern, strict, p->lx.arena);
    return !reason || lex_fail(&p->lx, start, p->lx.at - start, "%s", reason);
}

static bool read_right(struct parser *p, struct compare *c, bool strict)
{
    if (c->op == COMPARE_IN)
        return in_right(p, c);
    if (c->op == COMPARE_MATCHES)
        return regex_right(p, c);
    if (c->op == COMPARE_WILDCARD)
        return wildcard_right(p, c, strict);
    if (is_ordering((enum compare_op)c->op) && sees_access(p))
        return dynamic_right(p, c);
    return literal_right(p, c);
}

/* The one leniency of this engine. Rules in the wild compare a cookie as if it had one value:
 * http.request.cookies["session_id"] ne "". Its type is an array, and Cloudflare refuses that when
 * the rule is saved. In ruleset files it is read as the first value, with a note that says so;
 * every other comparison of an array is an error here too. */
static void take_first_cookie(struct parser *p, struct access *a)
{
    bool lenient = p->options->cookie_array_as_first && a->field && a->index_count == 1 &&
                   a->field->source == FIELD_DERIVED && a->field->at == RULES_COOKIES &&
                   a->indexes[0].kind == INDEX_KEY;
    if (!lenient)
        return;
    struct index *both = gw_arena_alloc(p->lx.arena, 2 * sizeof(*both));
    both[0] = a->indexes[0];
    both[1] = (struct index){.kind = INDEX_AT, .at = 0};
    a->indexes = both;
    a->index_count = 2;
    a->type = rules_type_item(a->type);
    prepare_access(a);
    struct gw_str text = gw_str(p->lx.text.ptr + a->offset, a->width);
    parse_note(p, a->offset, a->width,
               "Cloudflare refuses to compare this Array<Bytes> with a value; it is read as its "
               "first item here, write %.*s[0]",
               GW_STR_ARG(gw_str_first(text, 100)));
}

/* An Array<Bool> that stands alone, and whatever has [*], gives an array; any() or all() must be
 * around it, which expr.c and the argument types see to. */
static struct logic *make(struct parser *p, struct compare *c)
{
    const struct access *left = c->left;
    struct logic *l = gw_arena_zalloc(p->lx.arena, sizeof(*l));
    l->kind = LOGIC_COMPARE;
    l->array = left->each_count > 0 || left->type.depth > 0;
    l->slot = LOGIC_UNSHARED;
    l->offset = left->offset;
    l->width = p->lx.at - left->offset;
    l->compare = c;
    prepare_compare(l);
    return l;
}

struct logic *parse_compare(struct parser *p, struct access *left)
{
    struct compare *c = gw_arena_zalloc(p->lx.arena, sizeof(*c));
    c->left = left;
    c->op = COMPARE_TRUE;
    bool bools = rules_type_eq(left->type, RULES_ARRAY_OF(RULES_BOOL));
    if (rules_type_is(left->type, RULES_BOOL) || (bools && !left->each_count))
        return make(p, c);
    size_t back = p->lx.at;
    lex_space(&p->lx);
    size_t start = p->lx.at;
    enum compare_op op;
    bool strict;
    if (!read_operator(&p->lx, &op, &strict)) {
        lex_fail(&p->lx, start, p->lx.end - start, "expected ComparisonOp");
        p->lx.at = back;
        return NULL;
    }
    size_t width = p->lx.at - start;
    take_first_cookie(p, left);
    if (!operator_fits(op, left->type)) {
        char type[RULES_TYPE_TEXT_MAX];
        lex_fail(&p->lx, start, width, "cannot perform this operation on type %s",
                 rules_type_text(left->type, true, type));
        return NULL;
    }
    if (op == COMPARE_MATCHES)
        check_regex_plan(p, start);
    c->op = (uint8_t)op;
    c->base = left->type.base;
    c->when_missing = op == COMPARE_NE && p->options->missing_ne;
    lex_space(&p->lx);
    return read_right(p, c, strict) ? make(p, c) : NULL;
}
