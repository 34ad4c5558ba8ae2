/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/cookie.h"

/* Browsers send "; " between pairs; any white space, and empty pairs, do no harm here, since
 * nothing is decided from where a pair stands. */
bool cookie_next(struct gw_str *rest, struct gw_str *name, struct gw_str *value)
{
    struct gw_str pair;
    do {
        if (!gw_str_next(rest, ';', &pair))
            return false;
        pair = gw_str_trim(pair);
    } while (!pair.len);
    size_t equals = gw_str_chr(pair, '=');
    *name = gw_str_trim(gw_str_first(pair, equals));
    *value = equals == GW_NPOS ? GW_STR_EMPTY : gw_str_trim(gw_str_from(pair, equals + 1));
    return true;
}

bool cookie_find(const struct headers *h, struct gw_str name, struct gw_str *value)
{
    size_t at = 0;
    if (!headers_has(h, HEADER_COOKIE))
        return false;
    for (const struct gw_str *line; (line = headers_next(h, HEADER_COOKIE, &at));) {
        struct gw_str rest = *line, found, text;
        while (cookie_next(&rest, &found, &text))
            if (gw_str_eq(found, name)) {
                *value = text;
                return true;
            }
    }
    return false;
}
