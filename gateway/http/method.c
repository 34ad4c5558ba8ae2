/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/method.h"

#define X(name) [METHOD_##name] = {#name, sizeof(#name) - 1},
static const struct gw_str names[METHOD_COUNT] = {HTTP_METHODS(X)};
#undef X

enum http_method http_method_of(struct gw_str text)
{
    /* GET is first in the list: most requests leave after one comparison. */
    for (enum http_method m = METHOD_OTHER + 1; m < METHOD_COUNT; m++)
        if (gw_str_eq(text, names[m]))
            return m;
    return METHOD_OTHER;
}

struct gw_str http_method_name(enum http_method method)
{
    return names[method];
}
