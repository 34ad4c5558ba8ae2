/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/rate_limit.h"

#include "config/rules/ruleset.h"
#include "gateway/base/hash.h"

#define DEFINITION_MAX ((size_t)64 * 1024)

/* From the ruleset's end, for each rule: only expressions lie outside of its arena. */
void rate_limit_release(const struct rate_limit *rate)
{
    for (size_t i = 0; rate && i < rate->characteristic_count; i++)
        expr_free((struct expr *)rate->characteristics[i].value);
}

/* Everything that decides what a counter means, texts in quotes: no two definitions read alike when
 * it is known where each text ends. */
static void add_definition(const struct rule *rule, struct gw_buf *out)
{
    const struct rate_limit *rate = rule->rate;
    gw_buf_json(out, rule->expression);
    gw_buf_json(out, rate->counting ? expr_text(rate->counting) : GW_STR_EMPTY);
    gw_buf_json(out, rate->score_header);
    gw_buf_printf(out, "%llu %llu %llu %d", (unsigned long long)rate->limit,
                  (unsigned long long)rate->period_ms, (unsigned long long)rate->timeout_ms,
                  rate->to_origin);
    for (size_t i = 0; i < rate->characteristic_count; i++)
        gw_buf_json(out, rate->characteristics[i].text);
}

void rate_limit_name_all(struct rule *rules, size_t count)
{
    struct gw_buf text;
    gw_buf_init(&text, DEFINITION_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!rules[i].rate)
            continue;
        struct rate_limit *rate = (struct rate_limit *)rules[i].rate;
        gw_buf_clear(&text);
        add_definition(&rules[i], &text);
        uint64_t hash = gw_hash(gw_buf_str(&text));
        rate->definition = hash;
        for (size_t k = 0; k < i; k++)
            /* Equal rules count apart, as at Cloudflare, where each has an id of its own. */
            hash += rules[k].rate && rules[k].rate->definition == rate->definition;
        snprintf(rate->name, sizeof(rate->name), "%016llx", (unsigned long long)hash);
    }
    gw_buf_release(&text);
}
