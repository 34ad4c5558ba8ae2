/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/matrix.h"
#include "limiter/model.h"
#include "limiter/state.h"

#include "tests/unit/limiter/world_fixture.h"

#define ALL_STORES ((1u << LIMITER_STORES) - 1)
#define CALLS_MAX  4096

static struct call calls[CALLS_MAX];
static struct matrix_counts counts;

static struct limiter limiter_of(enum limiter_store store)
{
    return (struct limiter){.name = GW_STR("ai"),
                            .rule = {15, 60000},
                            .store = store,
                            .kv = kv_by_configuration,
                            .compare = ALL_STORES};
}

static struct limiter_place place_of(size_t n)
{
    static const struct gw_str edges[] = {GW_STR("FRA"), GW_STR("AMS")};
    return (struct limiter_place){edges[n % 2], (uint32_t)(n / 2 % 2)};
}

static void read_matrix(struct world *w, const struct limiter *limiter)
{
    struct matrix_tally *t = matrix_find(limiter_world_matrix(w->limiters), limiter);
    assert_non_null(t);
    matrix_read(t, &counts);
}

static void assert_verdicts(enum limiter_store store, uint64_t admitted, uint64_t refused,
                            uint64_t failed)
{
    const struct matrix_column *c = &counts.columns[store];
    assert_int_equal(c->admitted, admitted);
    assert_int_equal(c->refused, refused);
    assert_int_equal(c->failed, failed);
}

static void each_store_may_enforce_and_all_judge(void **state)
{
    (void)state;
    static const uint64_t expect[LIMITER_STORES][3] = {[LIMITER_DURABLE_OBJECT] = {15, 25, 0},
                                                       [LIMITER_MEMORY] = {40, 0, 0},
                                                       [LIMITER_KV] = {1, 0, 39},
                                                       [LIMITER_BINDING] = {40, 0, 0}};
    for (unsigned own = 0; own < LIMITER_STORES; own++) {
        struct world w;
        world_open(&w);
        struct limiter limiter = limiter_of((enum limiter_store)own);
        uint64_t got[3] = {0};
        for (size_t i = 0; i < 40; i++) {
            world_ask(&w, &calls[i], &limiter, "k", place_of(i));
            enum limiter_outcome outcome = calls[i].verdict.outcome;
            got[outcome == LIMITER_ADMIT ? 0 : outcome == LIMITER_DENY ? 1 : 2]++;
        }
        assert_memory_equal(got, expect[own], sizeof(got));
        read_matrix(&w, &limiter);
        for (unsigned s = 0; s < LIMITER_STORES; s++)
            assert_verdicts((enum limiter_store)s, expect[s][0], expect[s][1], expect[s][2]);
        assert_int_equal(counts.exact, 15);
        world_close(&w);
    }
}

/* The own store's answer waits for nothing but itself; the shadow's comes when its time is over. */
static void shadows_take_their_own_time(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.settings.kv.read_ms = 10;
    w.settings.kv.write_ms = 40;
    struct limiter limiter = limiter_of(LIMITER_MEMORY);
    assert_true(world_ask(&w, &calls[0], &limiter, "k", place_of(0)));
    read_matrix(&w, &limiter);
    assert_verdicts(LIMITER_KV, 0, 0, 0);
    world_advance(&w, 50);
    world_turn(&w);
    read_matrix(&w, &limiter);
    assert_verdicts(LIMITER_KV, 1, 0, 0);
    assert_int_equal(matrix_wait_at(&counts.columns[LIMITER_KV], 50), 50);
    world_close(&w);
}

static void own_answers_that_wait_reach_the_caller(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.settings.durable_object.latency_ms = 20;
    struct limiter limiter = limiter_of(LIMITER_DURABLE_OBJECT);
    assert_false(world_ask(&w, &calls[0], &limiter, "k", place_of(0)));
    assert_false(world_ask(&w, &calls[1], &limiter, "k", place_of(0)));
    limiter_cancel(&calls[1].call);
    w.waiting--;
    world_advance(&w, 20);
    world_settle(&w);
    assert_int_equal(calls[0].verdict.outcome, LIMITER_ADMIT);
    assert_false(calls[1].decided);
    read_matrix(&w, &limiter);
    assert_verdicts(LIMITER_DURABLE_OBJECT, 2, 0, 0); /* who left is judged all the same */
    assert_int_equal(counts.columns[LIMITER_DURABLE_OBJECT].waited_ms, 40);
    world_close(&w);
}

