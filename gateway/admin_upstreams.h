/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the admin listener adds to the metrics about servers, faults and certificates, in Prometheus
 * text format: these series come and go with the configuration. Thread: worker 0's. */
#include "gateway/base/buf.h"
#include "gateway/snapshot.h"

void admin_upstream_metrics(const struct snapshot *s, uint64_t now_ms, struct gw_buf *out);
void admin_fault_metrics(const struct snapshot *s, struct gw_buf *out);
/* One series a certificate, however many listeners show it. */
void admin_certificate_metrics(const struct snapshot *s, struct gw_buf *out);
