/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Every response that the edge itself writes, and the only place where an error becomes a status
 * (spec/cache-behaviour.md section 7.5). Pages are HTML for browsers and JSON for `Accept:
 * application/json`, with the Ray id. Each function sets x->reply and the step REPLY; texts live in
 * the exchange's arena. Thread: the worker's. */
#include "gateway/exchange.h"
#include "limiter/app_check.h"

/* An error page; cf-error-type is added for 52x and 530. */
void reply_error(struct exchange *x, unsigned status);
/* The page for what went wrong between us and the origin (x->origin_error is set to err). */
void reply_origin_error(struct exchange *x, int err);
/* Whether an origin's answer with this status is shown as the edge's page: 502 and 504, unless a
 * rule lets them pass (origin_error_page_passthru). What is stored is the origin's all the same. */
bool reply_brands(const struct exchange *x, unsigned status);
/* The limiter's own answer: the app's 429, its redirect, the app's 500, or 503. */
void reply_limited(struct exchange *x);
/* The app's own 403 of a zone with "mirror_checks". */
void reply_app_check(struct exchange *x, enum app_check check);
/* What a rate limiting rule that blocks or challenges answers: its own response, or the edge's page
 * with error 1015. */
void reply_rate_limited(struct exchange *x);
/* Status for a request that could not be parsed. */
unsigned reply_parse_status(int err);