static void a_worker_may_close_while_stores_judge(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.settings.kv.write_ms = 1000;
    w.settings.durable_object.latency_ms = 1000;
    struct limiter limiter = limiter_of(LIMITER_KV);
    for (size_t i = 0; i < 10; i++)
        assert_false(world_ask(&w, &calls[i], &limiter, "k", place_of(i)));
    world_close(&w);
    for (size_t i = 0; i < 10; i++)
        assert_true(calls[i].decided);
}

/* Beyond the ceiling calls are decided and not compared; the matrix says how many. */
static void comparisons_are_bounded(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.settings.kv.write_ms = 1000;
    struct limiter limiter = limiter_of(LIMITER_MEMORY);
    limiter.compare = 1u << LIMITER_KV;
    for (size_t i = 0; i < CALLS_MAX + 10; i++)
        assert_true(world_ask(&w, &calls[0], &limiter, "k", place_of(i)));
    read_matrix(&w, &limiter);
    assert_int_equal(counts.arrivals, CALLS_MAX);
    assert_int_equal(counts.skipped, 10);
    world_close(&w);
}

struct reset {
    struct limiter_state state; /* first: done gets it back */
    struct gw_loop *loop;
};

static void on_reset(struct limiter_state *s, int err)
{
    assert_int_equal(err, 0);
    assert_true(s->found);
    gw_loop_stop(((struct reset *)s)->loop);
}

static void a_reset_covers_the_shadows(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    struct limiter limiter = limiter_of(LIMITER_DURABLE_OBJECT);
    const struct limiter_state_item item = {.name = limiter.name,
                                            .limit = 15,
                                            .window_ms = 60000,
                                            .store = limiter.store,
                                            .compare = limiter.compare};
    for (int turn = 1; turn <= 2; turn++) {
        for (size_t i = 0; i < 16; i++)
            world_ask(&w, &calls[i], &limiter, "k", place_of(0));
        read_matrix(&w, &limiter);
        for (unsigned s = 0; s < LIMITER_STORES; s++)
            assert_verdicts((enum limiter_store)s, (uint64_t)turn * 15, (uint64_t)turn, 0);
        struct reset reset = {.state.done = on_reset, .loop = w.loop};
        limiter_state_reset(w.worker, &reset.state, &item, GW_STR("k"));
        gw_loop_run(w.loop);
    }
    world_close(&w);
}

/* Random traffic of many keys: what the stores did is what the model expects, within chance. */
static void the_simulation_is_within_the_model(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.settings.kv.write_limit = CONFIG_KV_OFF;
    struct limiter limiter = limiter_of(LIMITER_DURABLE_OBJECT);
    struct gw_rng rng = {7};
    for (unsigned key = 0; key < 40; key++) {
        char name[8];
        snprintf(name, sizeof(name), "k%u", key);
        for (size_t i = 0; i < 80; i++) {
            world_ask(&w, &calls[0], &limiter, name, place_of(gw_rng_below(&rng, 4)));
            world_advance(&w, gw_rng_below(&rng, 1200));
        }
        world_advance(&w, 120000);
    }
    world_turn(&w);
    read_matrix(&w, &limiter);
    const struct model_traffic traffic = {limiter.rule, counts.edges, counts.places, counts.in_turn,
                                          (double)counts.span_ms / (double)counts.windows / 1000};
    assert_int_equal(counts.places, 4);
    for (unsigned s = 0; s < LIMITER_STORES; s++) {
        const struct model_store how = {.store = (enum limiter_store)s,
                                        .kv = kv_settings_of(&w.settings, &limiter)};
        struct model_prediction p = model_predict_windows(&traffic, &how, counts.reached);
        double z;
        assert_true(model_z((double)counts.columns[s].admitted, p.expected, p.deviation, &z));
        if (z < -4 || z > 4)
            print_error("%s: %llu against %.1f, z %.1f\n", limiter_store_name(how.store),
                        (unsigned long long)counts.columns[s].admitted, p.expected, z);
        assert_true(z > -4 && z < 4);
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_store_may_enforce_and_all_judge),
        cmocka_unit_test(shadows_take_their_own_time),
        cmocka_unit_test(own_answers_that_wait_reach_the_caller),
        cmocka_unit_test(a_worker_may_close_while_stores_judge),
        cmocka_unit_test(comparisons_are_bounded),
        cmocka_unit_test(a_reset_covers_the_shadows),
        cmocka_unit_test(the_simulation_is_within_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
