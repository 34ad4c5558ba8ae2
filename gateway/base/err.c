/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strerrordesc_np: thread-safe, no buffer */
#include "gateway/base/err.h"

const char *gw_strerror(int err)
{
    switch (err) {
    case GW_OK:
        return "success";
#define X(name, number, text)                                                                      \
    case number:                                                                                   \
        return text;
        GW_ERRORS(X)
#undef X
    }
    const char *text = err < 0 ? strerrordesc_np(-err) : NULL;
    return text ? text : "unknown error";
}
