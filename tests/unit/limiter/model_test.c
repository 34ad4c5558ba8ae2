/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests get in: the simulated stores against the model of spec/limiter.md (c), row by
 * row. Requests for one key arrive at random, rate R over all edges, and each edge is as likely as
 * the next; every figure is a mean over many seeded runs, so it is the same each time. */
#include "limiter/limiter.h"

#include "tests/unit/limiter/world_fixture.h"

#define LIMIT     15
#define WINDOW_S  60
#define CALLS_MAX 16384

static struct call calls[CALLS_MAX];

/* ---- one run ---- */

struct run {
    const struct limiter *limiter;
    unsigned edges, isolates; /* of each edge */
    double rate;              /* of all, a second */
    uint64_t duration_s;
    double isolate_life_s; /* mean, 0: for ever */
    bool round_robin;
};

struct outcome {
    double admitted, denied, failed;
    double first_deny_s, first_deny, last_admit; /* the latter two by number, from 1 */
};

static bool happens(struct gw_rng *rng, double chance)
{
    return (double)(gw_rng_next(rng) >> 11) < chance * (double)(UINT64_C(1) << 53);
}

static struct limiter_place place_of(unsigned edge, uint32_t isolate)
{
    static char names[64][4];
    snprintf(names[edge], sizeof(names[edge]), "E%02u", edge & 63);
    return (struct limiter_place){gw_str(names[edge], 3), isolate};
}

/* How many arrive in a millisecond when `mean` do on average: Poisson, by inversion. */
static unsigned arriving(struct gw_rng *rng, double mean)
{
    double u = (double)(gw_rng_next(rng) >> 11) / (double)(UINT64_C(1) << 53);
    double chance = 1 - mean + mean * mean / 2 - mean * mean * mean / 6; /* of none: e^-mean */
    unsigned n = 0;
    while (u >= chance && n < 8) {
        u -= chance;
        chance *= mean / ++n;
    }
    return n;
}

struct arrivals {
    struct gw_rng rng;
    uint32_t generation[256]; /* of each isolate, by place number: a new one is another isolate */
    uint64_t at_ms[CALLS_MAX];
    size_t count;
};

static struct limiter_place next_place(const struct run *r, struct arrivals *a)
{
    unsigned places = r->edges * r->isolates;
    unsigned n = (unsigned)(r->round_robin ? a->count % places : gw_rng_below(&a->rng, places));
    return place_of(n % r->edges, n / r->edges + a->generation[n] * r->isolates);
}

static void recycle_isolates(const struct run *r, struct arrivals *a)
{
    for (unsigned n = 0; r->isolate_life_s > 0 && n < r->edges * r->isolates; n++)
        a->generation[n] += happens(&a->rng, 0.001 / r->isolate_life_s);
}

static void arrive(struct world *w, const struct run *r, struct arrivals *a, const char *key)
{
    for (uint64_t ms = 0; ms < r->duration_s * 1000; ms++) {
        recycle_isolates(r, a);
        for (unsigned n = arriving(&a->rng, r->rate / 1000); n > 0; n--) {
            assert_true(a->count < CALLS_MAX);
            a->at_ms[a->count] = ms;
            world_ask(w, &calls[a->count], r->limiter, key, next_place(r, a));
            a->count++;
        }
        world_advance(w, 1);
    }
}

static struct outcome tally(const struct arrivals *a)
{
    struct outcome o = {0};
    for (size_t i = 0; i < a->count; i++) {
        enum limiter_outcome got = calls[i].verdict.outcome;
        o.admitted += got == LIMITER_ADMIT;
        o.denied += got == LIMITER_DENY;
        o.failed += got == LIMITER_ERROR;
        if (got == LIMITER_ADMIT)
            o.last_admit = (double)i + 1;
        if (got == LIMITER_DENY && o.first_deny == 0) {
            o.first_deny = (double)i + 1;
            o.first_deny_s = (double)a->at_ms[i] / 1000;
        }
    }
    return o;
}

static struct outcome run_once(struct world *w, const struct run *r, uint64_t seed)
{
    static struct arrivals a;
    static unsigned keys;
    char key[24];
    snprintf(key, sizeof(key), "k%u", keys++);
    a = (struct arrivals){.rng = {seed}};
    arrive(w, r, &a, key);
    world_advance(w, 2000); /* whatever is under way ends */
    world_settle(w);
    return tally(&a);
}

static struct outcome mean_of(struct world *w, const struct run *r, unsigned runs)
{
    struct outcome sum = {0};
    for (unsigned i = 0; i < runs; i++) {
        struct outcome o = run_once(w, r, 1000 + i);
        sum.admitted += o.admitted / runs;
        sum.denied += o.denied / runs;
        sum.failed += o.failed / runs;
        sum.first_deny += o.first_deny / runs;
        sum.first_deny_s += o.first_deny_s / runs;
        sum.last_admit += o.last_admit / runs;
    }
    return sum;
}

