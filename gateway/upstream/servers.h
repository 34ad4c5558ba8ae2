/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The servers of one origin as the whole process knows them: who is up, whose turn it is, and
 * whether a request may be tried again (retry_budget.h).
 *
 * Up: a server is out while its probes say so (`health`), or for fail_timeout_ms after max_fails
 * failures within fail_timeout_ms. After that time one request tries it, and the others follow when
 * that one went well (nginx's rule); one that tells nothing for as long leaves it to the next. An
 * origin with one server never counts failures: there is nowhere else to go.
 *
 * Turn: smooth weighted round robin (nginx's), or the fewest attempts under way for its weight;
 * backups only when no other is up. When all are down they are asked in turn all the same, each
 * request one of them: a server's own error, 521, 522, 523, is a better answer than one made up,
 * and the first that is back ends the outage at once (Envoy calls this panic routing).
 *
 * Pure: `now_ms` is monotonic time of the configured clock. Thread: any; one short mutex. Owns: a
 * copy of nothing, the configuration outlives it. Limits: CONFIG_SERVERS_MAX servers. */
#include "config/origin.h"

#define SERVERS_NONE SIZE_MAX

struct servers;
struct tls_client;

/* How a request speaks to a server whose URL leaves the scheme open; others have their own way.
 * Cloudflare checks the certificate of such a one in the mode "strict" alone. */
enum servers_speech { SERVERS_PLAIN, SERVERS_TLS, SERVERS_TLS_CHECKED, SERVERS_SPEECH_COUNT };

enum servers_probe { SERVERS_PROBE_NONE, SERVERS_PROBE_UP, SERVERS_PROBE_DOWN };

struct servers_view {
    bool up;
    bool ejected;            /* by failures of requests */
    uint64_t ejected_for_ms; /* what is left */
    enum servers_probe probe;
    char reason[96];    /* what the last failure was; empty: none yet */
    uint32_t active;    /* attempts under way */
    uint64_t attempts;  /* so far */
    uint64_t failures;  /* of them */
    uint64_t ejections; /* by failures or probes */
};

struct servers *servers_new(const struct config_origin *origin);
void servers_free(struct servers *s); /* NULL is fine */
const struct config_origin *servers_origin(const struct servers *s);
size_t servers_count(const struct servers *s);
/* How a server is spoken to by TLS: takes the reference over. Before there are pools. One of https
 * has SERVERS_TLS, which checks its certificate if the configuration says so; one whose scheme is
 * open has both. */
void servers_set_tls(struct servers *s, size_t server, enum servers_speech speech,
                     struct tls_client *tls);
struct tls_client *servers_tls(const struct servers *s, size_t server, enum servers_speech speech);

/* Begins a request's first attempt: never SERVERS_NONE. */
size_t servers_first(struct servers *s, uint64_t now_ms);
/* Begins one more attempt at a server that is not in `tried` (a bit each) and is up. SERVERS_NONE:
 * there is none, or the budget is used up. */
size_t servers_next(struct servers *s, uint32_t tried, uint64_t now_ms);
/* How an attempt went: at most once for each, before it ends. `err` is 0 when there was an answer;
 * its status may be one of fail_status. */
void servers_report(struct servers *s, size_t server, int err, unsigned status, uint64_t now_ms);
/* An attempt ends, reported or not. */
void servers_leave(struct servers *s, size_t server);

/* What one probe found; `why` says it in words when it went wrong. */
void servers_probed(struct servers *s, size_t server, bool ok, const char *why);

void servers_view(struct servers *s, size_t server, uint64_t now_ms, struct servers_view *out);
/* Attempts that were a second one for their request. */
uint64_t servers_retries(struct servers *s);
