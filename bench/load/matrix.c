/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/matrix.h"

#include "bench/load/report_parts.h"
#include "gateway/http/date.h"

#define CELL_MAX 96

/* ---- reading ---- */

static double number(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && json_type(v) == JSON_NUMBER ? json_number(v) : 0;
}

static bool is_number(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && json_type(v) == JSON_NUMBER;
}

static bool is_true(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && json_type(v) == JSON_BOOL && json_bool(v);
}

const struct json *matrix_limiters(const struct json *answer)
{
    const struct json *limiters = json_get(json_get(answer, "data"), "limiters");
    return json_count(limiters) ? limiters : NULL;
}

static double pending(const struct json *limiter)
{
    double most = 0;
    for (const struct json *s = json_first(json_get(limiter, "stores")); s; s = json_next(s))
        most = number(s, "pending") > most ? number(s, "pending") : most;
    return most;
}

bool matrix_is_pending(const struct json *answer)
{
    const struct json *l = json_first(matrix_limiters(answer));
    while (l && pending(l) == 0)
        l = json_next(l);
    return l != NULL;
}

/* ---- cells, the same for both forms ---- */

static void cell_store(const struct json *s, struct gw_buf *out)
{
    gw_buf_add(out, gw_str_first(json_str(json_get(s, "store")), 32));
    gw_buf_add(out, is_true(s, "enforces") ? GW_STR(" *") : GW_STR_EMPTY);
}

static void cell_admitted(const struct json *s, struct gw_buf *out)
{
    gw_buf_printf(out, "%.0f", number(s, "admitted"));
}

static void cell_refused(const struct json *s, struct gw_buf *out)
{
    gw_buf_printf(out, "%.0f", number(s, "refused"));
}

static void cell_errors(const struct json *s, struct gw_buf *out)
{
    gw_buf_printf(out, "%.0f", number(s, "errors"));
}

static void cell_over(const struct json *s, struct gw_buf *out)
{
    gw_buf_printf(out, number(s, "overAdmitted") == 0 ? "0" : "%+.0f", number(s, "overAdmitted"));
}

static void cell_first(const struct json *s, struct gw_buf *out)
{
    const struct json *first = json_get(s, "firstRefusal");
    double least = number(first, "least"), mean = number(first, "mean");
    if (least == 0)
        gw_buf_char(out, '-');
    else if (mean == least)
        gw_buf_printf(out, "%.0f", least);
    else
        gw_buf_printf(out, "%.0f (mean %.1f)", least, mean);
}

static void cell_mixed(const struct json *s, struct gw_buf *out)
{
    gw_buf_printf(out, "%.0f", number(json_get(s, "mixedZone"), "most"));
}

static void cell_latency(const struct json *s, struct gw_buf *out)
{
    const struct json *ms = json_get(s, "latencyMs");
    gw_buf_printf(out, "%.0f/%.0f ms", number(ms, "p50"), number(ms, "p99"));
}

static void cell_expected(const struct json *s, struct gw_buf *out)
{
    const struct json *model = json_get(s, "model");
    if (!is_number(model, "expected"))
        gw_buf_char(out, '-');
    else if (number(model, "deviation") > 0)
        gw_buf_printf(out, "%.1f ± %.1f", number(model, "expected"), number(model, "deviation"));
    else
        gw_buf_printf(out, "%.4g", number(model, "expected"));
}

static void cell_z(const struct json *s, struct gw_buf *out)
{
    const struct json *model = json_get(s, "model");
    if (is_number(model, "z"))
        gw_buf_printf(out, "%.1f", number(model, "z"));
    else
        gw_buf_add(out, is_number(model, "expected") ? GW_STR("differs") : GW_STR("-"));
}

/* The operations that are billed each, for one call. */
static void cell_operations(const struct json *s, struct gw_buf *out)
{
    static const struct {
        const char *name, *words;
    } shown[] = {{"kv_read", "KV reads"},
                 {"kv_write", "writes"},
                 {"kv_write_refused", "refused writes"},
                 {"do_request", "DO requests"},
                 {"binding_call", "binding calls"}};
    const struct json *operations = json_get(s, "operations");
    size_t start = out->len;
    for (size_t i = 0; i < GW_COUNT(shown); i++)
        if (is_number(operations, shown[i].name))
            gw_buf_printf(out, "%s%.0f %s", out->len > start ? ", " : "",
                          number(operations, shown[i].name), shown[i].words);
    if (out->len == start)
        gw_buf_add(out, GW_STR("none"));
}

