/* SPDX-License-Identifier: Apache-2.0 */
/* The tree for people: the verdict on top, then the reasons in the order in which the edge comes to
 * them. Of an expression those parts are shown that settled it. */
#include "gateway/explain_view.h"

#define LABEL_WIDTH     13
#define COMPOSITE_WIDTH 72 /* of an expression whose parts follow below it */
#define LEAF_WIDTH_MAX  64 /* longer comparisons push their own value only */

struct page {
    const struct explain *e;
    struct gw_buf *out;
    bool all_parts, color;
};

enum look { PLAIN, BOLD, GREEN, DIM, YELLOW };

static void paint(const struct page *p, enum look look)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m", [BOLD] = "\033[1m",    [GREEN] = "\033[32m",
        [DIM] = "\033[2m",   [YELLOW] = "\033[33m",
    };
    if (p->color)
        gw_buf_add(p->out, gw_str_z(codes[look]));
}

static void add_painted(const struct page *p, enum look look, const char *text)
{
    paint(p, look);
    gw_buf_add(p->out, gw_str_z(text));
    paint(p, PLAIN);
}

static void pad(struct gw_buf *out, size_t used, size_t width)
{
    gw_buf_printf(out, "%*s", width > used ? (int)(width - used) : 0, "");
}

/* "  label        " */
static void label(const struct page *p, const char *name)
{
    gw_buf_printf(p->out, "  %-*s", LABEL_WIDTH, name);
}

/* Without what a terminal would obey. C1 controls (U+0080 to U+009F) are escapes of one character
 * there. */
static void add_plain(struct gw_buf *out, struct gw_str text)
{
    for (size_t n; text.len; text = gw_str_from(text, n ? n : 1)) {
        unsigned char c = (unsigned char)text.ptr[0];
        n = gw_utf8_length(text);
        bool control =
            c < 0x20 || c == 0x7f || (c == 0xc2 && n == 2 && (uint8_t)text.ptr[1] < 0xa0);
        gw_buf_add(out, n && !control ? gw_str_first(text, n) : GW_STR("?"));
    }
}

static void heading(const struct page *p, const char *name, struct gw_str of)
{
    gw_buf_char(p->out, '\n');
    paint(p, BOLD);
    gw_buf_add(p->out, gw_str_z(name));
    if (of.len)
        gw_buf_char(p->out, ' ');
    add_plain(p->out, of);
    paint(p, PLAIN);
    gw_buf_char(p->out, '\n');
}

/* ---- the request ---- */

static void add_normalised(const struct page *p, const char *name, struct gw_str text,
                           struct gw_str raw)
{
    label(p, name);
    add_plain(p->out, text);
    if (!gw_str_eq(text, raw)) {
        gw_buf_add(p->out, GW_STR("   (sent as "));
        add_plain(p->out, raw);
        gw_buf_char(p->out, ')');
    }
    gw_buf_char(p->out, '\n');
}

static void add_client(const struct page *p)
{
    const struct explain *e = p->e;
    label(p, "client");
    gw_buf_add(p->out, e->visit.ip_text);
    if (gw_ip_cmp(&e->peer, &e->visit.ip) != 0) {
        char peer[GW_IP_TEXT_MAX];
        gw_ip_format(&e->peer, peer);
        gw_buf_printf(p->out, "   (said by the trusted peer %s)", peer);
    }
    gw_buf_char(p->out, '\n');
    label(p, "edge");
    gw_buf_printf(p->out, "%.*s, country %.*s, isolate %u\n", GW_STR_ARG(e->visit.edge->name),
                  GW_STR_ARG(e->visit.country), e->isolate);
}

static void add_request(const struct page *p)
{
    const struct explain *e = p->e;
    const struct visit *v = &e->visit;
    heading(p, "Request", GW_STR_EMPTY);
    label(p, "host");
    add_plain(p->out, e->request.host.name);
    gw_buf_char(p->out, '\n');
    if (v->zone) {
        add_normalised(p, "path", v->path, e->request.url.path);
        if (e->request.url.query.len)
            add_normalised(p, "query", v->query, e->request.url.query);
    }
    add_client(p);
    label(p, "zone");
    if (!v->zone) {
        gw_buf_add(p->out, GW_STR("none\n"));
        return;
    }
    const struct config_zone *zone = v->zone->config;
    gw_buf_printf(p->out, "%.*s, plan %s, ", GW_STR_ARG(zone->name), config_plan_names[zone->plan]);
    destination_describe(&p->e->destination, p->out);
    gw_buf_char(p->out, '\n');
    if (zone->worker_first) {
        label(p, "");
        gw_buf_add(p->out, GW_STR("a Worker stands before the cache: no CF-Cache-Status\n"));
    }
}

