/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One run in five forms: for the terminal, for programs (JSON), for CI (JUnit, Markdown) and for
 * people who were not there (HTML: one page that needs no network, under 500 KB).
 *
 * All of them tell the same: what was run and how, whether the generator kept up, latencies with
 * both clocks (response time from when a request was due, service time from when it was sent),
 * answers by status and cache status, who refused whom, every expectation.
 * Thread: one. Owns: nothing. Limits: tables of REPORT_ROWS_MAX rows, the rest is counted. */
#include "bench/load/outcome.h"

#define REPORT_ROWS_MAX 50

struct json;

struct report_environment {
    char host[64], system[192]; /* name of the machine; kernel and architecture */
    unsigned cpus;
    double load_average;
    uint64_t memory_bytes;          /* of the generator, at the end */
    double cpu_seconds;             /* of the generator */
    uint64_t started_ms;            /* since the epoch */
    struct gw_str version, command; /* secrets in it are masked */
};

struct report {
    const struct load_plan *plan;
    const struct run_result *result;
    const struct outcome *outcome;
    const struct report_environment *environment;
    const struct json *matrix; /* of the gateway's limiters (matrix.h), or NULL */
};

/* Everything but what the caller must say (version, command, started_ms). */
void report_environment_read(struct report_environment *e);

void report_terminal(const struct report *r, struct gw_buf *out, bool color);
void report_json(const struct report *r, struct gw_buf *out);
void report_junit(const struct report *r, struct gw_buf *out);
void report_markdown(const struct report *r, struct gw_buf *out);
void report_html(const struct report *r, struct gw_buf *out);
