/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Writes a regex tree as a PCRE2 pattern, in the small subset where nothing depends on options:
 * bytes and classes in hexadecimal, plain groups, greedy counts. Thread: any. */
#include "config/rules/regex_tree.h"
#include "gateway/base/buf.h"

/* Recursion is as deep as the reader's nesting limit. */
void regex_pcre_write(const struct regex_node *n, struct gw_buf *out);
