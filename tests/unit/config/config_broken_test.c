/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of tests/config/broken says in its first line what config_load must say about it:
 * `// expect: LINE: part of the message`. The folders beside them hold rulesets and limiters, which
 * the end-to-end suite checks. */
#include "config/config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define FOLDER         SOURCE_DIR "/tests/config/broken"
#define FILES_AT_LEAST 40

struct expectation {
    unsigned line;
    char part[256];
};

static void read_expectation(const char *path, struct expectation *e)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    if (fscanf(f, "// expect: %u: %255[^\n]", &e->line, e->part) != 2)
        fail_msg("%s has no // expect: LINE: TEXT", path);
    fclose(f);
}

static bool is_said(const struct gw_diags *diags, const struct expectation *e)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].severity == GW_DIAG_ERROR && diags->items[i].line == e->line &&
            strstr(diags->items[i].message, e->part))
            return true;
    return false;
}

static void check_file(const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), FOLDER "/%s", name);
    struct expectation e;
    read_expectation(path, &e);
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct config *config = config_load(path, NULL, &diags);
    if (config || !is_said(&diags, &e)) {
        gw_diags_print(&diags, stderr, false);
        fail_msg("%s: expected line %u: %s", name, e.line, e.part);
    }
    if (diags.errors != 1) {
        gw_diags_print(&diags, stderr, false);
        fail_msg("%s: one mistake, %zu messages", name, diags.errors);
    }
    gw_diags_release(&diags);
}

static void every_broken_file_is_explained(void **state)
{
    (void)state;
    DIR *dir = opendir(FOLDER);
    assert_non_null(dir);
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!gw_str_ends(gw_str_z(entry->d_name), GW_STR(".json")))
            continue;
        check_file(entry->d_name);
        files++;
    }
    closedir(dir);
    assert_true(files >= FILES_AT_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_broken_file_is_explained)};
    return cmocka_run_group_tests_name("config_broken", tests, NULL, NULL);
}
