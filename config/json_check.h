/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The syntax of JSON with comments, checked before the parser sees the text.
 *
 * Why a pass of its own: cJSON knows no comments, tells neither line nor reason, and takes texts
 * that are not JSON (a raw line end in a string, 01, bytes that are not UTF-8, \u0000 that would
 * cut a string short). After this pass it cannot fail. Internal to config/json. Thread: none, pure.
 * Owns: nothing. Source: RFC 8259, with the comments of C. */
#include "gateway/base/diag.h"

#define JSON_DEPTH_MAX  100
#define JSON_DIGITS_MAX 60 /* cJSON reads a number through a buffer of 64 bytes */

/* True when the text is one JSON value, of at most `values_max` with all that are in it. `text` is
 * a copy of source->text of the same length; its comments (and a byte order mark) are overwritten
 * with spaces, so that offsets stay true. The first fault goes to diags with what was expected. */
GW_MUST bool json_check(const struct gw_source *source, char *text, size_t values_max,
                        struct gw_diags *diags);

/* The offset of the first byte at or behind `at` that is neither white space nor comment. */
size_t json_skip_space(struct gw_str text, size_t at);
/* The offset behind the string that starts at the quote `at`, of a text that json_check took. */
size_t json_skip_string(struct gw_str text, size_t at);
/* The four hexadecimal digits at `at`. */
GW_MUST bool json_hex4(struct gw_str text, size_t at, unsigned *code);