static void assert_near(const char *what, double got, double expect, double tolerance)
{
    double off = got > expect ? got - expect : expect - got;
    if (off > expect * tolerance)
        print_error("%s: got %.1f, expected %.1f within %.0f %%\n", what, got, expect,
                    tolerance * 100);
    assert_true(off <= expect * tolerance);
}

static struct limiter limiter_of(enum limiter_store store)
{
    return (struct limiter){.name = GW_STR("ai"),
                            .rule = {LIMIT, WINDOW_S * 1000},
                            .store = store,
                            .kv = kv_by_configuration};
}

/* ---- row 1: a strong store ---- */

static void a_strong_store_is_exact(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_DURABLE_OBJECT);
    for (double rate = 0.1; rate < 30; rate *= 3) {
        const struct run r = {&limiter, 4, 2, rate, WINDOW_S, 0, false};
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct outcome o = run_once(&w, &r, seed);
            double all = o.admitted + o.denied;
            assert_true(o.admitted <= LIMIT || all < LIMIT + 2);
            if (all > LIMIT + 2)
                assert_true(o.first_deny == LIMIT + 1 && o.last_admit <= LIMIT + 2);
        }
    }
    /* In the long run a window lasts until the first arrival after it. */
    const struct run r = {&limiter, 1, 1, 2, 3000, 0, false};
    assert_near("long run", run_once(&w, &r, 3).admitted, 3000 * LIMIT / (WINDOW_S + 0.5), 0.01);
    world_close(&w);
}

/* One admission opens the window; the rest of it and all of the next fit an interval of its length.
 */
static void no_interval_holds_more_than_two_limits_less_one(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_DURABLE_OBJECT);
    unsigned admitted = 0;
    world_ask(&w, &calls[0], &limiter, "k", place_of(0, 0));
    world_advance(&w, WINDOW_S * 1000 - 1);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 2 * LIMIT; i++) {
            world_ask(&w, &calls[0], &limiter, "k", place_of(0, 0));
            admitted += calls[0].verdict.outcome == LIMITER_ADMIT;
        }
        world_advance(&w, 1);
    }
    assert_int_equal(admitted, 2 * LIMIT - 1);
    world_close(&w);
}

/* ---- row 2: the memory of isolates ---- */

static void each_isolate_has_its_own_limit(void **state)
{
    (void)state;
    static const struct {
        unsigned edges, isolates;
        double rate, expect;
    } cases[] = {{2, 2, 1, 53.9}, {4, 4, 5, 233.3}, {8, 8, 20, 933.4}};
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_MEMORY);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct run r = {&limiter, cases[i].edges, cases[i].isolates, cases[i].rate, WINDOW_S,
                        0,        false};
        assert_near("isolates", mean_of(&w, &r, 30).admitted, cases[i].expect, 0.025);
        r.round_robin = true;
        r.rate *= 2; /* enough for all */
        double all = cases[i].edges * cases[i].isolates * LIMIT;
        assert_near("round robin", run_once(&w, &r, 1).admitted, all, 0);
    }
    /* Recycled isolates forget: K·L/(τ(1 − e^(−W/τ))) a second. */
    struct run r = {&limiter, 2, 2, 20, 600, 60, false};
    assert_near("life of 60 s", mean_of(&w, &r, 20).admitted, 949, 0.04);
    r.isolate_life_s = 30;
    assert_near("life of 30 s", mean_of(&w, &r, 20).admitted, 1388, 0.04);
    world_close(&w);
}

/* ---- rows 3 and 4: KV without a write limit ---- */

static void calls_race_within_an_edge(void **state)
{
    (void)state;
    static const struct {
        uint32_t read_ms, write_ms;
        double rate, expect;
    } cases[] = {{10, 40, 20, 30}, {50, 0, 100, 90}, {0, 200, 20, 75}};
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        w.settings.kv.read_ms = cases[i].read_ms;
        w.settings.kv.write_ms = cases[i].write_ms;
        const struct run r = {&limiter, 1, 4, cases[i].rate, WINDOW_S, 0, false};
        assert_near("race", mean_of(&w, &r, 30).admitted, cases[i].expect, 0.05);
    }
    world_close(&w);
}

/* Callers that come back after a pause; half of their cycle is the race. Their rate is c/cycle,
 * which makes L·(1 + c/2); the L·c/2 of spec/oracle.md is the same for many callers. */
