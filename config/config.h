/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The configuration of one nearedge process: typed, checked and immutable. The key table behind it
 * is config/schema.h; its parts are in config/sections.h and config/zone.h.
 *
 * Invariants of a loaded configuration: at least one listener, edge and zone; every listener's edge
 * exists; no host, zone name, zone id or listening address stands twice; every ruleset and limiters
 * file could be opened. Values that lenient_secrets let pass are empty: such a configuration is for
 * checking, not for running. Texts end with a NUL behind their length; one that was not given has
 * ptr == NULL. Numbers in brackets are defaults, units are in the names.
 *
 * Owns: everything it points to, in one arena. Thread: one builds, then any reads. */
#include "config/sections.h"
#include "config/zone.h"
#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"

struct json_doc;

/* What a system call outside the filter meets: EPERM, or the end of the process. */
enum config_seccomp_action { CONFIG_SECCOMP_DENY, CONFIG_SECCOMP_KILL };

struct config {
    struct gw_str path; /* of the file; not given: built from flags */
    struct config_listen *listen;
    size_t listen_count;
    struct config_admin admin;
    uint32_t workers;                /* threads [0: one for each processor] */
    struct gw_cidr *trusted_proxies; /* [none] */
    size_t trusted_proxy_count;
    enum gw_clock_mode clock;    /* [system] */
    struct gw_str server_header; /* [cloudflare]; empty: the origin's Server passes */
    bool debug_headers;          /* [false] X-Nearedge-Decision on responses */
    struct config_edge *edges;
    size_t edge_count;
    struct config_zone *zones;
    size_t zone_count;
    struct config_cache cache;
    struct config_limiter limiter;
    struct config_timeouts timeouts;
    struct config_limits limits;
    struct config_log log;
    uint32_t faults_seed;       /* [1] which requests a ratio of faults meets */
    const struct json_doc *doc; /* as it stood, for messages about expressions */
    struct gw_str user;         /* NAME[:GROUP] that root becomes; not given: it stays root */
    bool seccomp;               /* [false] a filter of system calls (gateway/seccomp.h) */
    enum config_seccomp_action seccomp_action; /* [deny] */
};

/* The certificates of one listener; those of the admin's stand behind the last one's. */
struct config_certificates {
    const struct config_certificate *items;
    size_t count;
};
static inline struct config_certificates config_certificates(const struct config *config,
                                                             size_t listener)
{
    if (listener == config->listen_count)
        return (struct config_certificates){config->admin.tls, config->admin.tls_count};
    const struct config_listen *listen = &config->listen[listener];
    return (struct config_certificates){listen->tls, listen->tls_count};
}

/* What the command line says about a file; all zero for none. */
struct config_overrides {
    bool lenient_secrets; /* an undefined ${VAR} or unreadable ${file:} is a warning and empty */
    const char *plan;     /* of every zone ("free"…), or NULL */
};

/* `run` without a file. Lists are NULL-terminated; everything but origin and hosts may be NULL. */
struct config_flags {
    const char *origin;
    const char *const *hosts; /* each may be a list with commas */
    const char *const *rules;
    const char *limiters;
    const char *plan;   /* [free] */
    const char *listen; /* [127.0.0.1:8080] */
    const char *admin;  /* an address; NULL: no admin listener */
};

/* NULL after any error; all of them are in diags, and warnings in any case. `overrides` may be
 * NULL. */
GW_MUST struct config *config_load(const char *path, const struct config_overrides *overrides,
                                   struct gw_diags *diags);
/* The same from a text already read; relative paths in it start at source->name's folder. */
GW_MUST struct config *config_load_text(const struct gw_source *source,
                                        const struct config_overrides *overrides,
                                        struct gw_diags *diags);
GW_MUST struct config *config_from_flags(const struct config_flags *flags, struct gw_diags *diags);
void config_free(struct config *config);

/* Every key with its type, default and meaning, one a line: `zones[].origin.url  a string …`. */
void config_describe(struct gw_buf *out);
