/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the kernel knows about this process, for metrics and reports: read from /proc/self at the
 * moment of the call, so that nothing has to be kept up to date.
 *
 * Thread: any. Without /proc (a bare chroot) everything is 0. */
#include "gateway/base/base.h"

struct gw_process {
    double cpu_seconds;   /* user and system, all threads */
    double start_seconds; /* since the epoch */
    uint64_t resident_bytes, virtual_bytes;
    uint64_t open_fds, max_fds;
};

struct gw_process gw_process_read(void);
