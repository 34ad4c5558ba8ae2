/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the verbs that talk to a running gateway share: its options, finding the admin listener and
 * the token, calling it, and turning a refusal into words.
 *
 * The listener is --admin ADDR, else the one of the configuration file (-c), else 127.0.0.1:8081.
 * The token is the configuration's, else that of NEAREDGE_ADMIN_TOKEN. It is spoken to by TLS when
 * the configuration says so (admin_tls.h) or ADDR begins with https://, and never without a check
 * of its certificate: the token would go to whoever answers. Thread: one. */
#include "config/config.h"
#include "config/json.h"
#include "gateway/admin_client.h"
#include "gateway/cli.h"

struct cli_admin {
    const char *verb;
    const char *config_path, *address, *cacert; /* options; NULL: not given */
    bool json;
    struct config *config;
    struct admin_endpoint endpoint; /* its tls is owned */
};

/* For manuals. */
#define CLI_ADMIN_OPTIONS                                                                          \
    "  -c, --config FILE   take admin address, token and certificate from this configuration\n"    \
    "  --admin ADDR        admin listener: IP:PORT, unix:PATH or https://IP:PORT\n"                \
    "                      [127.0.0.1:8081]\n"                                                     \
    "  --cacert FILE       trust these authorities (PEM) with https:// [the configuration's\n"     \
    "                      certificate, or the system's store]\n"                                  \
    "  --timeout SECONDS   give up after this time [10]\n"
#define CLI_ADMIN_TOKEN                                                                            \
    "Without a token in the configuration, NEAREDGE_ADMIN_TOKEN is sent if it is set.\n"

/* Options of one verb's own; `take` gets them one by one and returns 0 or an exit code. */
struct cli_admin_extra {
    const struct option *options; /* without short forms; their values are none of the letters */
    int (*take)(void *ctx, int option, const char *value);
    void *ctx;
};

/* Reads all options and finds the listener; operands start at optind. `extra` may be NULL. 0 or an
 * exit code, which was explained; close in either case. */
int cli_admin_open(struct cli_admin *c, int argc, char **argv, const struct cli_admin_extra *extra);
void cli_admin_close(struct cli_admin *c);

/* Says why admin_client_call failed. */
void cli_admin_print_error(const struct cli_admin *c, const struct admin_reply *reply, int err);
/* 0 after an answer of 2xx, else an exit code, explained. Release the reply in either case. */
int cli_admin_call(struct cli_admin *c, struct gw_str method, struct gw_str target,
                   struct gw_str body, struct admin_reply *reply);
/* The same, and the answer as JSON; *doc is NULL unless 0 is returned. */
int cli_admin_json(struct cli_admin *c, struct gw_str method, struct gw_str target,
                   struct gw_str body, struct json_doc **doc);
/* One JSON value and a line feed on stdout. */
void cli_print_json(const struct json *value);
/* Text that came from clients, without what a terminal would obey. */
void cli_print_text(struct gw_str text);
