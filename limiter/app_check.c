/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/app_check.h"

#include "gateway/base/buf.h"
#include "gateway/http/cookie.h"

static bool is_unsafe(enum http_method method)
{
    return method == METHOD_POST || method == METHOD_PUT || method == METHOD_PATCH ||
           method == METHOD_DELETE;
}

static struct gw_str field(const struct app_request *r, enum header_id id)
{
    const struct gw_str *value = headers_get(r->headers, id);
    return value ? gw_str_trim(*value) : GW_STR_EMPTY;
}

/* ---- forms ---- */

/* What a page of another site can make a browser send without asking first; no type at all counts
 * as one of them. */
static bool is_form_like(struct gw_str type)
{
    static const struct gw_str forms[] = {GW_STR("application/x-www-form-urlencoded"),
                                          GW_STR("multipart/form-data"), GW_STR("text/plain")};
    struct gw_str media = gw_str_trim(gw_str_first(type, gw_str_chr(type, ';')));
    for (size_t i = 0; i < GW_COUNT(forms); i++)
        if (gw_str_ieq(media, forms[i]))
            return true;
    return media.len == 0;
}

enum app_check app_check_form(const struct app_request *r)
{
    if (!is_unsafe(r->method) || !is_form_like(field(r, HEADER_CONTENT_TYPE)) ||
        gw_str_eq(field(r, HEADER_ORIGIN), r->own_origin))
        return APP_CHECK_PASSES;
    return APP_CHECK_FORM;
}

/* ---- the route's checks ---- */

/* "https://www.example.com" of "https://www.example.com/page?q". */
static struct gw_str origin_of_url(struct gw_str url)
{
    size_t scheme = gw_str_find(url, GW_STR("://"));
    if (scheme == GW_NPOS)
        return url;
    size_t path = gw_str_chr(gw_str_from(url, scheme + 3), '/');
    return path == GW_NPOS ? url : gw_str_first(url, scheme + 3 + path);
}

static bool is_allowed(const struct limiter_policy *policy, const struct app_request *r,
                       struct gw_str origin)
{
    size_t count;
    const struct gw_str *allowed = limiter_policy_origins(policy, &count);
    for (size_t i = 0; i < count; i++)
        if (gw_str_ieq(allowed[i], origin))
            return true;
    return gw_str_ieq(r->own_origin, origin);
}

static enum app_check check_origin(const struct limiter_policy *policy, const struct app_request *r)
{
    struct gw_str origin = field(r, HEADER_ORIGIN);
    if (!origin.len)
        origin = origin_of_url(field(r, HEADER_REFERER));
    if (!origin.len)
        return APP_CHECK_NO_ORIGIN;
    return is_allowed(policy, r, origin) ? APP_CHECK_PASSES : APP_CHECK_ORIGIN;
}

static bool has_token(const struct app_request *r)
{
    struct gw_str cookie;
    const struct gw_str *token = headers_find(r->headers, GW_STR("x-csrf-token"));
    return token && token->len && cookie_find(r->headers, GW_STR("csrf_token"), &cookie) &&
           gw_str_eq(*token, cookie);
}

enum app_check app_check_route(const struct limiter_policy *policy,
                               const struct limiter_route *route, const struct app_request *r)
{
    if (!is_unsafe(r->method))
        return APP_CHECK_PASSES;
    enum app_check check = route->origin_check ? check_origin(policy, r) : APP_CHECK_PASSES;
    if (check == APP_CHECK_PASSES && route->csrf && !has_token(r))
        check = APP_CHECK_TOKEN;
    return check;
}

/* ---- answers ---- */

static const char *const messages[] = {
    [APP_CHECK_NO_ORIGIN] = "Missing Origin/Referer header",
    [APP_CHECK_ORIGIN] = "Origin not allowed",
    [APP_CHECK_TOKEN] = "Invalid CSRF token",
};

const char *app_check_text(enum app_check check)
{
    return check == APP_CHECK_FORM ? "Cross-site form submissions are forbidden" : messages[check];
}

struct limiter_answer app_check_answer(enum app_check check, enum http_method method,
                                       char scratch[LIMITER_ANSWER_SIZE])
{
    struct gw_buf body = gw_buf_over(scratch, LIMITER_ANSWER_SIZE);
    if (check == APP_CHECK_FORM) { /* by the framework: the wrapper's headers are not on it */
        gw_buf_printf(&body, "Cross-site %.*s form submissions are forbidden",
                      GW_STR_ARG(http_method_name(method)));
        return (struct limiter_answer){403, GW_STR("Content-Type: text/plain;charset=UTF-8\r\n"),
                                       gw_buf_str(&body)};
    }
    gw_buf_printf(&body,
                  "{\"success\":false,\"error\":{\"type\":\"forbidden\",\"message\":\"%s\"}}",
                  messages[check]);
    return (struct limiter_answer){403, limiter_answer_head(), gw_buf_str(&body)};
}
