/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules/vectors.h"

static struct rules_vectors_totals run(const char *path, struct gw_diags *diags, int want)
{
    struct rules_vectors_totals totals = {0, 0};
    assert_int_equal(rules_vectors_run(path, stdout, &totals, diags), want);
    return totals;
}

static void all_vectors_pass(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t count;
    } files[] = {
        {SOURCE_DIR "/tests/rules/rules.json", 394},
        {SOURCE_DIR "/tests/rules/rules-missing-ne.json", 20},
    };
    for (size_t i = 0; i < GW_COUNT(files); i++) {
        struct gw_diags diags;
        gw_diags_init(&diags);
        struct rules_vectors_totals totals = run(files[i].path, &diags, 0);
        assert_int_equal(totals.failed, 0);
        assert_int_equal(totals.passed, files[i].count);
        assert_int_equal(diags.count, 0);
        gw_diags_release(&diags);
    }
}

static void a_file_that_is_none_is_refused(void **state)
{
    (void)state;
    struct gw_diags diags;
    gw_diags_init(&diags);
    run(SOURCE_DIR "/tests/rules/team/cache-rules-rules.json", &diags, -1);
    assert_int_equal(diags.errors, 1);
    run(SOURCE_DIR "/tests/rules/no-such-file.json", &diags, -1);
    assert_int_equal(diags.errors, 2);
    gw_diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_vectors_pass),
        cmocka_unit_test(a_file_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
