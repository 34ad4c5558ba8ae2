/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /api/admin/rate-limits/compare[?name=]: what several stores said about the same
 * traffic (limiter/matrix.h), what the model expected, and what each would cost. The numbers as
 * metrics, too. Shapes are those of the app's own admin routes. */
#include <math.h>

#include "gateway/admin_route.h"
#include "gateway/base/json_out.h"
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
    gw_json_name(out, name);
    if (isfinite(value))
        gw_buf_printf(out, "%.6g", value);
    else
        gw_buf_add(out, GW_STR("null"));
}

static double mean(uint64_t sum, uint64_t n)
{
    return n ? (double)sum / (double)n : 0;
}

/* ---- one store ---- */

static void add_verdicts(const struct sheet *t, const struct matrix_column *c)
{
    const struct matrix_counts *all = t->counts;
    gw_json_u64(t->out, "admitted", c->admitted);
    gw_json_u64(t->out, "refused", c->refused);
    gw_json_u64(t->out, "errors", c->failed);
    gw_json_u64(t->out, "pending",
                all->arrivals - gw_min_u64(all->arrivals, c->admitted + c->refused + c->failed));
    gw_json_name(t->out, "overAdmitted");
    gw_buf_printf(t->out, "%lld", (long long)(c->admitted - all->exact));
    if (c->windows_refusing)
        gw_buf_printf(t->out, ",\"firstRefusal\":{\"least\":%u,\"mean\":%.6g}", c->first_refusal,
                      mean(c->first_refusals, c->windows_refusing));
    else
        gw_json_null(t->out, "firstRefusal");
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
        gw_json_null(t->out, "model");
        return;
    }
    bool comparable = model_z(seen, p.expected, p.deviation, &z);
    gw_json_object(t->out, "model");
    gw_json_u64(t->out, "row", p.row);
    gw_json_text(t->out, "says", gw_str_z(p.says));
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
    gw_json_object(t->out, "operations");
    for (size_t i = 0; i < PRICE_UNITS; i++) {
        if (used.units[i] <= 0)
            continue;
        gw_json_name(t->out, price_unit_name((enum price_unit)i));
        gw_buf_printf(t->out, "%.10g", used.units[i]);
    }
    if (c->kv_refused)
        gw_json_u64(t->out, "kv_write_refused", c->kv_refused);
    gw_buf_char(t->out, '}');
    struct price_usage million = times(used, calls > 0 ? 1e6 / calls : 0);
    struct price_usage month = times(used, calls > 0 ? t->rate * MONTH_S / calls : 0);
    gw_json_object(t->out, "usd");
    gw_json_bool(t->out, "confirmed", store != LIMITER_BINDING);
    number(t->out, "perMillionCalls", calls > 0 ? price_of(t->prices, &million) : NAN);
    number(t->out, "perMonth", t->rate > 0 ? price_of_month(t->prices, &month) : NAN);
    gw_buf_char(t->out, '}');
}

static void add_store(const struct sheet *t, enum limiter_store store)
{
    gw_json_object(t->out, NULL);
    gw_json_text(t->out, "store", gw_str_z(limiter_store_name(store)));
    gw_json_bool(t->out, "enforces", store == t->limiter->store);
    add_verdicts(t, &t->counts->columns[store]);
    add_model(t, store);
    add_cost(t, store);
    gw_buf_char(t->out, '}');
}

/* ---- one limiter ---- */

static void add_traffic(const struct sheet *t)
{
    const struct matrix_counts *c = t->counts;
    gw_json_object(t->out, NULL);
    gw_json_text(t->out, "name", t->limiter->name);
    gw_json_u64(t->out, "maxRequests", t->limiter->rule.limit);
    gw_json_u64(t->out, "windowMs", t->limiter->rule.window_ms);
    gw_json_text(t->out, "store", gw_str_z(limiter_store_name(t->limiter->store)));
    gw_json_u64(t->out, "firstMs", c->first_ms);
    gw_json_u64(t->out, "lastMs", c->last_ms);
    gw_json_u64(t->out, "requests", c->arrivals);
    gw_json_u64(t->out, "skipped", c->skipped);
    gw_json_u64(t->out, "windows", c->windows);
    gw_json_u64(t->out, "exact", c->exact);
    gw_json_u64(t->out, "edges", c->edges);
    gw_json_u64(t->out, "isolates", c->places);
    gw_json_bool(t->out, "inTurn", c->in_turn);
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
    gw_json_list(t->out, "stores");
    for (unsigned store = 0; store < LIMITER_STORES; store++)
        if (judges(t->limiter, store))
            add_store(t, (enum limiter_store)store);
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
    add_limiter(&sheet);
}

enum admin_result admin_compare_get(struct admin_call *call)
{
    struct listing l = {.call = call, .prices = prices_built_in()};
    l.counts = gw_alloc(sizeof(*l.counts));
    gw_buf_printf(&call->out,
                  "{\"success\":true,\"data\":{\"nowMs\":%llu,\"prices\":{\"date\":\"%s\","
                  "\"currency\":\"USD\"},\"limiters\":[",
                  (unsigned long long)call->exchange->now.date_ms, l.prices.date);
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
