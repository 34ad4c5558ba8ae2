/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/sets.h"

static int order_ints(const void *a, const void *b)
{
    int64_t x = ((const struct int_range *)a)->low, y = ((const struct int_range *)b)->low;
    return x < y ? -1 : x > y;
}

static int order_ips(const void *a, const void *b)
{
    return gw_ip_cmp(&((const struct ip_range *)a)->low, &((const struct ip_range *)b)->low);
}

/* Length first: most comparisons end without touching the bytes. */
static int order_strings(const void *a, const void *b)
{
    const struct gw_str *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->len ? memcmp(x->ptr, y->ptr, x->len) : 0;
}

size_t int_ranges_finish(struct int_range *ranges, size_t count)
{
    if (count == 0)
        return 0;
    qsort(ranges, count, sizeof(*ranges), order_ints);
    size_t last = 0;
    for (size_t i = 1; i < count; i++) {
        bool touches = ranges[last].high == INT64_MAX || ranges[i].low <= ranges[last].high + 1;
        if (!touches)
            ranges[++last] = ranges[i];
        else if (ranges[i].high > ranges[last].high)
            ranges[last].high = ranges[i].high;
    }
    return last + 1;
}

/* Ranges that overlap become one. Neighbours stay two, unlike those of numbers: that would take an
 * addition over sixteen bytes, and a search finds either. */
size_t ip_ranges_finish(struct ip_range *ranges, size_t count)
{
    if (count == 0)
        return 0;
    qsort(ranges, count, sizeof(*ranges), order_ips);
    size_t last = 0;
    for (size_t i = 1; i < count; i++) {
        if (gw_ip_cmp(&ranges[i].low, &ranges[last].high) > 0)
            ranges[++last] = ranges[i];
        else if (gw_ip_cmp(&ranges[i].high, &ranges[last].high) > 0)
            ranges[last].high = ranges[i].high;
    }
    return last + 1;
}

void strings_finish(struct gw_str *strings, size_t count)
{
    if (count)
        qsort(strings, count, sizeof(*strings), order_strings);
}

bool int_ranges_has(const struct int_range *ranges, size_t count, int64_t value)
{
    size_t low = 0, high = count; /* the first range that begins behind value */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].low <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && value <= ranges[low - 1].high;
}

/* Order is by family first: an address of IPv6 lies behind the end of every range of IPv4. */
bool ip_ranges_has(const struct ip_range *ranges, size_t count, const struct gw_ip *ip)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (gw_ip_cmp(&ranges[middle].low, ip) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && gw_ip_cmp(ip, &ranges[low - 1].high) <= 0;
}

bool strings_has(const struct gw_str *strings, size_t count, struct gw_str value)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = order_strings(&strings[middle], &value);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
