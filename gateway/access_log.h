/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One line per finished exchange: JSON with the field names of Logpush http_requests, or the common
 * log format (design/interface.md section 6). Cookies, Authorization and query values named in
 * log.mask are never written; limiter keys only as a hash.
 *
 * Lines are gathered in a buffer of the worker and leave in one write a loop turn (or when it is
 * full): many exchanges share one system call. A line is never torn between workers: files are
 * opened with O_APPEND and a write is at most the buffer. When the target does not take the bytes
 * (disk full, pipe closed), lines are dropped and counted, serving goes on, and the operational log
 * says so. Thread: the worker's. USR1: access_log_reopen, in every worker. */
#include "config/sections.h"
#include "gateway/net/loop.h"

struct access_log;
struct exchange;

/* The settings are borrowed until the next access_log_configure. A standard stream is opened now, a
 * file by access_log_reopen: as the user that the process has become (gateway/privilege.h). */
struct access_log *access_log_new(struct gw_loop *loop, const struct config_log *settings);
/* After a reload; flushes first. */
void access_log_configure(struct access_log *log, const struct config_log *settings);
void access_log_reopen(struct access_log *log);
/* Nothing when access logging is off. */
void access_log_write(struct access_log *log, const struct exchange *x);
void access_log_free(struct access_log *log); /* flushes */
