/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Request methods (RFC 9110 section 9). The set is open: a method that is not listed here is
 * METHOD_OTHER and travels by its text (QUERY, the WebDAV verbs, what comes next). Methods are
 * case-sensitive. Thread: any. */
#include "gateway/base/str.h"

#define HTTP_METHODS(X)                                                                            \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(CONNECT) X(OPTIONS) X(TRACE) X(PATCH) X(PURGE)

#define X(name) METHOD_##name,
enum http_method { METHOD_OTHER, HTTP_METHODS(X) METHOD_COUNT };
#undef X

enum http_method http_method_of(struct gw_str text);
/* "GET"; empty for METHOD_OTHER. Static storage. */
struct gw_str http_method_name(enum http_method method);
