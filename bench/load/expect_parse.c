/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "bench/load/expect.h"
#include "bench/load/expect_lex.h"
#include "bench/load/units.h"
#include "gateway/base/diag.h"

struct parse {
    struct expect_lexer lex;
    struct expectation *e;
    const struct expect_names *names;
    struct expect_mistake *mistake;
};

/* The first mistake only: what follows one is guesswork. */
static bool GW_PRINTF(2, 3) fail(struct parse *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->mistake->text, sizeof(p->mistake->text), fmt, args);
    va_end(args);
    p->mistake->at = expect_lex_offset(&p->lex);
    p->mistake->width = p->lex.token.text.len ? p->lex.token.text.len : 1;
    return false;
}

static bool fail_expected(struct parse *p, const char *what)
{
    if (p->lex.token.kind == TOKEN_END)
        return fail(p, "%s is missing", what);
    return fail(p, "expected %s, not \"%.*s\"", what, GW_STR_ARG(p->lex.token.text));
}

/* ---- names ---- */

static bool take_name(struct parse *p, const struct gw_str *list, size_t count, uint32_t *out)
{
    const char *candidates[65] = {NULL}; /* for "did you mean": names in a plan end with NUL */
    struct gw_str name = p->lex.token.text;
    if (p->lex.token.kind != TOKEN_WORD && p->lex.token.kind != TOKEN_NUMBER)
        return fail_expected(p, "a name");
    for (size_t i = 0; i < count; i++) {
        if (i < GW_COUNT(candidates) - 1)
            candidates[i] = list[i].ptr;
        if (gw_str_eq(list[i], name)) {
            *out = (uint32_t)i;
            expect_lex_next(&p->lex);
            return true;
        }
    }
    const char *nearest = gw_nearest(name, candidates);
    if (nearest)
        return fail(p, "there is no \"%.*s\"; did you mean \"%s\"?", GW_STR_ARG(name), nearest);
    return fail(p, "there is no \"%.*s\"", GW_STR_ARG(name));
}

static bool take_of(struct parse *p)
{
    if (!expect_lex_take(&p->lex, "of"))
        return true;
    return take_name(p, p->names->requests, p->names->request_count, &p->e->request);
}

/* ---- subjects ---- */

static const struct {
    const char *word;
    enum expect_subject_kind kind;
} subject_words[] = {{"limited", SUBJECT_LIMITED},
                     {"errors", SUBJECT_ERRORS},
                     {"failed", SUBJECT_FAILED},
                     {"answers", SUBJECT_ANSWERS},
                     {"requests", SUBJECT_REQUESTS}};

static bool is_whole(double number)
{
    return number == (double)(uint64_t)number;
}

static bool subject_of_number(struct parse *p, struct expect_subject *s)
{
    const struct expect_token *t = &p->lex.token;
    bool is_class = gw_str_ieq(t->unit, GW_STR("xx"));
    double low = is_class ? t->number * 100 : t->number;
    if ((t->unit.len && !is_class) || !is_whole(low) || low < 100 || low > 999)
        return fail(p, "\"%.*s\" is no status: write 429 or 5xx", GW_STR_ARG(t->text));
    *s = (struct expect_subject){.kind = SUBJECT_STATUS,
                                 .low = (uint16_t)low,
                                 .high = (uint16_t)(is_class ? low + 99 : low)};
    expect_lex_next(&p->lex);
    return true;
}

static bool take_subject(struct parse *p, struct expect_subject *s)
{
    static const char *const words[] = {"limited", "errors", "failed",  "answers",     "requests",
                                        "HIT",     "MISS",   "EXPIRED", "REVALIDATED", "UPDATING",
                                        "STALE",   "BYPASS", "DYNAMIC", "ratio",       "rate",
                                        "only",    "first",  "origin",  "retry-after", "service",
                                        "mean",    "phase",  "per",     "each",        NULL};
    struct gw_str text = p->lex.token.text;
    if (p->lex.token.kind == TOKEN_NUMBER)
        return subject_of_number(p, s);
    if (p->lex.token.kind != TOKEN_WORD)
        return fail_expected(p, "a status, a cache status or another subject");
    *s = (struct expect_subject){.kind = SUBJECT_CACHE, .cache = load_cache_of(text)};
    bool known = s->cache != LOAD_CACHE_NONE;
    for (size_t i = 0; i < GW_COUNT(subject_words); i++)
        if (expect_lex_is(&p->lex, subject_words[i].word)) {
            s->kind = subject_words[i].kind;
            known = true;
        }
    const char *nearest = gw_nearest(text, words);
    if (!known && nearest)
        return fail(p, "\"%.*s\" is no subject; did you mean \"%s\"?", GW_STR_ARG(text), nearest);
    if (!known)
        return fail(p,
                    "\"%.*s\" is no subject: write a status (429, 5xx), a cache status (HIT), "
                    "limited, errors, failed, answers or requests",
                    GW_STR_ARG(text));
    expect_lex_next(&p->lex);
    return true;
}

/* ---- comparisons ---- */

