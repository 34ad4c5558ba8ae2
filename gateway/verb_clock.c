/* SPDX-License-Identifier: Apache-2.0 */
/* Shows or moves the clock that cache, limiter and rules see, through the admin listener. */
#include "gateway/cli_admin.h"
#include "gateway/http/date.h"

static void print_clock(const struct json *clock)
{
    char iso[DATE_ISO_LEN];
    int64_t now_ms = 0;
    const struct json *now = json_get(clock, "now_ms");
    if (!now || !json_int(now, 0, INT64_MAX >> 11, &now_ms))
        now_ms = 0;
    date_format_iso(now_ms, iso);
    printf("%.*s %.*s %lld\n", GW_STR_ARG(json_str(json_get(clock, "mode"))), DATE_ISO_LEN, iso,
           (long long)now_ms);
}

static int call_clock(struct cli_admin *c, const char *advance)
{
    char body[64] = "";
    struct json_doc *doc;
    if (advance)
        snprintf(body, sizeof(body), "{\"ms\":%s}", advance);
    int code = cli_admin_json(c, advance ? GW_STR("POST") : GW_STR("GET"),
                              advance ? GW_STR("/api/clock/advance") : GW_STR("/api/clock"),
                              gw_str_z(body), &doc);
    if (code)
        return code;
    if (c->json)
        cli_print_json(json_root(doc));
    else
        print_clock(json_root(doc));
    json_doc_free(doc);
    return 0;
}

static int run_clock(struct cli_admin *c, int argc, char **argv)
{
    uint64_t ms;
    char **operands = argv + optind;
    if (optind == argc)
        return call_clock(c, NULL);
    if (strcmp(operands[0], "advance") != 0)
        return cli_usage(c->verb, "\"%s\" is not \"advance\"", operands[0]);
    int code = cli_operands(c->verb, argc, 2, 2);
    if (code)
        return code;
    if (!gw_str_u64(gw_str_z(operands[1]), UINT64_MAX >> 12, &ms))
        return cli_usage(c->verb, "\"%s\" is no number of milliseconds", operands[1]);
    return call_clock(c, operands[1]);
}

static int clock_verb(int argc, char **argv)
{
    struct cli_admin c;
    int code = cli_admin_open(&c, argc, argv, NULL);
    if (!code)
        code = run_clock(&c, argc, argv);
    cli_admin_close(&c);
    return code;
}

const struct verb verb_clock = {
    .name = "clock",
    .run = clock_verb,
    .summary = "show a running gateway's clock, or move a virtual one",
    .manual =
        "usage: nearedge clock [OPTION]...\n"
        "       nearedge clock [OPTION]... advance MILLISECONDS\n"
        "\n"
        "Prints the mode, the time and the same in milliseconds since the epoch. With `\"clock\":\n"
        "\"virtual\"` in the configuration the time that cache, limiters and rules see stands\n"
        "still and moves only by `advance`: a day passes in a second.\n"
        "\n" CLI_ADMIN_OPTIONS "  --json              the admin listener's answer\n"
        "\n" CLI_ADMIN_TOKEN "\n"
        "exit codes: 0 ok, 1 failure (also: the clock is the system's), 2 usage.\n"
        "\n"
        "example: nearedge clock advance 60000\n"};
