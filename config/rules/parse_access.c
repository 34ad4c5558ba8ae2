/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/parse.h"
#include "config/rules/prepare.h"

static const char *plan_needed(enum config_plan plan)
{
    return plan == CONFIG_PLAN_PRO        ? "a Pro plan"
           : plan == CONFIG_PLAN_BUSINESS ? "a Business plan"
                                          : "an Enterprise plan";
}

/* A field of the response is wrong here on every plan and ends the parse; what the plan lacks is
 * only noted, since a mistake further on is told first. */
static bool check_field(struct parser *p, const struct rules_field *f, size_t offset)
{
    const struct expr_options *o = p->options;
    size_t width = strlen(f->name);
    p->expr->response |= f->response;
    if (f->response && !rules_phase_has_response(o->phase))
        return lex_fail(&p->lx, offset, width,
                        "field %s is available in response phases and counting expressions only",
                        f->name);
    bool rate = o->phase == RULES_RATELIMIT || o->phase == RULES_COUNTING;
    if (rate && (uint8_t)o->plan < f->rate_plan)
        parse_deny(p, offset, width,
                   "not entitled: the use of field %s is not allowed, an higher Advanced Rate "
                   "Limiting plan is required",
                   f->name);
    else if (!rate && (uint8_t)o->plan < f->plan)
        parse_deny(p, offset, width,
                   "not entitled: the use of field %s is not allowed, %s is required", f->name,
                   plan_needed((enum config_plan)f->plan));
    if (f->source == FIELD_UNKNOWN)
        parse_note(p, offset, width, "field %s is accepted but not simulated: it is always empty",
                   f->name);
    return true;
}

static bool is_utf8(struct gw_str s)
{
    for (size_t n; s.len; s = gw_str_from(s, n)) {
        n = gw_utf8_length(s);
        if (n == 0)
            return false;
    }
    return true;
}

static bool read_index(struct parser *p, struct index *index)
{
    size_t start = p->lx.at;
    *index = (struct index){.kind = INDEX_EACH};
    if (lex_accept(&p->lx, "*"))
        return true;
    if (lex_accept(&p->lx, "\"")) {
        index->kind = INDEX_KEY;
        if (!lex_quoted(&p->lx, &index->key.text))
            return false;
        return is_utf8(index->key.text) ||
               lex_fail(&p->lx, start, p->lx.at - start,
                        "expected literal \"expected quoted utf8 string\"");
    }
    int64_t at;
    char c = lex_peek(&p->lx);
    if (!gw_is_digit(c) && c != '-')
        return lex_fail(&p->lx, start, p->lx.end - start,
                        "expected literal \"expected quoted utf8 string or positive integer\"");
    if (!lex_int(&p->lx, &at))
        return false;
    if (at < 0 || at > UINT32_MAX)
        return lex_fail(&p->lx, start, p->lx.at - start,
                        "expected literal \"expected positive integer as index\"");
    index->kind = INDEX_AT;
    index->at = (uint32_t)at;
    return true;
}

static bool index_fails(struct parser *p, const struct index *index, struct rules_type type,
                        size_t offset)
{
    char text[RULES_TYPE_TEXT_MAX];
    size_t width = p->lx.at - offset;
    rules_type_text(type, true, text);
    if (index->kind == INDEX_AT)
        return lex_fail(&p->lx, offset, width, "cannot access index ArrayIndex(%u) for type %s",
                        index->at, text);
    if (index->kind == INDEX_KEY)
        return lex_fail(&p->lx, offset, width, "cannot access index MapKey(\"%.*s\") for type %s",
                        GW_STR_ARG(gw_str_first(index->key.text, 100)), text);
    return lex_fail(&p->lx, offset, width, "cannot access index MapEach for type %s", text);
}