/* The number and what its unit makes of the expectation: counts, shares, rates, times. */
static bool take_value(struct parse *p, double *out)
{
    const struct expect_token *t = &p->lex.token;
    uint64_t us;
    if (t->kind != TOKEN_NUMBER)
        return fail_expected(p, p->e->kind == EXPECT_TIME ? "a time such as 50ms" : "a number");
    *out = t->number;
    if (p->e->kind == EXPECT_TIME) {
        if (!units_duration(t->text, &us))
            return fail(p, "\"%.*s\" is no time: write 50ms or 1.5s", GW_STR_ARG(t->text));
        *out = (double)us;
    } else if (gw_str_eq(t->unit, GW_STR("%")) && p->e->kind != EXPECT_RATE) {
        p->e->kind = EXPECT_RATIO;
    } else if (t->unit.len && t->unit.ptr[0] == '/' && p->e->kind != EXPECT_RATIO) {
        p->e->kind = EXPECT_RATE;
        if (!units_rate(t->text, out))
            return fail(p, "\"%.*s\" is no rate: write 50/s", GW_STR_ARG(t->text));
    } else if (t->unit.len || p->e->kind == EXPECT_RATE) {
        return fail(p, "\"%.*s\" has %s unit here", GW_STR_ARG(t->text),
                    t->unit.len ? "the wrong" : "no");
    } else if (p->e->kind == EXPECT_RATIO) { /* "ratio 429 < 0.1" */
        *out = t->number * 100;
    } else if (!is_whole(t->number)) {
        return fail(p, "a count is a whole number");
    }
    expect_lex_next(&p->lex);
    return true;
}

static bool take_between(struct parse *p)
{
    if (!take_value(p, &p->e->low))
        return false;
    enum expect_kind kind = p->e->kind;
    if (!expect_lex_take(&p->lex, ".."))
        return fail_expected(p, "\"..\" and the upper bound");
    if (!take_value(p, &p->e->high))
        return false;
    if (p->e->kind != kind)
        return fail(p, "both bounds want the same unit");
    p->e->compare = COMPARE_IN;
    return p->e->low <= p->e->high || fail(p, "the lower bound is above the upper one");
}

static bool take_tolerance(struct parse *p)
{
    double around = p->e->low, by;
    if (!expect_lex_is(&p->lex, "+-") && !expect_lex_is(&p->lex, "±"))
        return true;
    if (p->e->compare != COMPARE_EQ)
        return fail(p, "\"+-\" goes with \"==\"");
    expect_lex_next(&p->lex);
    enum expect_kind kind = p->e->kind;
    if (!take_value(p, &by))
        return false;
    if (p->e->kind != kind)
        return fail(p, "number and tolerance want the same unit");
    p->e->compare = COMPARE_IN;
    p->e->low = around - by;
    p->e->high = around + by;
    return true;
}

static bool take_comparison(struct parse *p)
{
    static const struct {
        const char *sign;
        enum expect_compare compare;
    } signs[] = {{"==", COMPARE_EQ}, {"=", COMPARE_EQ},  {"!=", COMPARE_NE}, {"<=", COMPARE_LE},
                 {"<", COMPARE_LT},  {">=", COMPARE_GE}, {">", COMPARE_GT}};
    if (expect_lex_take(&p->lex, "in"))
        return take_between(p);
    for (size_t i = 0; i < GW_COUNT(signs); i++) {
        if (!expect_lex_take(&p->lex, signs[i].sign))
            continue;
        p->e->compare = signs[i].compare;
        return take_value(p, &p->e->low) && take_tolerance(p);
    }
    return fail_expected(p, "a comparison (== != < <= > >= or \"in A..B\")");
}

/* ---- clauses ---- */

static bool clause_count(struct parse *p)
{
    p->e->subject_count = 1;
    return take_subject(p, &p->e->subjects[0]) && take_of(p) && take_comparison(p);
}

static bool clause_ratio(struct parse *p)
{
    p->e->kind = EXPECT_RATIO;
    return clause_count(p);
}

static bool clause_rate(struct parse *p)
{
    p->e->kind = EXPECT_RATE;
    return clause_count(p);
}

static bool clause_only(struct parse *p)
{
    p->e->kind = EXPECT_ONLY;
    do {
        if (p->e->subject_count == EXPECT_SUBJECTS_MAX)
            return fail(p, "more than %d subjects", EXPECT_SUBJECTS_MAX);
        if (!take_subject(p, &p->e->subjects[p->e->subject_count++]))
            return false;
    } while (expect_lex_take(&p->lex, ","));
    return take_of(p);
}

/* "after 15", "after 14..16", "after >= 15". */
static bool clause_first(struct parse *p)
{
    p->e->kind = EXPECT_FIRST;
    p->e->subject_count = 1;
    if (!take_subject(p, &p->e->subjects[0]) || !take_of(p))
        return false;
    if (!expect_lex_take(&p->lex, "after"))
        return fail_expected(p, "\"after\" and how many requests came before");
    if (p->lex.token.kind != TOKEN_NUMBER)
        return take_comparison(p);
    p->e->compare = COMPARE_EQ;
    if (!take_value(p, &p->e->low))
        return false;
    if (!expect_lex_take(&p->lex, ".."))
        return p->e->kind == EXPECT_FIRST || fail(p, "a count of requests has no unit");
    p->e->compare = COMPARE_IN;
    return take_value(p, &p->e->high) &&
           (p->e->low <= p->e->high || fail(p, "the lower bound is above the upper one"));
}

