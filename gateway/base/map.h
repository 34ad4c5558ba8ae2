/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Hash table from text to a pointer, keyed hash, linear probing, at most 2/3 full. For tables that
 * are built once and read often (hosts, routes, names) and for small changing ones. Owns: copies of
 * the keys; values are the caller's. Thread: any number of readers, or one writer. */
#include "gateway/base/str.h"

struct gw_map_slot;

struct gw_map {
    struct gw_map_slot *slots;
    size_t count, cap; /* cap is 0 or a power of two */
};

void gw_map_init(struct gw_map *m);
void gw_map_release(struct gw_map *m);
/* NULL when absent. */
void *gw_map_get(const struct gw_map *m, struct gw_str key);
/* Adds or replaces; value is not NULL. Returns the value that was there before, or NULL. */
void *gw_map_put(struct gw_map *m, struct gw_str key, void *value);
/* Removes; returns the value or NULL. */
void *gw_map_del(struct gw_map *m, struct gw_str key);

/* Walks all entries in no order: start with *at = 0; false at the end. No put or del meanwhile. */
bool gw_map_next(const struct gw_map *m, size_t *at, struct gw_str *key, void **value);
