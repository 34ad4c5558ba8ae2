/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Recorded exchanges as a HAR 1.2 document, which browsers' network panels and many tools open.
 * Secrets are hidden (record.h); bodies are not recorded, only their sizes are told.
 *
 * Thread: any, records are only read. Limits: the buffer's ceiling. */
#include "gateway/record.h"

void har_write(struct record *const *records, size_t count, struct gw_buf *out);
