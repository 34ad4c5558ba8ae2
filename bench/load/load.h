/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A load test from its options to its exit code: reads the plan, runs it, writes the reports.
 *
 * Data goes to `out`, words for people (mistakes, progress) to `err`. Thread: one. Owns: nothing
 * of its caller's. Exit codes: 0, 99 an expectation failed, 6 inconclusive, 2 usage (explained), 3
 * the plan is invalid, 1 failure at run time, 130 interrupted. */
#include <signal.h>

#include "bench/load/plan.h"
#include "gateway/base/diag.h"

#define LOAD_LIST_MAX 64

struct load_list {
    const char *items[LOAD_LIST_MAX];
    size_t count;
};

struct load_options {
    const char *file; /* a scenario, or the team's configuration */
    /* Without a file: one request at one rate. */
    const char *url, *rate, *duration, *method, *data, *edges;
    uint64_t burst, identities, isolates;
    bool poisson;
    /* With both. */
    const char *target, *admin, *only, *admin_token;
    struct load_list expect, headers, allow_hosts; /* headers: "Name: value" */
    uint64_t seed, connections;                    /* 0: the plan's */
    double scale, speed;                           /* pace.h; 0: as written */
    const char *cacert; /* of an https:// target: the authorities to trust; NULL: the system's */
    bool insecure;      /* … its certificate is not looked at */
    bool strict, dry_run, convert;
    const char *json, *junit, *markdown, *html, *compare;
    /* Of the program. */
    const char *version, *command;
    const volatile sig_atomic_t *stop;
    bool out_color, err_color, err_tty;
};

int load_test(const struct load_options *o, FILE *out, FILE *err);

/* The plan as it will be run; NULL after mistakes, which are in diags. */
struct load_plan *load_prepare(const struct load_options *o, struct gw_diags *diags);
/* The scenario's text that the options stand for: the file's, the converted one, or one made of
 * --url and what goes with it. */
GW_MUST bool load_scenario_text(const struct load_options *o, struct gw_buf *out,
                                struct gw_diags *diags);
