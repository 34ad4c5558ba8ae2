/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/dial.h"

/* Interleaves: the resolver's first address leads, then the first of the other family, and so on;
 * what is left of one family follows in its order. */
void dial_order(const struct resolver_answer *answer, uint8_t order[RESOLVER_ADDRESSES_MAX])
{
    bool used[RESOLVER_ADDRESSES_MAX] = {false};
    sa_family_t last = AF_UNSPEC;
    for (size_t place = 0; place < answer->count; place++) {
        size_t pick = RESOLVER_ADDRESSES_MAX;
        for (size_t i = 0; i < answer->count; i++) {
            if (used[i])
                continue;
            bool other = answer->addresses[i].any.sa_family != last;
            if (pick == RESOLVER_ADDRESSES_MAX || other)
                pick = i;
            if (other)
                break;
        }
        used[pick] = true;
        order[place] = (uint8_t)pick;
        last = answer->addresses[pick].any.sa_family;
    }
}

static bool is_any_under_way(const struct dial *d)
{
    for (size_t i = 0; i < d->next; i++)
        if (d->attempts[i].conn)
            return true;
    return false;
}

/* Runs when the owner gives up (a request that ends, the deadline for connecting) and when one
 * address has answered or all have failed. Twice is fine: without a loop nothing is under way. */
void dial_cancel(struct dial *d)
{
    if (!d->loop)
        return;
    gw_deadline_cancel(&d->stagger);
    for (size_t i = 0; i < d->next; i++)
        if (d->attempts[i].conn)
            conn_abandon(d->attempts[i].conn);
    free(d->answer);
    d->answer = NULL;
    d->loop = NULL;
    d->next = d->count = 0;
}

static void finish(struct dial *d, struct conn *c, int err)
{
    dial_cancel(d);
    /* Last: the owner, in whom the dial is embedded, may start it again or free it. */
    d->done(d, c, err);
}

static void begin_next(struct dial *d);

/* The winner leaves its attempt first: what dial_cancel then finds are the losers. A failure begins
 * the next address at once (RFC 8305 section 5), which also moves the stagger. */
static void on_connect(void *ctx, int err)
{
    struct dial_attempt *attempt = ctx;
    struct dial *d = attempt->dial;
    struct conn *c = attempt->conn;
    attempt->conn = NULL;
    conn_set_owner(c, NULL, NULL);
    if (err == 0) {
        finish(d, c, 0);
        return;
    }
    conn_close(c);
    d->err = err;
    if (d->next < d->count)
        begin_next(d);
    else if (!is_any_under_way(d))
        finish(d, NULL, err);
}

static void on_stagger(struct gw_deadline *deadline)
{
    begin_next(gw_container_of(deadline, struct dial, stagger));
}

static void begin_next(struct dial *d)
{
    static const struct conn_events events = {.on_connect = on_connect};
    struct dial_attempt *attempt = &d->attempts[d->next];
    const struct net_address *to = &d->answer->addresses[d->order[d->next]];
    d->next++;
    attempt->dial = d;
    attempt->conn = conn_connect(d->loop, to, &events, attempt);
    if (d->next < d->count)
        gw_deadline_set(d->loop, &d->stagger, DIAL_STAGGER_MS);
    else
        gw_deadline_cancel(&d->stagger);
}

void dial_start(struct dial *d, struct gw_loop *loop, const struct resolver_answer *answer)
{
    d->loop = loop;
    d->answer = gw_alloc(sizeof(*d->answer));
    *d->answer = *answer;
    d->count = answer->count;
    d->next = 0;
    d->err = 0;
    gw_deadline_init(&d->stagger, on_stagger);
    dial_order(answer, d->order);
    begin_next(d);
}
