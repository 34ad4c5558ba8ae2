/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A response's header lines as a list of HTTP/2 fields (RFC 9113 section 8.2). Names keep their
 * case: nghttp2 folds it while it copies. Lines that speak of an HTTP/1 connection are left out
 * (section 8.2.2). Thread: one. Owns: its list once that outgrows the first fields; slices are the
 * caller's. */
#include <nghttp2/nghttp2.h>

#include "gateway/base/str.h"

#define H2_FIELDS_FIRST 48

struct h2_fields {
    nghttp2_nv *items;
    size_t count, cap;
    char status[3], length[20];
    nghttp2_nv first[H2_FIELDS_FIRST];
};

void h2_fields_init(struct h2_fields *f, unsigned status);
void h2_fields_release(struct h2_fields *f);
/* "Name: value" lines, each with its CRLF. */
void h2_fields_lines(struct h2_fields *f, struct gw_str lines);
/* The same behind a status line. */
void h2_fields_head(struct h2_fields *f, struct gw_str head);
void h2_fields_length(struct h2_fields *f, uint64_t length);
