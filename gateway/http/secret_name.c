/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/secret_name.h"

/* Anywhere in the name, without borders: "xsrf-token2" and "MyApiKey" are secrets. Not for the
 * request path: it tries every word at every place. */
static bool has_word(struct gw_str text, struct gw_str word)
{
    for (; text.len >= word.len; text = gw_str_from(text, 1))
        if (gw_str_ieq(gw_str_first(text, word.len), word))
            return true;
    return false;
}

bool is_secret_name(struct gw_str name)
{
    static const char *const words[] = {"cookie", "authorization", "token",     "secret",
                                        "passw",  "api-key",       "api_key",   "apikey",
                                        "jwt",    "auth-key",      "signature", "x-session"};
    for (size_t i = 0; i < GW_COUNT(words); i++)
        if (has_word(name, gw_str_z(words[i])))
            return true;
    return false;
}