static void add_usd(const struct json *s, const char *name, struct gw_buf *out)
{
    const struct json *usd = json_get(s, "usd");
    if (!is_number(usd, name))
        gw_buf_char(out, '-');
    else
        gw_buf_printf(out, "%.2f%s", number(usd, name), is_true(usd, "confirmed") ? "" : " ?");
}

static void cell_million(const struct json *s, struct gw_buf *out)
{
    add_usd(s, "perMillionCalls", out);
}

static void cell_month(const struct json *s, struct gw_buf *out)
{
    add_usd(s, "perMonth", out);
}

static const struct column {
    const char *title;
    void (*cell)(const struct json *store, struct gw_buf *out);
    bool left;
} columns[] = {{"STORE", cell_store, true},          {"ADMITTED", cell_admitted, false},
               {"REFUSED", cell_refused, false},     {"500s", cell_errors, false},
               {"OVER", cell_over, false},           {"FIRST 429", cell_first, false},
               {"MIXED", cell_mixed, false},         {"ADDED p50/p99", cell_latency, false},
               {"MODEL", cell_expected, false},      {"Z", cell_z, false},
               {"$/1M CALLS", cell_million, false},  {"$/MONTH", cell_month, false},
               {"OPERATIONS", cell_operations, true}};

/* ---- sentences around the table ---- */

static bool is_shown(const struct json *limiter, bool all)
{
    return all || number(limiter, "requests") > 0;
}

static void add_window(const struct json *limiter, struct gw_buf *out)
{
    double ms = number(limiter, "windowMs");
    gw_buf_printf(out, "%.*s: %.0f in ",
                  GW_STR_ARG(gw_str_first(json_str(json_get(limiter, "name")), 64)),
                  number(limiter, "maxRequests"));
    gw_buf_printf(out, (uint64_t)ms % 1000 ? "%.0f ms" : "%.0f s",
                  (uint64_t)ms % 1000 ? ms : ms / 1000);
}

/* "40 calls in 1 window at 2 edges, 4 isolates in turn, since 2026-11-24T11:00:00Z; exact: 15" */
static void add_traffic(const struct json *limiter, struct gw_buf *out)
{
    char since[DATE_ISO_LEN];
    double windows = number(limiter, "windows"), edges = number(limiter, "edges");
    date_format_iso((int64_t)number(limiter, "firstMs"), since);
    gw_buf_printf(out, "%.0f calls", number(limiter, "requests"));
    if (number(limiter, "requests") > 0) {
        gw_buf_printf(out, " in %.0f window%s", windows, windows == 1 ? "" : "s");
        gw_buf_printf(out, " at %.0f edge%s, %.0f isolates %s, since %.*s; exact: %.0f", edges,
                      edges == 1 ? "" : "s", number(limiter, "isolates"),
                      is_true(limiter, "inTurn") ? "in turn" : "at random", (int)sizeof(since),
                      since, number(limiter, "exact"));
    }
    if (pending(limiter) > 0)
        gw_buf_printf(out, "; up to %.0f verdicts pending", pending(limiter));
    if (number(limiter, "skipped") > 0)
        gw_buf_printf(out, "; %.0f more were not compared", number(limiter, "skipped"));
}

static void add_legend(const struct json *answer, struct gw_buf *out)
{
    const struct json *prices = json_get(json_get(answer, "data"), "prices");
    gw_buf_printf(out, "* enforces. OVER against the exact count. List prices of %.*s, a month of",
                  GW_STR_ARG(gw_str_first(json_str(json_get(prices, "date")), 16)));
    gw_buf_add(out, GW_STR(" 30 days at the measured rate; ? no published price."));
}

/* ---- text ---- */

/* Columns, not bytes: "±" is two bytes and one column. */
static size_t width_of(struct gw_str text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return width;
}

static size_t column_width(const struct column *c, const struct json *stores)
{
    char space[CELL_MAX];
    size_t width = strlen(c->title);
    for (const struct json *s = json_first(stores); s; s = json_next(s)) {
        struct gw_buf cell = gw_buf_over(space, sizeof(space));
        c->cell(s, &cell);
        size_t own = width_of(gw_buf_str(&cell));
        width = own > width ? own : width;
    }
    return width;
}

