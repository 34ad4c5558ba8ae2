/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/shapes.h"

#include "config/countries.h"
#include "config/rules/functions.h"

#define AT(member) offsetof(struct rules_request, member)

enum fact { LOWER, UPPER, SLASH, NEVER, SCHEME, QUERY, COUNTRY, CONTINENT, VERSION };

static const struct shape {
    uint8_t source; /* enum field_source */
    uint16_t at;
    uint8_t fact;     /* enum fact */
    char byte;        /* NEVER: what does not occur … */
    const char *text; /* … and why */
} shapes[] = {
    {FIELD_TEXT, AT(host), NEVER, '/', "is a name, without scheme and path"},
    {FIELD_TEXT, AT(host), NEVER, ':', "is without the port"},
    {FIELD_TEXT, AT(host), LOWER, 0, NULL},
    {FIELD_TEXT, AT(path), NEVER, '?', "ends before the query, which http.request.uri has too"},
    {FIELD_TEXT, AT(path), SLASH, 0, NULL},
    {FIELD_RAW, AT(raw_path), NEVER, '?', "ends before the query"},
    {FIELD_RAW, AT(raw_path), SLASH, 0, NULL},
    {FIELD_TEXT, AT(query), QUERY, 0, NULL},
    {FIELD_RAW, AT(raw_query), QUERY, 0, NULL},
    {FIELD_DERIVED, RULES_URI, SLASH, 0, NULL},
    {FIELD_DERIVED, RULES_RAW_URI, SLASH, 0, NULL},
    {FIELD_DERIVED, RULES_FULL_URI, SCHEME, 0, NULL},
    {FIELD_DERIVED, RULES_RAW_FULL_URI, SCHEME, 0, NULL},
    {FIELD_DERIVED, RULES_EXTENSION, NEVER, '.', "is what follows the last dot"},
    {FIELD_DERIVED, RULES_EXTENSION, NEVER, '/', "is what follows the last dot"},
    {FIELD_DERIVED, RULES_EXTENSION, LOWER, 0, NULL},
    {FIELD_DERIVED, RULES_RAW_EXTENSION, NEVER, '.', "is what follows the last dot"},
    {FIELD_DERIVED, RULES_RAW_EXTENSION, NEVER, '/', "is what follows the last dot"},
    {FIELD_DERIVED, RULES_RAW_EXTENSION, LOWER, 0, NULL},
    {FIELD_DERIVED, RULES_BASENAME, NEVER, '/', "is what follows the last slash"},
    {FIELD_DERIVED, RULES_MEDIA_TYPE, NEVER, ';', "is without parameters"},
    {FIELD_DERIVED, RULES_MEDIA_TYPE, LOWER, 0, NULL},
    {FIELD_TEXT, AT(method), UPPER, 0, NULL},
    {FIELD_TEXT, AT(country), UPPER, 0, NULL},
    {FIELD_TEXT, AT(country), COUNTRY, 0, NULL},
    {FIELD_TEXT, AT(continent), UPPER, 0, NULL},
    {FIELD_TEXT, AT(continent), CONTINENT, 0, NULL},
    {FIELD_TEXT, AT(version), VERSION, 0, NULL},
};

struct question {
    enum shape_part part;
    struct gw_str text;
    bool folds;
    const char *name; /* of the field or function */
    struct gw_buf *why;
};

static void write_quoted(struct gw_buf *out, struct gw_str text)
{
    gw_buf_char(out, '"');
    gw_buf_add(out, gw_str_first(text, 80));
    gw_buf_add(out, text.len > 80 ? GW_STR("…\"") : GW_STR("\""));
}

/* Few names: searched in order. */
static bool is_one_of(struct gw_str text, const char *const *names)
{
    while (*names && !gw_str_eq(text, gw_str_z(*names)))
        names++;
    return *names;
}

/* ---- one fact ---- */

static char fold(char c, bool upper)
{
    return upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : upper ? c : gw_lower(c);
}

