/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <unistd.h>

#include "gateway/cli.h"

/* Runs the program on a command line of words; what it says goes to `said`. */
static int run(const char *line, char *said, size_t size)
{
    char copy[256], *argv[16] = {NULL}, *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof(copy), "%s", line);
    while (argc < 15 && (argv[argc] = strsep(&rest, " ")))
        argc++;
    FILE *file = tmpfile();
    int out = dup(1), err = dup(2);
    fflush(NULL);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    optind = 0; /* glibc: starts over */
    int code = cli_main(argc, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(file);
    said[fread(said, 1, size - 1, file)] = 0;
    fclose(file);
    return code;
}

static void test_command_lines(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } cases[] = {
        {"nearedge", 2, "usage: nearedge VERB"},
        {"nearedge help", 0, "healthcheck"},
        {"nearedge --help", 0, "usage: nearedge VERB"},
        {"nearedge help run", 0, "usage: nearedge run"},
        {"nearedge help nope", 2, "no verb \"nope\""},
        {"nearedge run --help", 0, "usage: nearedge run"},
        {"nearedge check -h", 0, "usage: nearedge check"},
        {"nearedge version", 0, "nearedge "},
        {"nearedge --version", 0, "nearedge "},
        {"nearedge version --json", 0, "{\"name\":\"nearedge\",\"version\":\""},
        {"nearedge version x", 2, "too many operands"},
        {"nearedge help", 0, "help config"},
        {"nearedge chekc", 2, "did you mean \"check\"?"},
        {"nearedge check x.json", 2, "write -c x.json"},
        {"nearedge purge --url /a.css", 2, "\"/a.css\" is no URL"},
        {"nearedge purge --prefix https://a.test/b", 2, "write --prefix a.test/b"},
        {"nearedge chek", 2, "did you mean \"check\"?"},
        {"nearedge xyzzyx", 2, "unknown verb \"xyzzyx\"\n"},
        {"nearedge run", 2, "-c FILE or --origin URL"},
        {"nearedge run --origin http://127.0.0.1:1", 2, "--origin needs --host"},
        {"nearedge run -c x --host y", 2, "-c says everything"},
        {"nearedge run --orgin=http://x", 2, "did you mean \"--origin\"?"},
        {"nearedge run -c", 2, "\"-c\" needs a value"},
        {"nearedge run -x", 2, "unknown option \"-x\""},
        {"nearedge run --host", 2, "\"--host\" needs a value"},
        {"nearedge run -c x y", 2, "too many operands"},
        {"nearedge check", 2, "-c FILE is needed"},
        {"nearedge check --json=1 -c x", 2, "\"--json\" takes no value"},
        {"nearedge check -c x --plan gold", 2, "\"gold\" is no plan"},
        {"nearedge check -c /nonexistent/x.json", 3, "error: "},
        {"nearedge check -c /nonexistent/x.json --json", 3, "{\"ok\":false,\"errors\":[{\"file\":"},
        {"nearedge rules", 2, "rules test FILE"},
        {"nearedge rules test", 2, "operand is missing"},
        {"nearedge rules test /nonexistent/x", 1, "0 passed, 0 failed"},
        {"nearedge limits frob", 2, "\"frob\" is not ls, get, reset or compare"},
        {"nearedge limits get x", 2, "operand is missing"},
        {"nearedge limits --admin nowhere", 2, "\"nowhere\" is no address"},
        {"nearedge limits --timeout 0", 2, "no number of seconds"},
        {"nearedge limits --admin unix:/nonexistent/s", 1, "admin listener unix:/nonexistent/s"},
        {"nearedge clock advance", 2, "operand is missing"},
        {"nearedge clock advance 1s", 2, "no number of milliseconds"},
        {"nearedge clock back", 2, "is not \"advance\""},
        {"nearedge healthcheck --admin unix:/nonexistent/s", 1,
         "healthcheck: admin listener unix:/nonexistent/s: "},
        {"nearedge healthcheck --admin unix:/nonexistent/s", 1, "-c FILE or --admin ADDR"},
        {"nearedge completion bash", 0, "complete -o filenames -F _nearedge nearedge"},
        {"nearedge completion", 2, "completion bash"},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char said[8192];
        int code = run(cases[i].line, said, sizeof(said));
        if (code != cases[i].code || !strstr(said, cases[i].says))
            fail_msg("%s: %d, %s", cases[i].line, code, said);
    }
}

/* `help` is a table, manuals are readable on a terminal and say what is promised of them. */
static void test_manuals(void **state)
{
    (void)state;
    for (size_t i = 0; cli_verbs[i]; i++) {
        const struct verb *v = cli_verbs[i];
        char usage[64];
        snprintf(usage, sizeof(usage), "usage: nearedge %s", v->name);
        assert_true(gw_str_starts(gw_str_z(v->manual), gw_str_z(usage)));
        assert_non_null(strstr(v->manual, "exit codes: 0 "));
        assert_true(gw_str_ends(gw_str_z(v->manual), GW_STR("\n")));
        assert_true(strlen(v->name) <= 12 && strlen(v->summary) <= 65);
        assert_ptr_equal(cli_find(v->name), v);
        struct gw_str rest = gw_str_z(v->manual), line;
        while (gw_str_next(&rest, '\n', &line))
            if (line.len > 100)
                fail_msg("%.*s", GW_STR_ARG(line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_command_lines),
                                       cmocka_unit_test(test_manuals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
