/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/lists.h"

#include "config/rules/sets.h"
#include "gateway/base/buf.h"
#include "gateway/base/map.h"

/* Every item is kept as text, and as a range too when it reads as an address or block: one list
 * then serves a field of either type. Appending keeps the arrays unsorted; `sorted` is restored by
 * the next rules_lists_get, which always comes before the first evaluation. */
struct rules_list {
    struct gw_str *texts;
    struct ip_range *ranges;
    size_t text_count, range_count, cap;
    bool sorted;
};

struct rules_lists {
    struct gw_map names;
};

struct rules_lists *rules_lists_new(void)
{
    struct rules_lists *lists = gw_alloc(sizeof(*lists));
    gw_map_init(&lists->names);
    return lists;
}

static void list_free(struct rules_list *list)
{
    for (size_t i = 0; i < list->text_count; i++)
        free((char *)list->texts[i].ptr);
    free(list->texts);
    free(list->ranges);
    free(list);
}

void rules_lists_free(struct rules_lists *lists)
{
    if (!lists)
        return;
    size_t at = 0;
    struct gw_str name;
    void *list;
    while (gw_map_next(&lists->names, &at, &name, &list))
        list_free(list);
    gw_map_release(&lists->names);
    free(lists);
}

static bool is_list_name(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!gw_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '_' && c != '.')
            return false;
    }
    return name.len > 0 && name.ptr[0] != '.' && name.ptr[name.len - 1] != '.';
}

static bool as_range(struct gw_str item, struct ip_range *range)
{
    struct gw_cidr block;
    if (!gw_cidr_parse(item, true, &block))
        return false;
    range->low = range->high = gw_ip_mask(&block.ip, block.prefix);
    unsigned bits = block.ip.family == GW_IP_V4 ? 32 : 128;
    for (unsigned bit = block.prefix; bit < bits; bit++)
        range->high.bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    return true;
}

bool rules_lists_add(struct rules_lists *lists, struct gw_str name, struct gw_str item)
{
    if (!is_list_name(name))
        return false;
    struct rules_list *list = gw_map_get(&lists->names, name);
    if (!list) {
        list = gw_zalloc(sizeof(*list));
        gw_map_put(&lists->names, name, list);
    }
    if (list->text_count == RULES_LIST_ITEMS_MAX)
        return false;
    if (list->text_count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 8;
        list->texts = gw_realloc(list->texts, list->cap * sizeof(*list->texts));
        list->ranges = gw_realloc(list->ranges, list->cap * sizeof(*list->ranges));
    }
    list->texts[list->text_count++] = gw_str(gw_str_dupz(item), item.len);
    list->range_count += as_range(item, &list->ranges[list->range_count]);
    list->sorted = false;
    return true;
}

const struct rules_list *rules_lists_get(const struct rules_lists *lists, struct gw_str name)
{
    struct rules_list *list = lists ? gw_map_get(&lists->names, name) : NULL;
    if (list && !list->sorted) {
        strings_finish(list->texts, list->text_count);
        list->range_count = ip_ranges_finish(list->ranges, list->range_count);
        list->sorted = true;
    }
    return list;
}

bool rules_list_has_ip(const struct rules_list *list, const struct gw_ip *ip)
{
    return ip_ranges_has(list->ranges, list->range_count, ip);
}

bool rules_list_has_str(const struct rules_list *list, struct gw_str value)
{
    return strings_has(list->texts, list->text_count, value);
}

/* Numbers are compared as they are written: "007" in a list is no 7. */
bool rules_list_has_int(const struct rules_list *list, int64_t value)
{
    char text[24];
    bool negative = value < 0;
    text[0] = '-';
    size_t len = gw_u64_digits(text + 1, negative ? ~(uint64_t)value + 1 : (uint64_t)value);
    return strings_has(list->texts, list->text_count, gw_str(text + !negative, len + negative));
}