/* Each index takes one layer off the type, so there are at most RULES_DEPTH_MAX. */
static bool read_indexes(struct parser *p, struct access *a)
{
    struct index found[RULES_DEPTH_MAX];
    size_t start = p->lx.at;
    while (lex_accept(&p->lx, "[")) {
        struct index index;
        lex_space(&p->lx);
        if (!read_index(p, &index))
            return false;
        lex_space(&p->lx);
        if (!lex_expect(&p->lx, "]"))
            return false;
        bool fits = index.kind == INDEX_KEY  ? rules_type_is_map(a->type)
                    : index.kind == INDEX_AT ? rules_type_is_array(a->type)
                                             : a->type.depth > 0;
        if (!fits || a->index_count == RULES_DEPTH_MAX)
            return index_fails(p, &index, a->type, start);
        a->type = rules_type_item(a->type);
        a->each_count = (uint8_t)(a->each_count + (index.kind == INDEX_EACH));
        found[a->index_count++] = index;
        start = p->lx.at;
    }
    a->indexes = gw_arena_alloc(p->lx.arena, a->index_count * sizeof(*a->indexes));
    if (a->index_count)
        memcpy(a->indexes, found, a->index_count * sizeof(*a->indexes));
    return true;
}

/* Whether an argument can only be a field or call: a letter that is no hexadecimal digit among the
 * first three characters. */
static bool is_certainly_name(struct gw_str rest)
{
    for (size_t i = 0; i < gw_min_size(rest.len, 3); i++) {
        char c = gw_lower(rest.ptr[i]);
        if ((c > 'f' && c <= 'z') || c == '_')
            return true;
        if (!gw_is_digit(c) && (c < 'a' || c > 'f'))
            return false;
    }
    return false;
}

static bool arg_access(struct parser *p, struct arg *arg)
{
    struct access *a = parse_access(p);
    if (!a)
        return false;
    if (parse_sees_operator(p)) {
        arg->kind = ARG_LOGIC;
        arg->logic = parse_compare(p, a);
        return arg->logic != NULL;
    }
    arg->kind = ARG_ACCESS;
    arg->access = a;
    return true;
}

static bool arg_logic(struct parser *p, struct arg *arg)
{
    arg->kind = ARG_LOGIC;
    arg->logic = parse_logic(p);
    return arg->logic != NULL;
}

static bool arg_ip(struct parser *p, struct arg *arg)
{
    struct gw_ip ip;
    if (!lex_ip(&p->lx, &ip))
        return false;
    struct gw_ip *copy = gw_arena_alloc(p->lx.arena, sizeof(*copy));
    *copy = ip;
    arg->literal = (struct rules_value){.kind = RULES_VALUE_IP, .ip = copy};
    return true;
}

static bool arg_int(struct parser *p, struct arg *arg)
{
    int64_t value;
    if (!lex_int(&p->lx, &value))
        return false;
    arg->literal = rules_int(value);
    return true;
}

static bool arg_bytes(struct parser *p, struct arg *arg)
{
    arg->literal.kind = RULES_VALUE_BYTES;
    return lex_bytes(&p->lx, &arg->literal.s);
}

/* The grammar is ambiguous here ("ad" may begin a field or a byte string): what cannot be told by
 * its first characters is tried in this order. Nothing that a failed try leaves behind (depth,
 * notes) matters: only a known name gets that far, and none of them reads as a literal. */
static bool arg_guess(struct parser *p, struct arg *arg)
{
    static bool (*const tries[])(struct parser *, struct arg *) = {arg_access, arg_ip, arg_int,
                                                                   arg_bytes};
    size_t start = p->lx.at;
    for (size_t i = 0; i < GW_COUNT(tries); i++) {
        arg->kind = ARG_LITERAL;
        if (tries[i](p, arg))
            return true;
        p->lx.at = start;
    }
    return lex_fail(&p->lx, start, p->lx.end - start, "unrecognised input");
}

static bool read_arg(struct parser *p, struct arg *arg)
{
    struct gw_str rest = lex_rest(&p->lx);
    if (gw_str_starts(rest, GW_STR("\"")) || gw_str_starts(rest, GW_STR("r\"")) ||
        gw_str_starts(rest, GW_STR("r#")))
        return arg_bytes(p, arg);
    if (gw_str_starts(rest, GW_STR("(")) || gw_str_starts(rest, GW_STR("not")) ||
        gw_str_starts(rest, GW_STR("!")))
        return arg_logic(p, arg);
    return is_certainly_name(rest) ? arg_access(p, arg) : arg_guess(p, arg);
}

