/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/hash.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

static uint64_t process_key[2];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

/* Waits only in a machine that has just booted and has no entropy yet. There is no second source to
 * fall back to: a key that can be guessed is worse than no process, and nothing would show it. */
void gw_random(void *out, size_t size)
{
    char *at = out;
    while (size) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            abort();
        at += n;
        size -= (size_t)n;
    }
}

static void draw_process_key(void)
{
    gw_random(process_key, sizeof(process_key));
}

static inline uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* SipHash (Aumasson and Bernstein, 2012, section 2). One round a word and three at the end, not the
 * two and four of the paper: that is what the tables of Rust and Python have, too, and keys are
 * hashed for every request. The constants are "somepseudorandomlygeneratedbytes". */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1, s->v1 = rotl(s->v1, 13), s->v1 ^= s->v0, s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3, s->v3 = rotl(s->v3, 16), s->v3 ^= s->v2;
    s->v0 += s->v3, s->v3 = rotl(s->v3, 21), s->v3 ^= s->v0;
    s->v2 += s->v1, s->v1 = rotl(s->v1, 17), s->v1 ^= s->v2, s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static struct sip sip_absorb(struct gw_str data, uint64_t k0, uint64_t k1, uint64_t variant)
{
    struct sip s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ variant,
                    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    const char *p = data.ptr;
    size_t left = data.len;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        sip_word(&s, word);
    }
    uint64_t last = 0;
    if (left)
        memcpy(&last, p, left);
    /* The length (modulo 256, as in the paper) makes "a" and "a\0" two. */
    sip_word(&s, last | (uint64_t)data.len << 56);
    return s;
}

static uint64_t sip_squeeze(struct sip *s)
{
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t gw_siphash(struct gw_str data, uint64_t k0, uint64_t k1)
{
    struct sip s = sip_absorb(data, k0, k1, 0);
    s.v2 ^= 0xff;
    return sip_squeeze(&s);
}

uint64_t gw_hash(struct gw_str data)
{
    pthread_once(&process_key_once, draw_process_key);
    return gw_siphash(data, process_key[0], process_key[1]);
}

/* The 128-bit variant of the reference code: one pass over the data, two squeezes. */
struct gw_hash128 gw_hash128(struct gw_str data)
{
    pthread_once(&process_key_once, draw_process_key);
    struct sip s = sip_absorb(data, process_key[0], process_key[1], 0xee);
    s.v2 ^= 0xee;
    uint64_t lo = sip_squeeze(&s);
    s.v1 ^= 0xdd;
    return (struct gw_hash128){lo, sip_squeeze(&s)};
}

bool gw_secret_eq(struct gw_str a, struct gw_str b)
{
    unsigned char difference = a.len != b.len;
    size_t n = gw_min_size(a.len, b.len);
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return difference == 0;
}

uint64_t gw_rng_next(struct gw_rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Lemire's multiplication: no division, and what it favours is one part in 2^64 / n. */
uint64_t gw_rng_below(struct gw_rng *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)gw_rng_next(r) * n) >> 64);
}
