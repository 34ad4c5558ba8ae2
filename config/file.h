/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reading whole files and resolving the paths in them. Blocking: for start-up, reload and tools
 * only, never inside a worker's turn. Limit: the buffer's ceiling. Thread: any but a worker's.
 * Owns: nothing; what is returned is the caller's. */
#include "gateway/base/arena.h"
#include "gateway/base/buf.h"

/* Appends the file to `out`. 0, a negative errno (-EISDIR for a folder), or GW_ELIMIT when it is
 * larger than out->max; out is then what it was. */
GW_MUST int file_read(const char *path, struct gw_buf *out);

/* 0 when the file could be read, else a negative errno. */
GW_MUST int file_probe(const char *path);

/* The path as seen from the folder of `base` (a file; NULL: the working directory), with a NUL
 * behind it, in the arena. */
struct gw_str file_resolve(struct gw_arena *arena, const char *base, struct gw_str path);
