/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The app's own refusals of requests from elsewhere, in front of its limiter: what they stop spends
 * no budget (spec/limiter.md a3).
 *
 *   1. the framework refuses form-like bodies whose Origin is not the URL's own
 *   2. the wrapper wants Origin, or else Referer, to be the app's or an allowed one …
 *   3. … and, where the route says so, X-CSRF-Token to equal the cookie csrf_token
 *
 * Only unsafe methods are looked at. The session check is not among them: it stands behind the
 * limiter, in the handler, and a 401 has spent its call; the origin gives it as ever.
 *
 * Thread: none, pure. Owns: nothing. */
#include "gateway/http/headers.h"
#include "limiter/answer.h"

enum app_check {
    APP_CHECK_PASSES,
    APP_CHECK_FORM,      /* text 403 */
    APP_CHECK_NO_ORIGIN, /* the app's 403s */
    APP_CHECK_ORIGIN,
    APP_CHECK_TOKEN,
};

struct app_request {
    enum http_method method;
    const struct headers *headers;
    struct gw_str own_origin; /* "https://www.example.com", lower case */
};

/* Check 1, which comes first whatever the route says. */
enum app_check app_check_form(const struct app_request *request);
/* Checks 2 and 3. */
enum app_check app_check_route(const struct limiter_policy *policy,
                               const struct limiter_route *route,
                               const struct app_request *request);
/* Why a request does not pass. */
const char *app_check_text(enum app_check check);
/* The answer to it. */
struct limiter_answer app_check_answer(enum app_check check, enum http_method method,
                                       char scratch[LIMITER_ANSWER_SIZE]);
