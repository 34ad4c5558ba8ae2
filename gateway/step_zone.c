/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"
#include "gateway/https_redirect.h"
#include "gateway/reply.h"
#include "gateway/visit.h"

static enum step_result refuse(struct exchange *x, unsigned status)
{
    reply_error(x, status);
    return STEP_MORE;
}

/* Rules and cache key see the normalised URL; the origin only when the zone says so
 * (spec/cache-behaviour.md section 2.14). */
static bool normalise_url(struct exchange *x)
{
    const struct url *url = &x->request.url;
    x->origin_path = x->path = url->path;
    x->origin_query = x->query = url->query;
    if (!visit_normalise(exchange_zone(x), url, &x->arena, &x->path, &x->query))
        return false;
    if (exchange_zone(x)->settings.url_normalization.scope == CONFIG_URL_BOTH) {
        x->origin_path = x->path;
        x->origin_query = x->query;
    }
    return true;
}

enum step_result step_zone(struct exchange *x)
{
    const struct snapshot *snapshot = x->ws->snapshot;
    unsigned refused = visit_zone(snapshot, &x->request, &x->zone);
    if (refused)
        return refuse(x, refused);
    /* The visitor is sent to the very URL he wrote: before it is normalised. */
    if (visit_needs_https(exchange_zone(x), x->client.https)) {
        https_redirect(x);
        return STEP_MORE;
    }
    if (!normalise_url(x))
        return refuse(x, 414);
    /* An announced body is refused before a byte of it is read; one in chunks is measured as it
     * comes (exchange_on_body). */
    x->body_max = snapshot->config->limits.body_size;
    if (x->request.framing == H1_BODY_LENGTH && x->request.content_length > x->body_max)
        return refuse(x, 413);
    x->step = STEP_RULES;
    return STEP_MORE;
}
