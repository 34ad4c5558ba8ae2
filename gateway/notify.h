/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tells the service manager how the process is: sd_notify(3)'s protocol, which is one datagram of
 * NAME=VALUE lines to the Unix socket named by NOTIFY_SOCKET. `systemctl start` then returns when
 * visitors are served, and `systemctl reload` can show a reload under way.
 *
 * Without NOTIFY_SOCKET nothing happens. A manager that does not read costs at most
 * NOTIFY_PATIENCE_S and a warning: no edge stops for its supervisor. Thread: one at a time. */
#include "gateway/base/base.h"

#define NOTIFY_PATIENCE_S 1

enum notify_state {
    NOTIFY_READY,     /* serving; also the end of a reload */
    NOTIFY_RELOADING, /* with the monotonic instant that Type=notify-reload asks for */
    NOTIFY_STOPPING,
};

/* `status` is one line for people in `systemctl status`, or NULL. */
void notify(enum notify_state state, const char *status);