static void callers_in_a_closed_loop(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    w.settings.kv.write_ms = 40;
    for (unsigned callers = 2; callers <= 16; callers *= 2) {
        char key[8];
        snprintf(key, sizeof(key), "c%u", callers);
        struct gw_rng rng = {callers};
        uint64_t next_ms[16];
        for (unsigned i = 0; i < callers; i++)
            next_ms[i] = gw_rng_below(&rng, 80);
        size_t asked = 0, admitted = 0;
        for (uint64_t ms = 0; asked < 200; ms++, world_advance(&w, 1))
            for (unsigned i = 0; i < callers && asked < 200; i++)
                if (next_ms[i] == ms) {
                    world_ask(&w, &calls[asked++], &limiter, key, place_of(0, 0));
                    next_ms[i] += 70 + gw_rng_below(&rng, 21);
                }
        world_advance(&w, 100);
        world_settle(&w);
        for (size_t i = 0; i < asked; i++)
            admitted += calls[i].verdict.outcome == LIMITER_ADMIT;
        assert_near("closed loop", (double)admitted, LIMIT * (1 + callers / 2.0), 0.05);
    }
    world_close(&w);
}

static void edges_live_on_copies(void **state)
{
    (void)state;
    static const struct {
        unsigned edges;
        double rate;
        uint32_t ttl_s;
        double low, high;
    } cases[] = {{4, 1, 60, 47, 60},     {4, 5, 60, 47, 60},    {4, 20, 60, 47, 60},
                 {2, 1, 60, 28, 35},     {2, 5, 60, 28, 35},    {2, 20, 60, 28, 35},
                 {16, 20, 60, 159, 175}, {16, 1, 1, 15.3, 16.3}};
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    w.settings.kv.write_ms = 20;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        w.settings.kv.cache_ttl_s = cases[i].ttl_s;
        const struct run r = {&limiter, cases[i].edges, 1, cases[i].rate, WINDOW_S, 0, false};
        double admitted = mean_of(&w, &r, 30).admitted;
        if (admitted < cases[i].low || admitted > cases[i].high)
            print_error("%u edges: %.1f\n", cases[i].edges, admitted);
        assert_true(admitted >= cases[i].low && admitted <= cases[i].high);
    }
    world_close(&w);
}

/* ---- row 5: writes that travel ---- */

/* Ours arrive between the propagation and half as long again, so the spec's fixed delay is met by
 * four fifths of it. Without copies the edges see what has arrived at once. */
static void writes_arrive_late(void **state)
{
    (void)state;
    static const struct {
        unsigned edges;
        double rate;
        uint32_t delay_ms;
        double low, high;
    } cases[] = {{4, 1, 1000, 0.8 * 26.25, 1.2 * 26.25},
                 {2, 5, 200, 0.8 * 22.5, 1.2 * 22.5},
                 {16, 20, 5000, 16 * LIMIT, 20 * WINDOW_S}}; /* counters go backwards */
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    w.settings.kv.cache_ttl_s = 0;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        w.settings.kv.propagation_ms = cases[i].delay_ms * 4 / 5;
        const struct run r = {&limiter, cases[i].edges, 1, cases[i].rate, WINDOW_S, 0, false};
        double admitted = mean_of(&w, &r, 20).admitted;
        if (admitted < cases[i].low || admitted > cases[i].high)
            print_error("%u edges: %.1f\n", cases[i].edges, admitted);
        assert_true(admitted >= cases[i].low && admitted <= cases[i].high);
    }
    world_close(&w);
}

/* Under-admission: an edge takes over another's later reset and goes on denying behind its own. */
static void a_later_reset_is_taken_over(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    w.settings.kv.cache_ttl_s = 0;
    w.settings.kv.propagation_ms = 20000;
    world_ask(&w, &calls[0], &limiter, "k", place_of(0, 0));
    world_advance(&w, 15000);
    for (int i = 0; i < LIMIT; i++) /* the other edge does not see it yet and opens its own */
        world_ask(&w, &calls[0], &limiter, "k", place_of(1, 0));
    assert_int_equal(calls[0].verdict.count, LIMIT);
    world_advance(&w, 45000);
    world_ask(&w, &calls[0], &limiter, "k", place_of(0, 0)); /* its own window is over */
    assert_int_equal(calls[0].verdict.outcome, LIMITER_DENY);
    assert_int_equal(calls[0].verdict.retry_after_s, 15);
    world_advance(&w, 15000);
    world_ask(&w, &calls[0], &limiter, "k", place_of(0, 0));
    assert_int_equal(calls[0].verdict.outcome, LIMITER_ADMIT);
    world_close(&w);
}

/* ---- row 6: one write a second ---- */

