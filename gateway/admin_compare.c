/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /api/admin/rate-limits/compare[?name=]: what several stores said about the same
 * traffic (limiter/matrix.h), what the model expected, and what each would cost. The numbers as
 * metrics, too. Shapes are those of the app's own admin routes. */
#include <math.h>

#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/server.h"
#include "limiter/matrix.h"
#include "limiter/model.h"
#include "limiter/prices.h"

#define MONTH_S       (30 * 86400.0)
#define EXTRAPOLATE_S 1.0 /* of traffic at least, or its rate says nothing */

/* One limiter's table while it is written. */
struct sheet {
    struct gw_buf *out;
    const struct limiter *limiter;
    const struct config_limiter *settings;
    const struct prices *prices;
    const struct matrix_counts *counts;
    struct model_traffic traffic;
    double rate; /* calls a second; 0: unknown */
};

/* ---- which limiters ---- */

static bool is_first_of_its_name(const struct snapshot *s, size_t zone, struct gw_str name)
{
    for (size_t i = 0; i < zone; i++)
        if (s->zones[i].limiters && limiter_policy_find(s->zones[i].limiters, name))
            return false;
    return true;
}

typedef void take_limiter(void *ctx, const struct limiter *limiter);

/* Those that compare (of this name, when it is not empty), each name once, as admin_limits_state
 * lists them. */
static void each_comparing(const struct snapshot *s, struct gw_str name, take_limiter *take,
                           void *ctx)
{
    for (size_t i = 0; i < s->zone_count; i++) {
        size_t count = 0;
        const struct limiter *all =
            s->zones[i].limiters ? limiter_policy_limiters(s->zones[i].limiters, &count) : NULL;
        for (size_t k = 0; k < count; k++)
            if (all[k].compare && (!name.len || gw_str_eq(all[k].name, name)) &&
                is_first_of_its_name(s, i, all[k].name))
                take(ctx, &all[k]);
    }
}

static struct gw_str name_asked(const struct admin_call *call)
{
    struct gw_str name;
    return admin_query(call, GW_STR("name"), &name) ? name : GW_STR_EMPTY;
}

static bool judges(const struct limiter *limiter, unsigned store)
{
    return store == limiter->store || limiter->compare & UINT32_C(1) << store;
}

/* ---- numbers ---- */

static void number(struct gw_buf *out, const char *name, double value)
{
    if (isfinite(value))
        gw_buf_printf(out, ",\"%s\":%.6g", name, value);
    else
        gw_buf_printf(out, ",\"%s\":null", name);
}

