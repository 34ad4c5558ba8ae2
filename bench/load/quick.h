/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `--url` and what goes with it, as the text of a scenario: so the quick form means exactly what
 * the same words in a file mean, and --convert shows how to begin one. Thread: one. */
#include "bench/load/load.h"

/* Appends the scenario; mistakes in options are in diags. */
GW_MUST bool quick_scenario(const struct load_options *o, struct gw_buf *out,
                            struct gw_diags *diags);
