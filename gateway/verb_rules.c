/* SPDX-License-Identifier: Apache-2.0 */
/* A file that cannot be read does not end the run: the others are tested, then it is a failure. */
#include "config/rules/vectors.h"
#include "gateway/cli.h"

static int test_files(int count, char **files)
{
    struct rules_vectors_totals totals = {0};
    bool readable = true;
    for (int i = 0; i < count; i++) {
        struct gw_diags diags;
        gw_diags_init(&diags);
        if (rules_vectors_run(files[i], stdout, &totals, &diags) < 0)
            readable = false;
        cli_print_diags(&diags);
        gw_diags_release(&diags);
    }
    printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
    if (!readable)
        return EXIT_FAILED_RUN;
    return totals.failed ? EXIT_EXPECTATION : 0;
}

static int rules(int argc, char **argv)
{
    static const struct option options[] = {{NULL, 0, NULL, 0}};
    if (cli_option(argc, argv, "", options) != -1)
        return EXIT_USAGE;
    if (optind >= argc || strcmp(argv[optind], "test") != 0)
        return cli_usage("rules", "\"rules test FILE...\" is what there is");
    int code = cli_operands("rules", argc, 2, INT32_MAX);
    return code ? code : test_files(argc - optind - 1, argv + optind + 1);
}

const struct verb verb_rules = {
    .name = "rules",
    .run = rules,
    .summary = "run rule vectors: rules test FILE...",
    .manual = "usage: nearedge rules test FILE...\n"
              "\n"
              "Evaluates each vector's expression against its request and compares the outcome "
              "with what the\n"
              "vector expects. A file is a JSON array of {\"id\", \"expression\", \"request\", "
              "\"expect\"}; expect\n"
              "is true, false or \"error\" (the expression must be refused); the request has "
              "method, host,\n"
              "path, query, headers, cookies, ip, country and scheme. A line tells of each "
              "failure; the last\n"
              "line is `N passed, N failed`.\n"
              "\n"
              "exit codes: 0 all passed, 1 a file cannot be read, 2 usage, 4 a vector failed.\n"
              "\n"
              "example: nearedge rules test tests/rules/*.json\n"};