/* ---- rules ---- */

/* A part is shown whole only where nothing below it says the same again. */
static bool is_leaf(const struct explain_rule *r, size_t at)
{
    return at + 1 == r->part_count || r->parts[at + 1].depth <= r->parts[at].depth;
}

static bool is_shown(const struct page *p, const struct explain_part *part)
{
    return p->all_parts || part->decided;
}

static size_t shown_width(const struct explain_rule *r, size_t at)
{
    size_t width = r->parts[at].text.len;
    return 2 * (size_t)r->parts[at].depth +
           (is_leaf(r, at) ? width : gw_min_size(width, COMPOSITE_WIDTH));
}

/* The column in which values begin: behind the widest comparison that is not too wide. */
static size_t value_column(const struct page *p, const struct explain_rule *r)
{
    size_t column = 0;
    for (size_t i = 0; i < r->part_count; i++) {
        size_t width = shown_width(r, i);
        if (is_shown(p, &r->parts[i]) && r->parts[i].comparison && width > column &&
            width <= LEAF_WIDTH_MAX)
            column = width;
    }
    return column;
}

static void add_part(const struct page *p, const struct explain_rule *r, size_t at, size_t column)
{
    const struct explain_part *part = &r->parts[at];
    struct gw_str text = part->text;
    bool cut = !is_leaf(r, at) && text.len > COMPOSITE_WIDTH;
    gw_buf_add(p->out, GW_STR("       "));
    add_painted(p,
                part->value     ? GREEN
                : part->decided ? YELLOW
                                : DIM,
                part->value ? "true   " : "false  ");
    pad(p->out, 0, 2 * (size_t)part->depth);
    add_plain(p->out, cut ? gw_str_first(text, COMPOSITE_WIDTH - 3) : text);
    if (cut)
        gw_buf_add(p->out, GW_STR("..."));
    if (part->comparison) {
        pad(p->out, shown_width(r, at), column);
        gw_buf_add(p->out, part->missing ? GW_STR("   has no value") : GW_STR("   is "));
        add_plain(p->out, part->missing ? GW_STR_EMPTY : part->left);
    }
    gw_buf_char(p->out, '\n');
}

/* "       counts   203.0.113.7 at FRA: 3 of 5 in 10 s" */
static void add_rate(const struct page *p, const struct explain_rule *r)
{
    const struct rate_limit *limit = r->rule->rate;
    const struct rate_look *look = &r->rate->look;
    gw_buf_add(p->out, GW_STR("       counts  "));
    add_plain(p->out, r->rate->values);
    gw_buf_printf(p->out, "%sat %.*s: ", r->rate->values.len ? " " : "",
                  GW_STR_ARG(p->e->visit.edge->name));
    if (r->rate->counted)
        gw_buf_printf(p->out, "%llu of ", (unsigned long long)look->now.count);
    gw_buf_printf(p->out, "%llu%s in %llu s", (unsigned long long)limit->limit,
                  limit->score_header.len ? " points" : "",
                  (unsigned long long)limit->period_ms / 1000);
    gw_buf_add(p->out, limit->moment == RATE_AT_ORIGIN     ? GW_STR(", when the origin is asked")
                       : limit->moment == RATE_AT_RESPONSE ? GW_STR(", with the response")
                                                           : GW_STR_EMPTY);
    if (look->next.over)
        gw_buf_printf(p->out, "; then %.*s", GW_STR_ARG(r->rule->action));
    gw_buf_char(p->out, '\n');
}

static void add_rule(const struct page *p, const struct explain_rule *r)
{
    const char *word = r->matched ? "match" : r->evaluated ? "-" : !r->rule->enabled ? "off" : "?";
    gw_buf_add(p->out, GW_STR("  "));
    add_painted(p, r->matched ? GREEN : DIM, word);
    pad(p->out, strlen(word), 7);
    explain_rule_name(r, p->out);
    if (!r->evaluated && r->rule->enabled)
        gw_buf_add(p->out, GW_STR("   (needs the origin's response)"));
    gw_buf_char(p->out, '\n');
    size_t column = value_column(p, r);
    for (size_t i = 0; i < r->part_count; i++)
        if (is_shown(p, &r->parts[i]))
            add_part(p, r, i, column);
    if (r->rate)
        add_rate(p, r);
}