static void add_cell(const struct column *c, struct gw_str text, size_t width, struct gw_buf *out)
{
    int pad = (int)(width - width_of(text));
    bool last = c == &columns[GW_COUNT(columns) - 1];
    gw_buf_printf(out, "%s%*s%.*s%*s", c == columns ? "" : "  ", c->left ? 0 : pad, "",
                  GW_STR_ARG(text), c->left && !last ? pad : 0, "");
}

static void text_table(const struct json *stores, struct gw_buf *out)
{
    char space[CELL_MAX];
    size_t widths[GW_COUNT(columns)];
    for (size_t i = 0; i < GW_COUNT(columns); i++) {
        widths[i] = column_width(&columns[i], stores);
        add_cell(&columns[i], gw_str_z(columns[i].title), widths[i], out);
    }
    gw_buf_char(out, '\n');
    for (const struct json *s = json_first(stores); s; s = json_next(s)) {
        for (size_t i = 0; i < GW_COUNT(columns); i++) {
            struct gw_buf cell = gw_buf_over(space, sizeof(space));
            columns[i].cell(s, &cell);
            add_cell(&columns[i], gw_buf_str(&cell), widths[i], out);
        }
        gw_buf_char(out, '\n');
    }
}

void matrix_text(const struct json *answer, bool all, struct gw_buf *out)
{
    size_t shown = 0;
    for (const struct json *l = json_first(matrix_limiters(answer)); l; l = json_next(l)) {
        if (!is_shown(l, all) || shown == MATRIX_ROWS_MAX)
            continue;
        shown++;
        add_window(l, out);
        gw_buf_add(out, GW_STR("; "));
        add_traffic(l, out);
        gw_buf_char(out, '\n');
        text_table(json_get(l, "stores"), out);
    }
    if (!shown)
        return;
    add_legend(answer, out);
    gw_buf_char(out, '\n');
}

/* ---- HTML ---- */

static void html_table(const struct json *stores, struct gw_buf *out)
{
    char space[CELL_MAX];
    gw_buf_add(out, GW_STR("<div class=\"wide\"><table><tr>"));
    for (size_t i = 0; i < GW_COUNT(columns); i++)
        gw_buf_printf(out, "<th>%s</th>", columns[i].title);
    gw_buf_add(out, GW_STR("</tr>\n"));
    for (const struct json *s = json_first(stores); s; s = json_next(s)) {
        gw_buf_add(out, GW_STR("<tr>"));
        for (size_t i = 0; i < GW_COUNT(columns); i++) {
            struct gw_buf cell = gw_buf_over(space, sizeof(space));
            columns[i].cell(s, &cell);
            gw_buf_add(out, GW_STR("<td>"));
            report_add_escaped(gw_buf_str(&cell), out);
            gw_buf_add(out, GW_STR("</td>"));
        }
        gw_buf_add(out, GW_STR("</tr>\n"));
    }
    gw_buf_add(out, GW_STR("</table></div>\n"));
}

void matrix_html(const struct json *answer, struct gw_buf *out)
{
    char space[512];
    size_t shown = 0;
    for (const struct json *l = json_first(matrix_limiters(answer)); l; l = json_next(l)) {
        if (!is_shown(l, false) || shown == MATRIX_ROWS_MAX)
            continue;
        gw_buf_add(out, shown++ ? GW_STR_EMPTY : GW_STR("<h2>Limiter matrix</h2>\n"));
        struct gw_buf words = gw_buf_over(space, sizeof(space));
        add_window(l, &words);
        gw_buf_add(&words, GW_STR("; "));
        add_traffic(l, &words);
        gw_buf_add(out, GW_STR("<p>"));
        report_add_escaped(gw_buf_str(&words), out);
        gw_buf_add(out, GW_STR("</p>\n"));
        html_table(json_get(l, "stores"), out);
    }
    if (!shown)
        return;
    struct gw_buf words = gw_buf_over(space, sizeof(space));
    add_legend(answer, &words);
    gw_buf_add(out, GW_STR("<p class=\"dim\">"));
    report_add_escaped(gw_buf_str(&words), out);
    gw_buf_add(out, GW_STR("</p>\n"));
}
