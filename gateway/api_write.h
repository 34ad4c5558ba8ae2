/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A write of the API. Its call is taken off worker 0's loop to the main thread (control.h), where
 * the writer checks it and says what is to change; the change is written to its file if
 * admin.persist says so, becomes a new snapshot, and is installed; when all workers use it, the
 * answer goes back to the client. So whoever has the answer meets the new rules on every worker.
 *
 * With ?dry_run=true all checks are made and nothing is kept. A client that goes away meanwhile
 * does not stop a write. Owns: everything, freed by the last of the two threads. Thread: writers
 * run on the main thread and touch neither call.exchange nor call.worker, which are NULL. */
#include "gateway/api_rulesets_store.h"

struct api_write {
    struct admin_call call; /* path, query and body of its own; the answer is written here */
    struct gw_arena arena;
    struct api_problems problems;
    struct server *server;
    const struct snapshot *snapshot;  /* the newest */
    const struct snapshot_zone *zone; /* NULL: of none */
    struct json_doc *body;            /* an object, unless the writer does not want one */
    struct gw_time now;               /* of the configured clock */
    bool dry_run;

    struct snapshot_change change;     /* by the writer */
    const struct api_ruleset *written; /* to be persisted: its newest version; NULL: nothing is */
    struct gw_str messages;            /* entries for the envelope */
};

/* True: the change stands and the answer is written. False: refused, likewise. */
typedef bool api_writer(struct api_write *w);

enum api_body { API_BODY_NONE, API_BODY_OBJECT };

/* For handlers: answers at once what can be (no such zone, a broken body), or ADMIN_WAIT. */
enum admin_result api_write_start(struct admin_call *call, enum api_body body, api_writer *writer);
/* The same for a write that is about no zone in the path: w->zone is NULL, and what the writer says
 * in case of a refusal has the house's form. */
enum admin_result api_write_start_all(struct admin_call *call, enum api_body body,
                                      api_writer *writer);
/* The client of a call that waits has gone. */
void api_write_abandon(struct admin_call *call);
