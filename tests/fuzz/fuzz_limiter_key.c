/* SPDX-License-Identifier: Apache-2.0 */
/* Input up to the first NUL is a key template, the rest is what its parts render. */
#include "limiter/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str text = gw_str((const char *)data, size);
    size_t end = gw_min_size(gw_str_chr(text, '\0'), size);
    struct gw_str value = gw_str_from(text, end);
    struct limiter_key_error error;
    struct limiter_key *key = limiter_key_compile(gw_str_first(text, end), &error);
    if (!key) {
        if (error.at > end || error.message[0] == '\0')
            abort();
        return 0;
    }
    struct limiter_subject who = {.user = value, .host = value, .path = value};
    who.ip.family = value.len % 2 ? GW_IP_V4 : GW_IP_V6;
    memcpy(who.ip.bytes, value.ptr ? value.ptr : "",
           gw_min_size(value.len, value.len % 2 ? 4 : 16));
    char out[LIMITER_KEY_MAX];
    if (limiter_key_render(key, &who, out).len > sizeof(out))
        abort();
    limiter_key_free(key);
    return 0;
}