static enum shape_verdict check_case(const struct question *q, bool upper)
{
    char folded[80];
    bool differs = false;
    for (size_t i = 0; i < q->text.len; i++)
        differs |= fold(q->text.ptr[i], upper) != q->text.ptr[i];
    if (!differs || q->folds)
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s is in %s case", q->name, upper ? "upper" : "lower");
    if (q->text.len > sizeof(folded))
        return SHAPE_REFUSES;
    for (size_t i = 0; i < q->text.len; i++)
        folded[i] = fold(q->text.ptr[i], upper);
    gw_buf_add(q->why, GW_STR(": write "));
    write_quoted(q->why, gw_str(folded, q->text.len));
    return SHAPE_REFUSES;
}

/* A path is "*" in OPTIONS * and begins with a slash everywhere else. */
static enum shape_verdict check_slash(const struct question *q)
{
    bool anchored = q->part == SHAPE_WHOLE || q->part == SHAPE_START;
    if (!anchored || q->text.ptr[0] == '/' || q->text.ptr[0] == '*')
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s begins with \"/\"", q->name);
    if (gw_str_starts(q->text, GW_STR("http"))) {
        gw_buf_add(q->why, GW_STR(": compare http.request.full_uri"));
        return SHAPE_REFUSES;
    }
    gw_buf_add(q->why, GW_STR(": write \"/"));
    gw_buf_add(q->why, gw_str_first(q->text, 80));
    gw_buf_char(q->why, '"');
    return SHAPE_REFUSES;
}

/* An IPv6 host has colons in its brackets; what else has one is a host with its port. */
static bool is_inside_brackets(const struct question *q)
{
    if (q->part == SHAPE_END)
        return q->text.ptr[q->text.len - 1] == ']';
    if (q->part != SHAPE_INSIDE)
        return q->text.ptr[0] == '[';
    for (size_t i = 0; i < q->text.len; i++)
        if (gw_hex_value(q->text.ptr[i]) < 0 && !strchr(":.[]", q->text.ptr[i]))
            return false;
    return true;
}

static enum shape_verdict check_never(const struct question *q, char byte, const char *text)
{
    size_t at = gw_str_chr(q->text, byte);
    if (at == GW_NPOS || (byte == ':' && is_inside_brackets(q)))
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s %s", q->name, text);
    bool leads = at == 0 && byte == '.' && q->text.len > 1;
    if (leads || (byte == ':' && at > 0)) {
        gw_buf_add(q->why, GW_STR(": write "));
        write_quoted(q->why, leads ? gw_str_from(q->text, 1) : gw_str_first(q->text, at));
    }
    return SHAPE_REFUSES;
}

static bool agrees(struct gw_str text, struct gw_str start, enum shape_part part)
{
    return gw_str_starts(text, start) || (part == SHAPE_START && gw_str_starts(start, text));
}

static enum shape_verdict check_scheme(const struct question *q)
{
    bool anchored = q->part == SHAPE_WHOLE || q->part == SHAPE_START;
    if (!anchored || q->folds || agrees(q->text, GW_STR("http://"), q->part) ||
        agrees(q->text, GW_STR("https://"), q->part))
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s begins with \"http://\" or \"https://\"", q->name);
    return SHAPE_REFUSES;
}

static enum shape_verdict check_query(const struct question *q)
{
    bool anchored = q->part == SHAPE_WHOLE || q->part == SHAPE_START;
    if (!anchored || q->text.ptr[0] != '?')
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s begins behind the \"?\", so only a URL with two of them fits",
                  q->name);
    if (q->text.len > 1) {
        gw_buf_add(q->why, GW_STR(": write "));
        write_quoted(q->why, gw_str_from(q->text, 1));
    }
    return SHAPE_ODD;
}

