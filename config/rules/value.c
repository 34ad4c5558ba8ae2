/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/value.h"

#include <stdio.h>

static const char *const base_names[] = {"Bool", "Int", "Ip", "Bytes"};

const char *rules_type_text(struct rules_type t, bool debug, char *out)
{
    size_t len = 0;
    for (int layer = t.depth - 1; layer >= 0; layer--)
        len += (size_t)snprintf(out + len, RULES_TYPE_TEXT_MAX - len, "%s%c",
                                t.maps >> layer & 1 ? "Map" : "Array", debug ? '(' : '<');
    len += (size_t)snprintf(out + len, RULES_TYPE_TEXT_MAX - len, "%s", base_names[t.base]);
    for (int layer = 0; layer < t.depth && len + 1 < RULES_TYPE_TEXT_MAX; layer++)
        out[len++] = debug ? ')' : '>';
    out[len] = '\0';
    return out;
}

/* In order: maps that are asked by a constant key are not built at all (derive_key.c); what comes
 * here was used as a whole before. */
struct rules_value rules_map_get(struct rules_value map, struct gw_str key)
{
    if (map.kind != RULES_VALUE_MAP)
        return RULES_NOTHING;
    for (uint32_t i = 0; i < map.count; i++) {
        if (gw_str_eq(map.entries[i].key, key))
            return map.entries[i].value;
    }
    return RULES_NOTHING;
}

static void ip_text(const struct gw_ip *ip, struct gw_buf *out)
{
    char text[GW_IP_TEXT_MAX];
    gw_buf_add(out, gw_str(text, gw_ip_format(ip, text)));
}

void rules_value_text(struct rules_value v, struct gw_buf *out)
{
    switch ((enum rules_kind)v.kind) {
    case RULES_MISSING:
        gw_buf_add(out, GW_STR("(missing)"));
        return;
    case RULES_VALUE_BOOL:
        gw_buf_add(out, v.b ? GW_STR("true") : GW_STR("false"));
        return;
    case RULES_VALUE_INT:
        gw_buf_printf(out, "%lld", (long long)v.i);
        return;
    case RULES_VALUE_IP:
        ip_text(v.ip, out);
        return;
    case RULES_VALUE_BYTES:
        gw_buf_json(out, v.s);
        return;
    case RULES_VALUE_ARRAY:
        gw_buf_char(out, '[');
        for (uint32_t i = 0; i < v.count; i++) {
            gw_buf_add(out, i ? GW_STR(", ") : GW_STR(""));
            rules_value_text(v.items[i], out);
        }
        gw_buf_char(out, ']');
        return;
    case RULES_VALUE_MAP:
        gw_buf_printf(out, "(map of %u)", (unsigned)v.count);
        return;
    }
}
