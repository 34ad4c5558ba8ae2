/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Work for the main thread, which alone builds and installs snapshots: reloads and the API's writes
 * are serialised by running there, one after the other, and may read and write files, which no
 * worker's loop may.
 *
 * A job is embedded in its owner and runs once. Thread: submit any; the rest the main thread. */
#include <pthread.h>
#include <signal.h>

#include "gateway/base/list.h"

/* Wakes the main thread, the only one that waits for signals; harmless from outside. It is sent to
 * the process and has a number above TERM's: of the signals pending there the kernel hands out the
 * lowest first, so jobs without end cannot hold up the end of the process. */
#define CONTROL_SIGNAL SIGURG

struct control_job {
    struct gw_list link;
    void (*run)(struct control_job *job);
};

struct control {
    pthread_mutex_t lock;
    struct gw_list jobs;
    bool closed;
};

void control_init(struct control *c);
void control_release(struct control *c);
/* False when the process is ending: the job will not run. */
GW_MUST bool control_submit(struct control *c, struct control_job *job);
/* Runs what waits. */
void control_run(struct control *c);
/* Takes no more, then runs what waits. */
void control_close(struct control *c);
