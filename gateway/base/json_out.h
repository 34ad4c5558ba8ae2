/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Writing JSON into a buffer, a member at a time, in the order in which it is to be read. There is
 * no writer to carry about: whether a comma is due shows in the last byte that was written, so
 * these mix with gw_buf_printf and with functions that write a whole value. (config/json.h reads.)
 *
 * Invariant: none is due behind '{', '[', ':' or nothing; behind everything else it is. Strings end
 * with their quote, so no text can look like one of these. `name` is a literal of ours and stands
 * as it is; NULL: the next element of a list, or the outermost value.
 *
 * Thread: one. Owns: nothing. Limits: the buffer's; `overflow` is asked at the end. Source: RFC
 * 8259 sections 2, 4, 5. */
#include "gateway/base/buf.h"

/* The comma, if one is due: for a value that somebody else writes into a list. */
void gw_json_next(struct gw_buf *out);
/* Comma and name: for a value that somebody else writes. */
void gw_json_name(struct gw_buf *out, const char *name);

void gw_json_text(struct gw_buf *out, const char *name, struct gw_str value);
void gw_json_u64(struct gw_buf *out, const char *name, uint64_t value);
void gw_json_bool(struct gw_buf *out, const char *name, bool value);
void gw_json_null(struct gw_buf *out, const char *name);

/* '{' or '['; the caller closes it with gw_buf_char. */
void gw_json_object(struct gw_buf *out, const char *name);
void gw_json_list(struct gw_buf *out, const char *name);