/* T1 is Tor, XX unknown. */
static enum shape_verdict check_country(const struct question *q)
{
    static const char *const others[] = {"T1", "XX", NULL};
    if (q->part != SHAPE_WHOLE || q->folds || country_continent(q->text) ||
        is_one_of(q->text, others))
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s is a two-letter code of ISO 3166, and ", q->name);
    write_quoted(q->why, q->text);
    gw_buf_add(q->why, GW_STR(" is none"));
    if (gw_str_eq(q->text, GW_STR("UK")))
        gw_buf_add(q->why, GW_STR(": write \"GB\""));
    if (gw_str_eq(q->text, GW_STR("EU")))
        gw_buf_add(q->why, GW_STR(": write ip.src.continent eq \"EU\""));
    return SHAPE_REFUSES;
}

static enum shape_verdict check_continent(const struct question *q)
{
    static const char *const known[] = {"AF", "AN", "AS", "EU", "NA", "OC", "SA", "T1", NULL};
    if (q->part != SHAPE_WHOLE || q->folds || is_one_of(q->text, known))
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s is one of AF, AN, AS, EU, NA, OC and SA", q->name);
    return SHAPE_REFUSES;
}

static enum shape_verdict check_version(const struct question *q)
{
    static const char *const known[] = {"HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/2",
                                        "HTTP/3",   "SPDY/3.1", NULL};
    if (q->part != SHAPE_WHOLE || q->folds || is_one_of(q->text, known))
        return SHAPE_FITS;
    gw_buf_printf(q->why, "%s is one of HTTP/1.0, HTTP/1.1, HTTP/2 and HTTP/3", q->name);
    return SHAPE_REFUSES;
}

static enum shape_verdict check(const struct question *q, const struct shape *shape)
{
    switch ((enum fact)shape->fact) {
    case LOWER:
    case UPPER:
        return check_case(q, shape->fact == UPPER);
    case SLASH:
        return check_slash(q);
    case NEVER:
        return check_never(q, shape->byte, shape->text);
    case SCHEME:
        return check_scheme(q);
    case QUERY:
        return check_query(q);
    case COUNTRY:
        return check_country(q);
    case CONTINENT:
        return check_continent(q);
    case VERSION:
        break;
    }
    return check_version(q);
}

/* ---- all facts of a field ----
 * The first that is broken is told: a host with a scheme has capitals and a port for the same
 * reason. */

enum shape_verdict shape_check(const struct access *a, enum shape_part part, struct gw_str text,
                               bool folds, struct gw_buf *why)
{
    enum shape_verdict verdict = SHAPE_FITS;
    struct question q = {part, text, folds, NULL, why};
    if (!text.len || a->index_count != a->each_count || (a->field && a->index_count))
        return SHAPE_FITS;
    if (a->call) {
        struct gw_str function = gw_str_z(a->call->function->name);
        bool upper = gw_str_eq(function, GW_STR("upper"));
        q.name = upper ? "what upper() gives" : "what lower() gives";
        return upper || gw_str_eq(function, GW_STR("lower")) ? check_case(&q, upper) : SHAPE_FITS;
    }
    q.name = a->field->name;
    for (size_t i = 0; i < GW_COUNT(shapes) && verdict == SHAPE_FITS; i++)
        if (shapes[i].source == a->field->source && shapes[i].at == a->field->at)
            verdict = check(&q, &shapes[i]);
    return verdict;
}

struct int_range shape_numbers(const struct access *a)
{
    static const struct int_range known[] = {
        [NUMBER_ASNUM] = {0, UINT32_MAX},  [NUMBER_PORT] = {0, UINT16_MAX},
        [NUMBER_SECONDS] = {0, INT64_MAX}, [NUMBER_MILLIS] = {0, 999},
        [NUMBER_STATUS] = {0, 999},
    };
    if (a->field && a->field->source == FIELD_NUMBER)
        return known[a->field->at];
    if (a->call && gw_str_eq(gw_str_z(a->call->function->name), GW_STR("len")))
        return (struct int_range){0, INT64_MAX};
    return (struct int_range){INT64_MIN, INT64_MAX};
}
