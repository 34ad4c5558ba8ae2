/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "gateway/net/tls_tickets.h"

#include <pthread.h>

#include "gateway/base/hash.h"

enum { NEWEST, OLDER, KEYS };

struct tls_tickets {
    pthread_mutex_t lock;
    struct tls_ticket_key keys[KEYS];
    uint64_t newest_since_ms;
    bool has_older;
};

struct tls_tickets *tls_tickets_new(uint64_t now_ms)
{
    struct tls_tickets *t = gw_zalloc(sizeof(*t));
    pthread_mutex_init(&t->lock, NULL);
    gw_random(&t->keys[NEWEST], sizeof(t->keys[NEWEST]));
    t->newest_since_ms = now_ms;
    return t;
}

void tls_tickets_free(struct tls_tickets *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    explicit_bzero(t->keys, sizeof(t->keys));
    free(t);
}

/* Rotation happens on use: a ring that nobody asks needs no timer. */
static void rotate(struct tls_tickets *t, uint64_t now_ms)
{
    uint64_t age = now_ms - t->newest_since_ms;
    if (age < TLS_TICKETS_ROTATE_MS)
        return;
    t->has_older = age < 2 * TLS_TICKETS_ROTATE_MS;
    t->keys[OLDER] = t->has_older ? t->keys[NEWEST] : (struct tls_ticket_key){0};
    gw_random(&t->keys[NEWEST], sizeof(t->keys[NEWEST]));
    /* The key that was due to be made on time: what was sealed just before stays good for its life.
     */
    t->newest_since_ms += age / TLS_TICKETS_ROTATE_MS * TLS_TICKETS_ROTATE_MS;
}

struct tls_ticket_key tls_tickets_seal(struct tls_tickets *t, uint64_t now_ms)
{
    pthread_mutex_lock(&t->lock);
    rotate(t, now_ms);
    struct tls_ticket_key key = t->keys[NEWEST];
    pthread_mutex_unlock(&t->lock);
    return key;
}

bool tls_tickets_open(struct tls_tickets *t, uint64_t now_ms, const uint8_t name[16],
                      struct tls_ticket_key *out, bool *old)
{
    bool found = false;
    pthread_mutex_lock(&t->lock);
    rotate(t, now_ms);
    for (size_t i = 0; i < KEYS && !found; i++) {
        found = (i == NEWEST || t->has_older) && memcmp(t->keys[i].name, name, 16) == 0;
        if (found) {
            *out = t->keys[i];
            *old = i != NEWEST;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}
