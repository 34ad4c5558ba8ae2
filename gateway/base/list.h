/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Intrusive doubly linked ring. A list head and a link are the same type; an unlinked link points
 * at itself, so gw_list_remove may be called twice. Walking while the callee may unlink anything:
 * move the list aside with gw_list_take first and pop until it is empty (libuv's timer trick).
 * Thread: none, whoever owns the list serialises. Owns: nothing. */
#include "gateway/base/base.h"

struct gw_list {
    struct gw_list *prev, *next;
};

#define gw_list_entry(link, type, member) gw_container_of(link, type, member)

static inline void gw_list_init(struct gw_list *l)
{
    l->prev = l->next = l;
}
static inline bool gw_list_empty(const struct gw_list *l)
{
    return l->next == l;
}
static inline void gw_list_push(struct gw_list *head, struct gw_list *item) /* at the end */
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}
static inline void gw_list_remove(struct gw_list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    gw_list_init(item);
}
/* The first link, unlinked, or NULL. */
static inline struct gw_list *gw_list_pop(struct gw_list *head)
{
    struct gw_list *item = head->next;
    if (item == head)
        return NULL;
    gw_list_remove(item);
    return item;
}
/* Moves everything from `from` to the fresh head `to`. */
static inline void gw_list_take(struct gw_list *to, struct gw_list *from)
{
    gw_list_init(to);
    if (gw_list_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    gw_list_init(from);
}
