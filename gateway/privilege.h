/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who the process is. Started as root for ports below 1024, it binds as root and becomes the user
 * of "user" (or `run --user`) for good before the first thread and the first visitor.
 *
 * Opened as root: the configuration and what it names (at start), listeners, standard streams.
 * Opened as the user: log files, also at start. A root that created or handed over a file in a
 * folder of that user could be led by a link to any file of the system. Also as the user: whatever
 * a reload reads, the ready file, rulesets that the API writes.
 *
 * Afterwards no supplementary group of root's is left, no capability, no program that is executed
 * can gain any (no_new_privs), and other processes of the user cannot read the memory, which holds
 * TLS keys and tokens (not dumpable: no core files either). Thread: main, before others exist. */
#include "gateway/base/diag.h"

struct config;

struct privilege {
    bool wanted;       /* false: the process stays who it is */
    bool only_group;   /* GROUP was given: no other groups, not those of the user either */
    char name[64];     /* as messages say it */
    unsigned uid, gid; /* uid_t and gid_t */
};

/* Looks up "NAME[:GROUP]" of the configuration, or `given`, which goes before it; NULL: not given.
 * Names or numbers. False after an error, which is in diags: nobody of that name, or root. */
GW_MUST bool privilege_find(const struct config *config, const char *given, struct privilege *out,
                            struct gw_diags *diags);
/* Becomes that user, or says in the log why not: root without a user is worth a warning, and so is
 * a user when the process is not root. False, logged: the process must not go on. */
GW_MUST bool privilege_drop(const struct privilege *p);
