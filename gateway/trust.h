/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The local certificate authority in its folder, and the certificates it has made:
 *
 *     ca.pem  ca.key  certs/<first name>.pem  certs/<first name>.key        keys have mode 600
 *
 * The authority is made once and stays, so that trusting it once is enough. A certificate is made
 * anew when its names change or TRUST_RENEW_DAYS before it ends. Files are replaced whole, and a
 * lock keeps two processes from making two authorities. A folder that is somebody else's, or open
 * to everybody, is refused.
 *
 * Who makes: `nearedge trust`, and `run` for listeners with "local_ca". `check` makes nothing.
 * Thread: any, blocking (start, reload, command line). Owns: nothing but the files. */
#include "config/config.h"
#include "gateway/base/arena.h"

#define TRUST_RENEW_DAYS 30
#define TRUST_NAMES_MAX  900

struct trust_files {
    struct gw_str folder; /* texts in the arena, NUL behind each */
    struct gw_str ca, ca_key, certificate, key;
};

struct trust_names {
    struct gw_str *items;
    size_t count;
};

struct trust_report {
    bool made_ca, made_certificate;
    char ca_name[128], ca_sha256[96];
    uint64_t ca_until_s, certificate_until_s;
};

/* $XDG_DATA_HOME/nearedge, or ~/.local/share/nearedge. False without a home. */
GW_MUST bool trust_default_folder(struct gw_arena *arena, struct gw_str *out);
/* Where things are or will be. No name: the authority's files alone. */
struct trust_files trust_files(struct gw_arena *arena, struct gw_str folder,
                               const struct trust_names *names);
/* The hosts of all zones and the addresses of listeners, and this machine's own names. */
struct trust_names trust_names(const struct config *config, struct gw_arena *arena);
/* Makes what is missing, wrong or about to end; without names the authority alone. */
GW_MUST bool trust_make(const struct trust_files *files, const struct trust_names *names,
                        uint64_t wall_ms, struct trust_report *report, struct gw_diags *diags);

/* The files of one listener's "local_ca"; false without a folder, which is then an error. */
GW_MUST bool trust_find(const struct config *config, const struct config_certificate *c,
                        struct gw_arena *arena, struct trust_files *out, struct gw_diags *diags);
/* Makes what the listeners of a configuration need, before it is served. */
GW_MUST bool trust_prepare(const struct config *config, uint64_t wall_ms, struct gw_diags *diags);
