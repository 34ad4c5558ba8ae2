/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/quality.h"

uint16_t quality_read(struct gw_str parameters)
{
    struct gw_str item;
    while (gw_str_next(&parameters, ';', &item)) {
        item = gw_str_trim(item);
        if (item.len < 3 || gw_lower(item.ptr[0]) != 'q' || item.ptr[1] != '=')
            continue;
        unsigned value = item.ptr[2] == '0' ? 0 : QUALITY_MAX, digit = 100;
        /* The dot is taken as read: what else stands there has no digits behind it. A fourth digit
         * weighs nothing. */
        for (size_t i = 4; value < QUALITY_MAX && i < item.len && gw_is_digit(item.ptr[i]); i++) {
            value += (unsigned)(item.ptr[i] - '0') * digit;
            digit /= 10;
        }
        return (uint16_t)value;
    }
    return QUALITY_MAX;
}
