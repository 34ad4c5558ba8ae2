/* SPDX-License-Identifier: Apache-2.0 */
/* Two kinds of files, told apart by their shape: rule tests (an object with "cases") and vectors of
 * the language itself (an array). A file that cannot be read does not end the run: the others are
 * tested, then it is a failure. */
#include "config/rules/vectors.h"
#include "gateway/base/json_out.h"
#include "gateway/cli.h"
#include "gateway/rule_tests.h"

#define OUT_MAX ((size_t)256 << 20)

struct run {
    bool json;
    struct gw_buf out; /* of --json */
    size_t passed, failed;
    bool unreadable, bad_config;
};

static void add_rule_tests(struct run *r, struct json_doc *doc, struct gw_diags *problems)
{
    bool bad_config;
    struct rule_tests *t = rule_tests_run(doc, problems, &bad_config);
    if (!t) {
        r->unreadable |= !bad_config;
        r->bad_config |= bad_config;
        return;
    }
    r->passed += t->passed;
    r->failed += t->failed;
    if (r->json) {
        rule_tests_json(t, &r->out);
    } else {
        rule_tests_print(t, stdout, cli_has_color(stdout));
    }
    rule_tests_free(t);
}

static void add_vectors(struct run *r, const char *path, struct gw_diags *problems)
{
    struct rules_vectors_totals totals = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *out = r->json ? open_memstream(&text, &len) : stdout;
    if (rules_vectors_run(path, out, &totals, problems) < 0)
        r->unreadable = true;
    r->passed += totals.passed;
    r->failed += totals.failed;
    if (!r->json)
        return;
    fclose(out);
    gw_json_object(&r->out, NULL);
    gw_json_text(&r->out, "file", gw_str_z(path));
    gw_json_u64(&r->out, "passed", totals.passed);
    gw_json_u64(&r->out, "failed", totals.failed);
    gw_json_text(&r->out, "output", gw_str(text, len));
    gw_buf_char(&r->out, '}');
    free(text);
}

static void test_file(struct run *r, const char *path)
{
    struct gw_diags problems;
    gw_diags_init(&problems);
    struct json_doc *doc = json_read(path, path, &problems);
    if (!doc) {
        r->unreadable = true;
    } else if (rule_tests_fits(doc)) {
        add_rule_tests(r, doc, &problems);
    } else {
        json_doc_free(doc);
        add_vectors(r, path, &problems);
    }
    if (problems.errors)
        cli_print_diags(&problems);
    gw_diags_release(&problems);
}

static int test_files(bool json, int count, char **files)
{
    struct run r = {.json = json};
    gw_buf_init(&r.out, OUT_MAX);
    gw_buf_add(&r.out, GW_STR("{\"files\":["));
    for (int i = 0; i < count; i++)
        test_file(&r, files[i]);
    if (json)
        printf("%.*s],\"passed\":%zu,\"failed\":%zu}\n", GW_STR_ARG(gw_buf_str(&r.out)), r.passed,
               r.failed);
    else
        printf("%zu passed, %zu failed\n", r.passed, r.failed);
    gw_buf_release(&r.out);
    return r.bad_config   ? EXIT_CONFIG
           : r.unreadable ? EXIT_FAILED_RUN
           : r.failed     ? EXIT_EXPECTATION
                          : 0;
}

static int rules(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int o; (o = cli_option(argc, argv, "", options)) != -1;) {
        if (o == '?')
            return EXIT_USAGE;
        json = true;
    }
    if (optind >= argc || strcmp(argv[optind], "test") != 0)
        return cli_usage("rules", "\"rules test FILE...\" is what there is");
    int code = cli_operands("rules", argc, 2, INT32_MAX);
    return code ? code : test_files(json, argc - optind - 1, argv + optind + 1);
}

const struct verb verb_rules = {
    .name = "rules",
    .run = rules,
    .summary = "run tests of rules: rules test FILE...",
    .manual =
        "usage: nearedge rules test [--json] FILE...\n"
        "\n"
        "Runs rule tests and says of each expectation that does not hold where it stands and\n"
        "what was found instead; then which rules no case reached. The last line is\n"
        "`N passed, N failed`.\n"
        "\n"
        "A rule test is JSON; comments are allowed, paths are relative to it:\n"
        "\n"
        "    {\n"
        "      \"config\": \"../nearedge.json\",\n"
        "      \"cases\": [\n"
        "        { \"name\": \"a session is never cached\",\n"
        "          \"request\": { \"url\": \"https://ci.hub-evolution.com/\",\n"
        "                       \"headers\": { \"Cookie\": \"session_id=1\" } },\n"
        "          \"expect\": { \"rules\": [1], \"cache\": \"bypass\" } } ] }\n"
        "\n"
        "Instead of \"config\": \"rules\" (a ruleset file or a list of them), with \"limiters\" "
        "(a\n"
        "file) and \"plan\" [free] beside it; they then hold for every host.\n"
        "\n"
        "request:  url, method [GET], headers, cookies, ip (the peer), edge, country,\n"
        "          tls_version and tls_cipher [none]; the same object as POST /api/explain takes\n"
        "expect:   at least one of\n"
        "  rules        these rules match; a rule is its position from 1, its ref, id or\n"
        "               description\n"
        "  not_rules    these do not\n"
        "  only_rules   these match and no others; [] for none\n"
        "  cache        \"eligible\": looked up and stored; \"bypass\": a rule says cache: false;\n"
        "               \"dynamic\": nothing makes it cacheable\n"
        "  settings     cache settings that the rules set together, by name; null: none does.\n"
        "               An object holds when its members do: {\"edge_ttl\": {\"default\": 60}}\n"
        "  key          a line of the cache key or a list of them, as `explain` shows them\n"
        "  limiter      the limiter's name; null: none\n"
        "  limiter_key  what it counts by\n"
        "  refused      the status with which the edge refuses it before any rule\n"
        "\n"
        "A file that is an array holds vectors of the language instead: {\"id\", \"expression\",\n"
        "\"request\", \"expect\"}; expect is true, false or \"error\" (the expression must be\n"
        "refused); the request has method, host, path, query, headers, cookies, ip, country\n"
        "and scheme.\n"
        "\n"
        "  --json   {\"files\":[{file,passed,failed,cases,coverage}],\"passed\",\"failed\"}\n"
        "\n"
        "exit codes: 0 all passed, 1 a file cannot be read, 2 usage, 3 what it tests is\n"
        "invalid, 4 an expectation failed.\n"
        "\n"
        "example: nearedge rules test config/hub-evolution/tests/*.test.json\n"};