static bool clause_honest(struct parse *p)
{
    p->e->kind = EXPECT_HONEST;
    if (!expect_lex_take(&p->lex, "honest"))
        return fail_expected(p, "\"honest\"");
    return take_of(p);
}

static bool clause_origin(struct parse *p)
{
    p->e->kind = EXPECT_ORIGIN;
    if (expect_lex_take(&p->lex, "not")) {
        p->e->compare = COMPARE_EQ;
        return expect_lex_take(&p->lex, "contacted") || fail_expected(p, "\"contacted\"");
    }
    if (!expect_lex_take(&p->lex, "requests"))
        return fail_expected(p, "\"requests\" or \"not contacted\"");
    return take_comparison(p);
}

/* p50, p99.9, mean, min, max. */
static bool is_measure(struct gw_str word, double *percent)
{
    static const struct {
        const char *word;
        double percent;
    } words[] = {
        {"mean", EXPECT_MEAN}, {"avg", EXPECT_MEAN}, {"min", 0}, {"max", 100}, {"median", 50}};
    for (size_t i = 0; i < GW_COUNT(words); i++)
        if (gw_str_eq(word, gw_str_z(words[i].word))) {
            *percent = words[i].percent;
            return true;
        }
    struct gw_str digits = gw_str_from(word, 1);
    return gw_str_starts(word, GW_STR("p")) && units_number(&digits, percent) && !digits.len &&
           *percent <= 100;
}

static bool clause_time(struct parse *p)
{
    p->e->kind = EXPECT_TIME;
    if (!is_measure(p->lex.token.text, &p->e->percent))
        return fail_expected(p, "p50, p99.9, mean, min or max");
    expect_lex_next(&p->lex);
    return take_of(p) && take_comparison(p);
}

static bool clause_service(struct parse *p)
{
    p->e->service = true;
    return clause_time(p);
}

static bool take_clause(struct parse *p)
{
    static const struct {
        const char *word;
        bool (*clause)(struct parse *p);
    } clauses[] = {{"ratio", clause_ratio},        {"rate", clause_rate},
                   {"only", clause_only},          {"first", clause_first},
                   {"retry-after", clause_honest}, {"origin", clause_origin},
                   {"service", clause_service},    {"response", clause_time}};
    double percent;
    for (size_t i = 0; i < GW_COUNT(clauses); i++)
        if (expect_lex_take(&p->lex, clauses[i].word))
            return clauses[i].clause(p);
    return is_measure(p->lex.token.text, &percent) ? clause_time(p) : clause_count(p);
}

/* ---- scopes ---- */

static bool take_window(struct parse *p)
{
    if (p->lex.token.kind != TOKEN_NUMBER || !units_duration(p->lex.token.text, &p->e->window_us) ||
        p->e->window_us < 1000)
        return fail_expected(p, "a time of at least 1ms, such as 60s");
    expect_lex_next(&p->lex);
    return true;
}

static bool take_scope(struct parse *p)
{
    if (expect_lex_take(&p->lex, "per"))
        return take_window(p);
    if (expect_lex_take(&p->lex, "phase"))
        return take_name(p, p->names->phases, p->names->phase_count, &p->e->phase);
    if (!expect_lex_take(&p->lex, "each"))
        return fail_expected(p, "a scope (\"phase NAME\", \"per 60s\", \"each identity\")");
    p->e->each_identity = true;
    return expect_lex_take(&p->lex, "identity") || fail_expected(p, "\"identity\"");
}

static bool take_scopes(struct parse *p)
{
    if (!expect_lex_is(&p->lex, "per") && !expect_lex_is(&p->lex, "each") &&
        !expect_lex_is(&p->lex, "phase"))
        return true;
    do {
        if (!take_scope(p))
            return false;
    } while (expect_lex_take(&p->lex, ","));
    return expect_lex_take(&p->lex, ":") || fail_expected(p, "\":\" behind the scope");
}

bool expect_parse(struct gw_str text, const struct expect_names *names, struct expectation *out,
                  struct expect_mistake *mistake)
{
    struct parse p = {.e = out, .names = names, .mistake = mistake};
    *out = (struct expectation){.text = text, .phase = EXPECT_NONE, .request = EXPECT_NONE};
    expect_lex_start(&p.lex, text);
    if (p.lex.token.kind == TOKEN_END)
        return fail(&p, "an expectation cannot be empty");
    if (!take_scopes(&p) || !take_clause(&p))
        return false;
    if (p.lex.token.kind != TOKEN_END)
        return fail_expected(&p, "the end of the expectation");
    if ((out->window_us || out->each_identity) && out->kind != EXPECT_COUNT)
        return fail(&p, "\"per\" and \"each identity\" go with counts, such as 200 <= 15");
    return true;
}