static void count(struct gw_buf *out, const char *name, uint64_t value)
{
    gw_buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static double mean(uint64_t sum, uint64_t n)
{
    return n ? (double)sum / (double)n : 0;
}

/* ---- one store ---- */

static void add_verdicts(const struct sheet *t, const struct matrix_column *c)
{
    const struct matrix_counts *all = t->counts;
    count(t->out, "admitted", c->admitted);
    count(t->out, "refused", c->refused);
    count(t->out, "errors", c->failed);
    count(t->out, "pending",
          all->arrivals - gw_min_u64(all->arrivals, c->admitted + c->refused + c->failed));
    gw_buf_printf(t->out, ",\"overAdmitted\":%lld", (long long)(c->admitted - all->exact));
    if (c->windows_refusing)
        gw_buf_printf(t->out, ",\"firstRefusal\":{\"least\":%u,\"mean\":%.6g}", c->first_refusal,
                      mean(c->first_refusals, c->windows_refusing));
    else
        gw_buf_add(t->out, GW_STR(",\"firstRefusal\":null"));
    gw_buf_printf(t->out, ",\"mixedZone\":{\"most\":%u,\"mean\":%.6g}", c->mixed_max,
                  mean(c->mixed, all->windows));
    gw_buf_printf(t->out, ",\"latencyMs\":{\"p50\":%u,\"p99\":%u,\"sum\":%llu}",
                  matrix_wait_at(c, 50), matrix_wait_at(c, 99), (unsigned long long)c->waited_ms);
}

static void add_model(const struct sheet *t, enum limiter_store store)
{
    const struct model_store how = {
        .store = store,
        .kv = kv_settings_of(t->settings, t->limiter),
        .requests_per_second = t->settings->durable_object.requests_per_second,
    };
    double z, seen = (double)t->counts->columns[store].admitted;
    struct model_prediction p = model_predict_windows(&t->traffic, &how, t->counts->reached);
    if (!p.row) {
        gw_buf_add(t->out, GW_STR(",\"model\":null"));
        return;
    }
    bool comparable = model_z(seen, p.expected, p.deviation, &z);
    gw_buf_printf(t->out, ",\"model\":{\"row\":%u,\"says\":", p.row);
    gw_buf_json(t->out, gw_str_z(p.says));
    number(t->out, "expected", p.expected);
    number(t->out, "deviation", p.deviation);
    number(t->out, "z", comparable ? z : NAN);
    gw_buf_char(t->out, '}');
}

/* What the verdicts so far have used. A Durable Object is asked, and reads its row, for every call;
 * whether refused writes of KV are billed is not published, so they are counted and not priced. */
static struct price_usage usage_of(const struct sheet *t, enum limiter_store store)
{
    const struct matrix_column *c = &t->counts->columns[store];
    double calls = (double)(c->admitted + c->refused + c->failed);
    struct price_usage u = {{0}};
    switch (store) {
    case LIMITER_KV:
        u.units[PRICE_KV_READ] = (double)c->kv_reads;
        u.units[PRICE_KV_WRITE] = (double)c->kv_writes;
        break;
    case LIMITER_DURABLE_OBJECT:
        u.units[PRICE_DO_REQUEST] = calls;
        u.units[PRICE_DO_GB_S] = calls * t->prices->object_gb_s;
        u.units[PRICE_DO_ROW_READ] = calls;
        u.units[PRICE_DO_ROW_WRITTEN] = (double)c->admitted;
        break;
    case LIMITER_BINDING:
        u.units[PRICE_BINDING_CALL] = calls;
        break;
    case LIMITER_MEMORY:
        break;
    }
    return u;
}

static struct price_usage times(struct price_usage u, double factor)
{
    for (size_t i = 0; i < PRICE_UNITS; i++)
        u.units[i] *= factor;
    return u;
}

static void add_cost(const struct sheet *t, enum limiter_store store)
{
    const struct matrix_column *c = &t->counts->columns[store];
    double calls = (double)(c->admitted + c->refused + c->failed);
    struct price_usage used = usage_of(t, store);
    gw_buf_add(t->out, GW_STR(",\"operations\":{"));
    const char *comma = "";
    for (size_t i = 0; i < PRICE_UNITS; i++) {
        if (used.units[i] <= 0)
            continue;
        gw_buf_printf(t->out, "%s\"%s\":%.10g", comma, price_unit_name((enum price_unit)i),
                      used.units[i]);
        comma = ",";
    }
    if (c->kv_refused)
        gw_buf_printf(t->out, "%s\"kv_write_refused\":%llu", comma,
                      (unsigned long long)c->kv_refused);
    struct price_usage million = times(used, calls > 0 ? 1e6 / calls : 0);
    struct price_usage month = times(used, calls > 0 ? t->rate * MONTH_S / calls : 0);
    gw_buf_add(t->out, GW_STR("},\"usd\":{\"confirmed\":"));
    gw_buf_add(t->out, store == LIMITER_BINDING ? GW_STR("false") : GW_STR("true"));
    number(t->out, "perMillionCalls", calls > 0 ? price_of(t->prices, &million) : NAN);
    number(t->out, "perMonth", t->rate > 0 ? price_of_month(t->prices, &month) : NAN);
    gw_buf_char(t->out, '}');
}

static void add_store(const struct sheet *t, enum limiter_store store)
{
    gw_buf_printf(t->out, "{\"store\":\"%s\",\"enforces\":%s", limiter_store_name(store),
                  store == t->limiter->store ? "true" : "false");
    add_verdicts(t, &t->counts->columns[store]);
    add_model(t, store);
    add_cost(t, store);
    gw_buf_char(t->out, '}');
}

/* ---- one limiter ---- */

static void add_traffic(const struct sheet *t)
{
    const struct matrix_counts *c = t->counts;
    gw_buf_add(t->out, GW_STR("{\"name\":"));
    gw_buf_json(t->out, t->limiter->name);
    count(t->out, "maxRequests", t->limiter->rule.limit);
    count(t->out, "windowMs", t->limiter->rule.window_ms);
    gw_buf_printf(t->out, ",\"store\":\"%s\"", limiter_store_name(t->limiter->store));
    count(t->out, "firstMs", c->first_ms);
    count(t->out, "lastMs", c->last_ms);
    count(t->out, "requests", c->arrivals);
    count(t->out, "skipped", c->skipped);
    count(t->out, "windows", c->windows);
    count(t->out, "exact", c->exact);
    count(t->out, "edges", c->edges);
    count(t->out, "isolates", c->places);
    gw_buf_printf(t->out, ",\"inTurn\":%s", c->in_turn ? "true" : "false");
    number(t->out, "perSecond", t->rate > 0 ? t->rate : NAN);
}

static void add_limiter(struct sheet *t)
{
    const struct matrix_counts *c = t->counts;
    double seconds = (double)(c->last_ms - c->first_ms) / 1000;
    t->rate = seconds >= EXTRAPOLATE_S ? (double)(c->arrivals - 1) / seconds : 0;
    t->traffic = (struct model_traffic){
        .rule = t->limiter->rule,
        .edges = c->edges,
        .places = c->places,
        .in_turn = c->in_turn,
        .span_s = mean(c->span_ms, c->windows) / 1000,
    };
    add_traffic(t);
    gw_buf_add(t->out, GW_STR(",\"stores\":["));
    const char *comma = "";
    for (unsigned store = 0; store < LIMITER_STORES; store++) {
        if (!judges(t->limiter, store))
            continue;
        gw_buf_add(t->out, gw_str_z(comma));
        add_store(t, (enum limiter_store)store);
        comma = ",";
    }
    gw_buf_add(t->out, GW_STR("]}"));
}

/* ---- GET ---- */

struct listing {
    struct admin_call *call;
    struct prices prices;
    struct matrix_counts *counts; /* scratch: too large for a stack */
    bool any;
};

static void list(void *ctx, const struct limiter *limiter)
{
    struct listing *l = ctx;
    struct matrix_tally *tally =
        matrix_find(limiter_world_matrix(l->call->server->limiter), limiter);
    if (tally)
        matrix_read(tally, l->counts);
    else
        *l->counts = (struct matrix_counts){0};
    struct sheet sheet = {
        .out = &l->call->out,
        .limiter = limiter,
        .settings = &admin_snapshot(l->call)->config->limiter,
        .prices = &l->prices,
        .counts = l->counts,
    };
    gw_buf_add(&l->call->out, l->any ? GW_STR(",") : GW_STR_EMPTY);
    add_limiter(&sheet);
    l->any = true;
}

enum admin_result admin_compare_get(struct admin_call *call)
{
    struct listing l = {.call = call, .prices = prices_built_in()};
    l.counts = gw_alloc(sizeof(*l.counts));
    gw_buf_printf(&call->out,
                  "{\"success\":true,\"data\":{\"nowMs\":%llu,\"prices\":{\"date\":\"%s\","
                  "\"currency\":\"USD\"},\"limiters\":[",
                  (unsigned long long)call->exchange->now.wall_ms, l.prices.date);
    each_comparing(admin_snapshot(call), name_asked(call), list, &l);
    gw_buf_add(&call->out, GW_STR("]}}"));
    free(l.counts);
    return ADMIN_DONE;
}

/* ---- DELETE ---- */

static void clear(void *ctx, const struct limiter *limiter)
{
    struct listing *l = ctx;
    struct matrix_tally *tally =
        matrix_find(limiter_world_matrix(l->call->server->limiter), limiter);
    l->any = true;
    if (tally)
        matrix_clear(tally);
}

enum admin_result admin_compare_clear(struct admin_call *call)
{
    struct listing l = {.call = call};
    each_comparing(admin_snapshot(call), name_asked(call), clear, &l);
    gw_buf_printf(&call->out, "{\"success\":true,\"data\":{\"ok\":%s}}", l.any ? "true" : "false");
    return ADMIN_DONE;
}

/* ---- metrics ---- */

struct scrape {
    struct server *server;
    struct gw_buf *out;
    struct matrix_counts *counts;
    bool begun;
};

static void scrape_limiter(void *ctx, const struct limiter *limiter)
{
    struct scrape *s = ctx;
    struct matrix_tally *tally = matrix_find(limiter_world_matrix(s->server->limiter), limiter);
    if (!tally)
        return;
    if (!s->begun)
        gw_buf_add(s->out, GW_STR("# HELP nearedge_limiter_compared_total Verdicts of the stores "
                                  "that a limiter compares.\n"
                                  "# TYPE nearedge_limiter_compared_total counter\n"));
    s->begun = true;
    matrix_read(tally, s->counts);
    for (unsigned store = 0; store < LIMITER_STORES; store++) {
        const struct matrix_column *c = &s->counts->columns[store];
        const struct {
            const char *verdict;
            uint64_t count;
        } rows[] = {{"admit", c->admitted}, {"deny", c->refused}, {"error", c->failed}};
        for (size_t i = 0; judges(limiter, store) && i < GW_COUNT(rows); i++)
            gw_buf_printf(s->out,
                          "nearedge_limiter_compared_total{limiter=\"%.*s\",store=\"%s\","
                          "decision=\"%s\"} %llu\n",
                          GW_STR_ARG(limiter->name), limiter_store_name((enum limiter_store)store),
                          rows[i].verdict, (unsigned long long)rows[i].count);
    }
}

void admin_compare_metrics(struct admin_call *call)
{
    struct scrape s = {.server = call->server,
                       .out = &call->out,
                       .counts = gw_alloc(sizeof(struct matrix_counts))};
    each_comparing(admin_snapshot(call), GW_STR_EMPTY, scrape_limiter, &s);
    free(s.counts);
}
