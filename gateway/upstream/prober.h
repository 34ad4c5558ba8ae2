/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Active health checks of one origin: each server is asked for health.path at once and then every
 * interval_ms, each time on a connection of its own; what was found goes to servers_probed.
 *
 * Good is an answer whose status is expected and, with json_status, whose body is an object with
 * one of these words in "status": an app that calls itself "degraded" still serves. One worker
 * probes for all. Intervals run on the configured clock, so that a virtual one can jump; the
 * timeout is a socket's and real. Thread: the loop's. Owns: its requests. Limits: PROBER_BODY_MAX
 * bytes of an answer are read, one probe of a server at a time. */
#include "gateway/net/clock_timer.h"
#include "gateway/upstream/balancer.h"

#define PROBER_BODY_MAX ((size_t)65536)

struct prober;

/* NULL when the origin has no health checks. The balancer is held, the timers are borrowed. */
struct prober *prober_new(struct balancer *balancer, struct clock_timers *timers);
/* How its next probes speak to servers whose URL leaves the scheme open [SERVERS_PLAIN]. NULL is
 * fine. */
void prober_speak(struct prober *p, enum servers_speech speech);
/* Probes under way are forgotten. NULL is fine. */
void prober_free(struct prober *p);
/* Whether an answer's body says that the server is well; `why` (of `size` bytes) gets the reason
 * when it does not. Pure. */
bool prober_body_ok(const struct config_health *health, struct gw_str body, char *why, size_t size);
