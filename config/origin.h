/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where requests of a zone go: the servers of an origin, how one is chosen, when one is left out,
 * what is tried again. The words are nginx's where it has one (max_fails, weight, backup) and
 * HAProxy's elsewhere (rise, fall).
 *
 * Texts end with a NUL behind their length and live as long as the configuration; one that was not
 * given has ptr == NULL. A number in brackets is the default. Thread: immutable after loading.
 * Owns: nothing; the configuration does. */
#include "gateway/base/str.h"

struct json;

#define CONFIG_SERVERS_MAX 32 /* of one origin: a set of them is a word */

/* Of an origin's URL; "//host" leaves it to the zone's `ssl` setting. */
enum config_scheme { CONFIG_SCHEME_HTTP, CONFIG_SCHEME_HTTPS, CONFIG_SCHEME_OPEN };
enum config_balance { CONFIG_ROUND_ROBIN, CONFIG_LEAST_CONNECTIONS };

/* A text in the rules language. It is compiled where the language lives; `place` is for messages
 * and belongs to the configuration's document. */
struct config_expression {
    struct gw_str text;
    const struct json *place;
};

struct config_health {
    bool enabled;            /* "health" is in the file */
    struct gw_str path;      /* [/] */
    struct gw_str host;      /* [host_header, or the server's authority] */
    uint32_t interval_ms;    /* [5000] on the configured clock */
    uint32_t timeout_ms;     /* [2000] for connection and answer together, real time */
    uint32_t rise, fall;     /* [2, 3] answers in a row that change the verdict */
    uint32_t *expect_status; /* [any 2xx or 3xx] */
    size_t expect_status_count;
    struct gw_str *json_status; /* [the body is not read] what its member "status" may say */
    size_t json_status_count;
};

/* Attempts at another server after a connection failed before any byte of an answer. */
struct config_retry {
    uint32_t tries;          /* [2] attempts in all, the first one included; 1: none */
    uint32_t budget_percent; /* [20] of the requests of the last ten seconds … */
    uint32_t min_per_second; /* [3] … and this many in any case */
};

struct config_origin {
    struct gw_str url;  /* as written */
    struct gw_str host; /* name or address without brackets, lower case */
    uint16_t port;      /* [80] without TLS … */
    uint16_t tls_port;  /* [443] … and with it */
    enum config_scheme scheme;
    bool host_is_ip;           /* no name needs to be resolved */
    struct gw_str authority;   /* "host:port" as a Host header says it: usual ports are left out */
    struct gw_str host_header; /* a literal Host for the origin; empty: "preserve" the visitor's */
    uint32_t connect_timeout_ms; /* [19000] until the connection stands: 522 */
    uint32_t read_timeout_ms;    /* [120000] between two reads of an answer: 524 */
    uint32_t write_timeout_ms;   /* [30000] while the origin takes no byte of the request */
    uint32_t idle_timeout_ms;    /* [900000] an unused connection stays open this long */
    struct {
        struct gw_str ca, server_name;  /* [the system's store; the host] */
        bool verify;                    /* [true] scheme open: only in the mode "strict" */
        struct gw_str certificate, key; /* [none] shown to the origin; both or neither */
    } tls;

    /* Never empty: an origin of one URL is its own only server. What the URL says above is that of
     * the first; each server has the origin's other settings as its own copy. */
    struct config_origin *servers;
    size_t server_count;
    uint32_t weight;             /* [1] of a server */
    bool backup;                 /* [false] of a server: asked only when all others are down */
    enum config_balance balance; /* [round_robin] */
    uint32_t max_fails;          /* [1] failures within fail_timeout_ms; 0: none counts */
    uint32_t fail_timeout_ms;    /* [10000] and how long such a server is left out */
    uint32_t *fail_status;       /* [none] statuses that count as failures */
    size_t fail_status_count;
    struct config_health health;
    struct config_retry retry;
};

/* Requests for which an expression is true go elsewhere; the first rule that fits wins. */
struct config_origin_rule {
    struct gw_str name; /* [the expression] for explain */
    struct config_expression expression;
    bool has_origin;             /* else: the zone's own */
    struct config_origin origin; /* host_header already settled */
    struct gw_str host_header;   /* for the zone's own origin */
};