static void set_type(struct arg *arg)
{
    static const uint8_t bases[] = {
        [RULES_VALUE_INT] = RULES_INT,
        [RULES_VALUE_IP] = RULES_IP,
        [RULES_VALUE_BYTES] = RULES_BYTES,
    };
    if (arg->kind == ARG_ACCESS)
        arg->type = arg->access->type;
    else if (arg->kind == ARG_LOGIC)
        arg->type = arg->logic->array ? RULES_ARRAY_OF(RULES_BOOL) : RULES_TYPE(RULES_BOOL);
    else
        arg->type = (struct rules_type){.base = bases[arg->literal.kind]};
}

static bool takes(uint8_t allowed, struct rules_type t)
{
    if (rules_type_eq(t, RULES_ARRAY_OF(RULES_BOOL)) && allowed & TAKES_BOOLS)
        return true;
    if (rules_type_eq(t, RULES_ARRAY_OF(RULES_BYTES)) && allowed & TAKES_TEXTS)
        return true;
    if (t.depth)
        return allowed & (rules_type_is_map(t) ? TAKES_MAP : TAKES_ARRAY);
    static const uint8_t bits[] = {TAKES_BOOL, TAKES_INT, TAKES_IP, TAKES_BYTES};
    return allowed & bits[t.base];
}

static const char *expected_types(uint8_t allowed)
{
    switch (allowed) {
    case TAKES_BYTES:
        return "Bytes";
    case TAKES_INT:
        return "Int";
    case TAKES_IP:
        return "Ip";
    case TAKES_MAP:
        return "Map";
    case TAKES_BOOLS:
        return "Array<Bool>";
    case TAKES_TEXTS:
        return "Array<Bytes>";
    case TAKES_BYTES | TAKES_ARRAY:
        return "Bytes or Array";
    case TAKES_BYTES | TAKES_INT:
        return "Bytes or Int";
    default:
        return "Map or Array";
    }
}

/* Arguments are counted from 0, as in the engine's messages, which people search for (section 4).
 */
static bool check_arg(struct parser *p, const struct call *call, const struct arg *arg)
{
    const struct rules_function *f = call->function;
    size_t i = call->count, width = p->lx.at - arg->offset;
    size_t last = 0;
    while (last + 1 < GW_COUNT(f->params) && f->params[last + 1].need + f->params[last + 1].takes)
        last++;
    const struct param *param = &f->params[gw_min_size(i, last)];
    bool literal = arg->kind == ARG_LITERAL;
    if (param->need != NEED_EITHER && literal != (param->need == NEED_LITERAL))
        return lex_fail(&p->lx, arg->offset, width,
                        "invalid kind of argument #%zu: expected argument of kind %s, but got %s",
                        i, literal ? "Field" : "Literal", literal ? "Literal" : "Field");
    char want[RULES_TYPE_TEXT_MAX], got[RULES_TYPE_TEXT_MAX];
    rules_type_text(arg->type, false, got);
    if (param->takes && !takes(param->takes, arg->type))
        return lex_fail(&p->lx, arg->offset, width,
                        "invalid type of argument #%zu: expected value of type %s, but got %s", i,
                        expected_types(param->takes), got);
    if (!param->takes && !rules_type_eq(arg->type, call->args[0].type))
        return lex_fail(&p->lx, arg->offset, width,
                        "invalid type of argument #%zu: expected value of type %s, but got %s", i,
                        rules_type_text(call->args[0].type, false, want), got);
    const char *reason = literal && f->check ? f->check(arg, i) : NULL;
    return !reason || lex_fail(&p->lx, arg->offset, width, "%s", reason);
}

