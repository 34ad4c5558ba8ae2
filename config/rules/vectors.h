/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Runs rule vectors: expression, request and the expected answer, one JSON object each (the format
 * of tests/rules). Behind `nearedge rules test`; vectors assume every entitlement. Blocking; for
 * the verb and tests. Thread: one. Owns: nothing. */
#include <stdio.h>

#include "gateway/base/diag.h"

struct rules_vectors_totals {
    size_t passed, failed;
};

/* Adds to *totals and writes a line about each failure to out (NULL: none). 0, or -1 when the file
 * is no vector file: the reasons are in diags. */
GW_MUST int rules_vectors_run(const char *path, FILE *out, struct rules_vectors_totals *totals,
                              struct gw_diags *diags);
