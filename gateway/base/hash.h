/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Keyed hashing for tables whose keys strangers choose. SipHash-1-3 with a key drawn once per
 * process: an attacker who cannot see hash values cannot build collisions (Aumasson and Bernstein,
 * 2012). Not for anything secret or durable. Thread: any; the key is drawn by
 * whoever needs it first. */
#include "gateway/base/str.h"

struct gw_hash128 {
    uint64_t lo, hi;
};

uint64_t gw_hash(struct gw_str data);
/* 128 bits: two keys with equal values are the same key for all that this process will ever see. */
struct gw_hash128 gw_hash128(struct gw_str data);
/* The same with a key of the caller's: equal in every process that uses the same key. */
uint64_t gw_siphash(struct gw_str data, uint64_t k0, uint64_t k1);

/* Random bytes from the kernel. */
void gw_random(void *out, size_t size);
/* Compares secrets: time depends on the lengths only, never on where they differ. */
bool gw_secret_eq(struct gw_str a, struct gw_str b);

/* A small, fast, seedable generator (SplitMix64) for simulations that must be replayable. Not for
 * secrets. */
struct gw_rng {
    uint64_t state;
};
uint64_t gw_rng_next(struct gw_rng *r);
/* Uniform in [0, n), n >= 1. */
uint64_t gw_rng_below(struct gw_rng *r, uint64_t n);
