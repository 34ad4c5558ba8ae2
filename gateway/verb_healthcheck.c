/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli_admin.h"

/* Only 0 and 1 once the call was made: Docker reserves other codes of a health check. */
static int healthcheck(int argc, char **argv)
{
    struct cli_admin c;
    struct admin_reply reply = {0};
    int code = cli_admin_open(&c, argc, argv, NULL);
    if (!code)
        code = cli_operands(c.verb, argc, 0, 0);
    if (!code) {
        code =
            admin_client_call(&c.endpoint, GW_STR("GET"), GW_STR("/readyz"), GW_STR_EMPTY, &reply);
        if (code)
            cli_admin_print_error(&c, &reply, code);
        fwrite(reply.body.data ? reply.body.data : "", 1, reply.body.len, stdout);
        code = !code && reply.status == 200 ? 0 : EXIT_FAILED_RUN;
        admin_reply_release(&reply);
    }
    cli_admin_close(&c);
    return code;
}

const struct verb verb_healthcheck = {
    .name = "healthcheck",
    .run = healthcheck,
    .summary = "exit 0 when a running gateway is ready",
    .manual =
        "usage: nearedge healthcheck [-c FILE | --admin ADDR] [--timeout SECONDS]\n"
        "\n"
        "Asks /readyz of a running gateway and prints its answer; for HEALTHCHECK in containers,\n"
        "which then need no curl.\n"
        "\n" CLI_ADMIN_OPTIONS "\n"
        "exit codes: 0 ready, 1 not ready or not there, 2 usage, 3 configuration invalid.\n"
        "\n"
        "example: nearedge healthcheck --admin unix:/run/nearedge/admin.sock\n"};
