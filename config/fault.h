/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Faults on demand: what goes wrong, for which requests, how often. From a zone of the
 * configuration or from the admin API; both are read by the same table of keys.
 *
 * Texts live as long as what holds them. A number in brackets is the default. Thread: immutable
 * once read. */
#include "config/origin.h"
#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

#define CONFIG_FAULTS_MAX  32      /* of a process */
#define CONFIG_RATIO_WHOLE 1000000 /* ratios are parts of a million */

enum config_fault_where { CONFIG_FAULT_ORIGIN, CONFIG_FAULT_EDGE, CONFIG_FAULT_COUNTERS };

struct config_fault {
    struct gw_str name; /* of letters, digits, "-", "_", "."; unique */
    struct gw_str zone; /* [every zone] the zone that holds it, or as the API says */
    struct config_expression expression; /* [every request] */
    enum config_fault_where where; /* [origin] edge: before limiter and cache; counters: "abort"
                                      alone, and the process has no counter backend */
    uint32_t delay_ms;             /* [0] before anything else happens */
    bool abort;                    /* [false] the connection is reset */
    bool truncates;                /* truncate_bytes was given: the body is cut behind them */
    uint32_t truncate_bytes;
    uint32_t status; /* [0: none] 520 to 530 as the failure they stand for, others as an answer */
    uint32_t ratio;  /* [1 = 1000000 parts of a million] of the requests that fit */
    uint32_t first;  /* [0: no limit] only so many requests */
    bool one_server; /* "server" was given: attempts at another server go well */
    uint32_t server; /* counted from 0, of an origin with several */
};

struct json_doc;
/* One fault out of a document that a client sent: nothing in it is expanded. False after errors,
 * which are in diags. `place` of the expression points into the document. */
GW_MUST bool config_fault_read(const struct json_doc *doc, const struct json *v,
                               struct gw_arena *arena, struct gw_diags *diags,
                               struct config_fault *out);
