/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Sends a recorded request again, to the same edge or to another one: a session without a
 * connection, whose bytes come from a record and whose answer is counted and thrown away. The
 * exchange is an ordinary one: it is limited, cached, logged and recorded like a visitor's.
 *
 * Life: replay_start … done, once, in a later turn, unless replay_abandon comes first. Requests
 * that had a body, or that became a tunnel, cannot be sent again. Thread: the worker's loop. Owns:
 * itself, freed after done or replay_abandon. */
#include "gateway/record.h"

struct replay;
struct worker;

struct replay_result {
    char ray[17]; /* of the new exchange, NUL-terminated */
    unsigned status;
    uint64_t bytes; /* of body */
    bool cut;       /* the response could not be completed */
};

/* `edge`: index in the worker's snapshot. NULL when the recorded head is none that a client could
 * send (fields were dropped from a record that is too large). */
GW_MUST struct replay *replay_start(struct worker *worker, const struct record *record, size_t edge,
                                    void (*done)(void *ctx, const struct replay_result *result),
                                    void *ctx);
void replay_abandon(struct replay *r);
