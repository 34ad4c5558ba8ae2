/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/answer.h"

#include "gateway/base/buf.h"

/* What the app's API wrapper puts on every answer. */
#define SECURITY_LINES                                                                             \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "X-Frame-Options: DENY\r\n"                                                                    \
    "Referrer-Policy: strict-origin-when-cross-origin\r\n"                                         \
    "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"                  \
    "Permissions-Policy: camera=(), microphone=(), geolocation=(), interest-cohort=()\r\n"
#define SECONDS_MAX 10 /* digits of a uint32_t */

static const char head_text[] = "Content-Type: application/json\r\n" SECURITY_LINES "Retry-After: ";
static const char deny_text[] = "{\"error\":\"Rate limit exceeded\",\"retryAfter\":";
static const char away_text[] = "{\"error\":\"Rate limiter unavailable\",\"retryAfter\":";

_Static_assert(sizeof(head_text) + sizeof(away_text) + 2 * SECONDS_MAX + 4 <= LIMITER_ANSWER_SIZE,
               "the longest answer fits the scratch");

static char *add(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

struct limiter_answer limiter_answer(const struct limiter_route *route,
                                     const struct limiter_verdict *verdict,
                                     char scratch[LIMITER_ANSWER_SIZE])
{
    bool denied = verdict->outcome == LIMITER_DENY;
    if (denied && route && route->redirect_head.len)
        return (struct limiter_answer){302, route->redirect_head, GW_STR_EMPTY};
    char digits[20];
    size_t count = gw_u64_digits(digits, verdict->retry_after_s);
    char *at = add(scratch, head_text, sizeof(head_text) - 1);
    at = add(at, digits, count);
    at = add(at, "\r\n", 2);
    char *body = at;
    at = denied ? add(at, deny_text, sizeof(deny_text) - 1)
                : add(at, away_text, sizeof(away_text) - 1);
    at = add(at, digits, count);
    *at++ = '}';
    return (struct limiter_answer){
        .status = denied ? 429 : 503,
        .head = gw_str(scratch, (size_t)(body - scratch)),
        .body = gw_str(body, (size_t)(at - body)),
    };
}
