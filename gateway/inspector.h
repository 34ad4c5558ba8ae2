/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The files of the inspector page (gateway/inspector/), put into the binary at build time: the page
 * is there wherever the binary is, and can never be of another version.
 *
 * Thread: any, constant. Owns: nothing. */
#include "gateway/base/str.h"

struct inspector_file {
    const char *name; /* without folders */
    const unsigned char *bytes;
    size_t size;
};

/* Ends with a NULL name. */
extern const struct inspector_file inspector_files[];