static void add_phase(const struct page *p, const struct explain_phase *phase)
{
    const struct ruleset_info *info = ruleset_info(phase->ruleset);
    heading(p, "Phase", info->phase_name);
    gw_buf_add(p->out, GW_STR("  ruleset "));
    gw_buf_json(p->out, info->name.len          ? info->name
                        : info->description.len ? info->description
                                                : info->id);
    gw_buf_printf(p->out, ", %zu of %zu rules match", phase->matched, phase->rule_count);
    gw_buf_add(p->out, phase->simulated ? GW_STR("\n")
                                        : GW_STR("; accepted but not simulated: no effect here\n"));
    for (size_t i = 0; i < phase->rule_count; i++)
        add_rule(p, &phase->rules[i]);
}

static void add_settings(const struct page *p)
{
    const struct explain *e = p->e;
    size_t width = 0;
    heading(p, "Cache settings", GW_STR_EMPTY);
    if (!e->setting_count)
        gw_buf_add(p->out, GW_STR("  none: no rule that matched sets any\n"));
    for (size_t i = 0; i < e->setting_count; i++) {
        size_t len = strlen(cache_setting_name(e->settings[i].key));
        width = len > width ? len : width;
    }
    for (size_t i = 0; i < e->setting_count; i++) {
        const struct explain_setting *s = &e->settings[i];
        gw_buf_printf(p->out, "  %-*s  ", (int)width, cache_setting_name(s->key));
        if (s->value)
            json_write(s->value, p->out);
        gw_buf_add(p->out, GW_STR("   from rule "));
        explain_rule_name(s->rule, p->out);
        if (!cache_setting_simulated(s->key))
            add_painted(p, YELLOW, "   accepted but not simulated");
        gw_buf_char(p->out, '\n');
    }
}

/* ---- limiter and cache ---- */

static void add_limiter(const struct page *p)
{
    const struct explain_limit *limit = &p->e->limit;
    if (!p->e->visit.zone->limiters)
        return;
    heading(p, "Limiter", GW_STR_EMPTY);
    if (p->e->check) {
        label(p, "app");
        gw_buf_printf(p->out, "403 %s: %s\n",
                      p->e->check_behind_limiter ? "behind the limiter" : "before it is counted",
                      app_check_text(p->e->check));
    }
    if (!limit->limiter) {
        gw_buf_add(p->out, limit->route ? GW_STR("  none: the route is exempt\n")
                                        : GW_STR("  none: no route fits\n"));
        return;
    }
    const struct limiter *limiter = limit->limiter;
    label(p, "name");
    gw_buf_printf(p->out, "%.*s: %u in %llu ms, store %s, mode %s\n", GW_STR_ARG(limiter->name),
                  limiter->rule.limit, (unsigned long long)limiter->rule.window_ms,
                  explain_store_name(limiter->store), explain_mode_name(limiter->mode));
    label(p, "route");
    add_plain(p->out, limit->route->path);
    gw_buf_char(p->out, '\n');
    label(p, "key");
    gw_buf_json(p->out, limit->key);
    gw_buf_char(p->out, '\n');
    if (limit->counted) {
        label(p, "count");
        gw_buf_printf(p->out, "%llu of %u\n", (unsigned long long)limit->count,
                      limiter->rule.limit);
    }
}

static void add_cache(const struct page *p)
{
    const struct explain *e = p->e;
    heading(p, "Cache", GW_STR_EMPTY);
    label(p, "eligible");
    add_painted(p, e->eligibility.eligible ? GREEN : YELLOW,
                e->eligibility.eligible ? "yes" : "no");
    gw_buf_printf(p->out, ": %.*s\n", GW_STR_ARG(cache_reason_text(e->eligibility.reason)));
    if (!e->eligibility.eligible)
        return;
    struct gw_str rest = gw_buf_str(&e->key), line;
    const char *name = "key";
    while (gw_str_next(&rest, '\n', &line)) {
        if (!line.len)
            continue;
        label(p, name);
        add_plain(p->out, line);
        gw_buf_char(p->out, '\n');
        name = "";
    }
}

void explain_text(const struct explain *e, bool all_parts, bool color, struct gw_buf *out)
{
    const struct page page = {e, out, all_parts, color}, *p = &page;
    paint(p, BOLD);
    add_plain(out, e->request.method.len ? e->request.method : GW_STR("?"));
    gw_buf_char(out, ' ');
    add_plain(out, e->url);
    paint(p, PLAIN);
    gw_buf_char(out, '\n');
    explain_verdict(e, out);
    gw_buf_char(out, '\n');
    add_request(p);
    if (!e->visit.zone)
        return;
    for (size_t i = 0; i < e->phase_count; i++)
        add_phase(p, &e->phases[i]);
    if (e->parts_cut)
        gw_buf_add(out, GW_STR("  (there are more parts of expressions than are shown)\n"));
    if (e->visit.zone->cache_rules)
        add_settings(p);
    add_limiter(p);
    add_cache(p);
}
