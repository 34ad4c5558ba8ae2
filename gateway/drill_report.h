/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What came out of a drill, for people and for programs. Thread: any. */
#include "gateway/base/buf.h"
#include "gateway/drill.h"

void drill_text(const struct drill_options *options, const struct drill_result *result,
                struct gw_buf *out);
void drill_json(const struct drill_options *options, const struct drill_result *result,
                struct gw_buf *out);
