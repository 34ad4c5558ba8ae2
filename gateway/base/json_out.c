/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/json_out.h"

void gw_json_next(struct gw_buf *out)
{
    if (out->len && !memchr("{[:", out->data[out->len - 1], 3))
        gw_buf_char(out, ',');
}

void gw_json_name(struct gw_buf *out, const char *name)
{
    gw_json_next(out);
    if (!name)
        return;
    gw_buf_char(out, '"');
    gw_buf_add(out, gw_str_z(name));
    gw_buf_add(out, GW_STR("\":"));
}

void gw_json_text(struct gw_buf *out, const char *name, struct gw_str value)
{
    gw_json_name(out, name);
    gw_buf_json(out, value);
}

void gw_json_u64(struct gw_buf *out, const char *name, uint64_t value)
{
    gw_json_name(out, name);
    gw_buf_u64(out, value);
}

void gw_json_bool(struct gw_buf *out, const char *name, bool value)
{
    gw_json_name(out, name);
    gw_buf_add(out, value ? GW_STR("true") : GW_STR("false"));
}

void gw_json_null(struct gw_buf *out, const char *name)
{
    gw_json_name(out, name);
    gw_buf_add(out, GW_STR("null"));
}

void gw_json_object(struct gw_buf *out, const char *name)
{
    gw_json_name(out, name);
    gw_buf_char(out, '{');
}

void gw_json_list(struct gw_buf *out, const char *name)
{
    gw_json_name(out, name);
    gw_buf_char(out, '[');
}
