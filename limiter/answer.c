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

#define HEAD_LINES  "Content-Type: application/json\r\n" SECURITY_LINES

static const char head_text[] = HEAD_LINES "Retry-After: ";
static const char error_head[] = HEAD_LINES;
static const char error_start[] =
    "{\"success\":false,\"error\":{\"type\":\"server_error\",\"message\":\"";
static const char error_end[] = "\"}}";
static const char deny_text[] = "{\"error\":\"Rate limit exceeded\",\"retryAfter\":";
static const char away_text[] = "{\"error\":\"Rate limiter unavailable\",\"retryAfter\":";

_Static_assert(sizeof(head_text) + sizeof(away_text) + 2 * SECONDS_MAX + 4 <= LIMITER_ANSWER_SIZE,
               "the longest refusal fits the scratch");
_Static_assert(sizeof(error_start) + sizeof(error_end) + LIMITER_FAULT_MAX <= LIMITER_ANSWER_SIZE,
               "the longest error fits the scratch");

/* Around the number, where there is one. */
static const struct {
    const char *before, *after;
} faults[] = {
    [LIMITER_NO_FAULT] = {"", NULL},
    [LIMITER_KV_WRITE_LIMIT] = {"KV PUT failed: 429 Too Many Requests", NULL},
    [LIMITER_KV_KEY_LENGTH] = {"KV PUT failed: 414 UTF-8 encoded length of ",
                               " exceeds key length limit of 512."},
    [LIMITER_KV_EXPIRATION] = {"KV PUT failed: 400 Invalid expiration_ttl of ",
                               ". Expiration TTL must be at least 60."},
    [LIMITER_OBJECT_OVERLOADED] = {"Durable Object is overloaded", NULL},
    [LIMITER_OBJECT_QUEUE] = {"Durable Object is overloaded. Too many requests queued.", NULL},
};

static char *add(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

struct gw_str limiter_fault_text(enum limiter_fault fault, uint32_t value,
                                 char out[LIMITER_FAULT_MAX])
{
    const char *after = faults[fault].after;
    char *at = add(out, faults[fault].before, strlen(faults[fault].before));
    if (after) {
        at += gw_u64_digits(at, value);
        at = add(at, after, strlen(after));
    }
    return gw_str(out, (size_t)(at - out));
}

struct gw_str limiter_answer_head(void)
{
    return gw_str(error_head, sizeof(error_head) - 1);
}

static struct limiter_answer error_answer(const struct limiter_verdict *verdict,
                                          char scratch[LIMITER_ANSWER_SIZE])
{
    char text[LIMITER_FAULT_MAX];
    struct gw_str message = limiter_fault_text(verdict->fault, verdict->fault_value, text);
    char *at = add(scratch, error_start, sizeof(error_start) - 1);
    at = add(at, message.ptr, message.len);
    at = add(at, error_end, sizeof(error_end) - 1);
    return (struct limiter_answer){
        .status = 500,
        .head = limiter_answer_head(),
        .body = gw_str(scratch, (size_t)(at - scratch)),
    };
}

struct limiter_answer limiter_answer(const struct limiter_route *route,
                                     const struct limiter_verdict *verdict,
                                     char scratch[LIMITER_ANSWER_SIZE])
{
    if (verdict->outcome == LIMITER_ERROR)
        return error_answer(verdict, scratch);
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
