/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/retry_budget.h"

/* A slot is emptied when its second comes round again: nothing has to be swept. */
static struct retry_slot *slot_of(struct retry_budget *b, uint64_t now_ms)
{
    uint64_t second = now_ms / 1000;
    struct retry_slot *slot = &b->slots[second % RETRY_WINDOW_S];
    if (slot->second != second)
        *slot = (struct retry_slot){.second = second};
    return slot;
}

void retry_budget_count(struct retry_budget *b, uint64_t now_ms)
{
    slot_of(b, now_ms)->requests++;
}

bool retry_budget_take(struct retry_budget *b, const struct config_retry *config, uint64_t now_ms)
{
    uint64_t requests = 0, retries = 0;
    struct retry_slot *now = slot_of(b, now_ms);
    for (size_t i = 0; i < RETRY_WINDOW_S; i++) {
        if (b->slots[i].second + RETRY_WINDOW_S <= now->second)
            continue;
        requests += b->slots[i].requests;
        retries += b->slots[i].retries;
    }
    /* The number a second is for origins with few visitors, of whose requests a share would be
     * none. */
    bool granted = now->retries < config->min_per_second ||
                   (retries + 1) * 100 <= requests * config->budget_percent;
    now->retries += granted;
    return granted;
}
