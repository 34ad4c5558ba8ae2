/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A question for explain.h from a JSON object: the body of POST /api/explain or of the trace API,
 * or the "request" of a rule test. One reader, so that a body that explains a request can stand in
 * a test as it is.
 *
 * Thread: one. Owns: nothing, texts are borrowed from the object, headers lie in the arena. Limits:
 * 256 header fields, 64 KiB of cookies. */
#include "config/json.h"
#include "gateway/explain.h"

enum explain_form {
    EXPLAIN_FORM_OWN,   /* url, method, headers, cookies, ip, edge, country, tls_* */
    EXPLAIN_FORM_TRACE, /* Cloudflare's: the country is context.geoloc.iso_code; method required */
};

struct explain_asked {
    struct explain_question question; /* its headers are those below */
    struct headers headers;
    const struct json *wrong; /* where the error is */
    char error[EXPLAIN_ERROR_MAX];
};

/* False: a->error says why. */
GW_MUST bool explain_question_read(struct explain_asked *a, const struct json *object,
                                   enum explain_form form, struct gw_arena *arena);