static bool add_arg(struct parser *p, struct call *call, size_t *cap)
{
    struct arg arg = {.offset = p->lx.at};
    if (!read_arg(p, &arg))
        return false;
    arg.width = p->lx.at - arg.offset;
    set_type(&arg);
    bool each = arg.kind == ARG_ACCESS && arg.access->each_count;
    if (each && call->count > 0)
        return lex_fail(&p->lx, arg.offset, arg.width, "invalid use of map each access operator");
    if (call->count >= call->function->most)
        return lex_fail(&p->lx, arg.offset, p->lx.end - arg.offset, "invalid number of arguments");
    if (!check_arg(p, call, &arg))
        return false;
    call->mapped = call->mapped || each;
    if (call->count == *cap) {
        struct arg *more = gw_arena_alloc(p->lx.arena, 2 * *cap * sizeof(*more));
        memcpy(more, call->args, call->count * sizeof(*more));
        call->args = more;
        *cap *= 2;
    }
    call->args[call->count++] = arg;
    return true;
}

/* From the opening parenthesis to the closing one. */
static bool read_args(struct parser *p, struct call *call)
{
    /* any and all are syntax of their own in the engine: they expect their end, not a comma. */
    const char *next = call->function->params[0].takes == TAKES_BOOLS ? ")" : ",";
    size_t cap = 2;
    call->args = gw_arena_alloc(p->lx.arena, cap * sizeof(*call->args));
    lex_space(&p->lx);
    while (p->lx.at < p->lx.end && lex_peek(&p->lx) != ')') {
        if (call->count > 0 && !lex_expect(&p->lx, next))
            return false;
        lex_space(&p->lx);
        if (!add_arg(p, call, &cap))
            return false;
        lex_space(&p->lx);
    }
    if (call->count < call->function->least)
        return lex_fail(&p->lx, p->lx.at, p->lx.end - p->lx.at, "invalid number of arguments");
    return lex_expect(&p->lx, ")");
}

static bool is_available(const struct rules_function *f, enum rules_phase phase)
{
    switch ((enum function_where)f->where) {
    case FUNCTION_IN_RATELIMIT:
        return phase == RULES_RATELIMIT || phase == RULES_COUNTING;
    case FUNCTION_IN_RESPONSE:
        return phase == RULES_CACHE_RESPONSE;
    case FUNCTION_ANYWHERE:
        break;
    }
    return true;
}

static struct call *read_call(struct parser *p, const struct rules_function *f, size_t offset)
{
    if (!is_available(f, p->options->phase)) {
        lex_fail(&p->lx, offset, strlen(f->name),
                 "function %s is not available in this phase: it belongs to %s rules", f->name,
                 f->where == FUNCTION_IN_RATELIMIT ? "rate limiting" : "cache response");
        return NULL;
    }
    struct call *call = gw_arena_zalloc(p->lx.arena, sizeof(*call));
    call->function = f;
    lex_space(&p->lx);
    if (!parse_nest(p) || !lex_expect(&p->lx, "(") || !read_args(p, call))
        return NULL;
    p->depth--;
    return call;
}

static bool unknown(struct parser *p, struct gw_str name, size_t offset)
{
    const char *where = rules_function_elsewhere(name);
    if (where)
        return lex_fail(&p->lx, offset, name.len,
                        "function %.*s is not available in this phase: %s", GW_STR_ARG(name),
                        where);
    return lex_fail(&p->lx, offset, name.len, "unknown identifier");
}

static bool read_base(struct parser *p, struct access *a)
{
    struct gw_str name;
    if (!lex_name(&p->lx, &name))
        return false;
    a->field = rules_field_find(name);
    if (a->field) {
        a->type = a->field->type;
        return check_field(p, a->field, a->offset);
    }
    const struct rules_function *f = rules_function_find(name);
    if (!f)
        return unknown(p, name, a->offset);
    a->call = read_call(p, f, a->offset);
    if (a->call)
        a->type = rules_function_type(a->call);
    return a->call != NULL;
}

struct access *parse_access(struct parser *p)
{
    struct access *a = gw_arena_zalloc(p->lx.arena, sizeof(*a));
    a->offset = p->lx.at;
    if (!read_base(p, a) || !read_indexes(p, a))
        return NULL;
    a->width = p->lx.at - a->offset;
    prepare_access(a);
    return a;
}