static void the_write_limit_leaves_hardly_a_429(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    const struct run one = {&limiter, 1, 1, 20, WINDOW_S, 0, false};
    struct outcome o = mean_of(&w, &one, 20);
    assert_near("200 at one edge", o.admitted, 15, 0);
    assert_near("500 at one edge", o.failed, 271, 0.06);
    assert_near("429 at one edge", o.denied, 910, 0.03);
    assert_near("first 429", o.first_deny_s, 14.5, 0.04);
    const struct run many = {&limiter, 16, 1, 20, WINDOW_S, 0, false};
    o = mean_of(&w, &many, 20);
    assert_near("200 at many edges", o.admitted, 59, 0.03);
    assert_near("500 at many edges", o.failed, 1137, 0.03);
    assert_true(o.denied < 1);
    world_close(&w);
}

static void bursts_against_the_write_limit(void **state)
{
    (void)state;
    static const struct {
        uint64_t apart_ms;
        unsigned admitted, denied, failed;
    } cases[] = {{0, 1, 0, 19}, {50, 1, 0, 19}, {1050, 15, 5, 0}};
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    for (size_t c = 0; c < GW_COUNT(cases); c++) {
        char key[] = {(char)('a' + (char)c), '\0'};
        unsigned by_outcome[LIMITER_WAIT + 1] = {0};
        for (size_t i = 0; i < 20; i++, world_advance(&w, cases[c].apart_ms))
            world_ask(&w, &calls[i], &limiter, key, place_of(0, 0));
        world_advance(&w, 1000);
        world_settle(&w);
        for (size_t i = 0; i < 20; i++)
            by_outcome[calls[i].verdict.outcome]++;
        assert_int_equal(by_outcome[LIMITER_ADMIT], cases[c].admitted);
        assert_int_equal(by_outcome[LIMITER_DENY], cases[c].denied);
        assert_int_equal(by_outcome[LIMITER_ERROR], cases[c].failed);
    }
    world_close(&w);
}

/* ---- row 7: the binding ---- */

/* N·(L + r·d): what the other machines of an edge let through in a lag of 0.25 s is not known yet.
 * A machine knows its own share, so it is (M − 1)/M of that. */
static void a_binding_is_permissive(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_BINDING);
    const struct run one = {&limiter, 4, 1, 20, WINDOW_S, 0, false};
    assert_near("one machine an edge", mean_of(&w, &one, 5).admitted, 4 * LIMIT, 0);
    const struct run many = {&limiter, 2, 8, 80, WINDOW_S, 0, false};
    assert_near("eight machines an edge", mean_of(&w, &many, 20).admitted,
                2 * (LIMIT + 40 * 0.25 * 7 / 8), 0.1);
    world_close(&w);
}

/* ---- row 8: where the first refusal falls ---- */

static void the_mixed_zone_tells_the_stores_apart(void **state)
{
    (void)state;
    static const struct {
        unsigned edges, isolates;
        double first_deny, last_admit;
    } cases[] = {{1, 1, 16, 15},    {2, 1, 27.7, 33.9}, {2, 2, 48.8, 76.4},
                 {4, 2, 87.8, 165}, {4, 4, 158, 363},   {8, 8, 529, 1645}};
    struct world w;
    world_open(&w);
    struct limiter limiter = limiter_of(LIMITER_MEMORY);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        unsigned places = cases[i].edges * cases[i].isolates;
        uint64_t duration_s = places < 32 ? 2 : 10; /* well behind the last admission */
        struct run r = {&limiter, cases[i].edges, cases[i].isolates, 500, duration_s, 0, false};
        struct outcome o = mean_of(&w, &r, 100);
        assert_near("first 429", o.first_deny, cases[i].first_deny, 0.05);
        assert_near("last 200", o.last_admit, cases[i].last_admit, 0.05);
        r.round_robin = true;
        o = run_once(&w, &r, 1);
        assert_near("first 429 in turn", o.first_deny, places * LIMIT + 1, 0);
        assert_near("last 200 in turn", o.last_admit, places * LIMIT, 0);
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strong_store_is_exact),
        cmocka_unit_test(no_interval_holds_more_than_two_limits_less_one),
        cmocka_unit_test(each_isolate_has_its_own_limit),
        cmocka_unit_test(calls_race_within_an_edge),
        cmocka_unit_test(callers_in_a_closed_loop),
        cmocka_unit_test(edges_live_on_copies),
        cmocka_unit_test(writes_arrive_late),
        cmocka_unit_test(a_later_reset_is_taken_over),
        cmocka_unit_test(the_write_limit_leaves_hardly_a_429),
        cmocka_unit_test(bursts_against_the_write_limit),
        cmocka_unit_test(a_binding_is_permissive),
        cmocka_unit_test(the_mixed_zone_tells_the_stores_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
