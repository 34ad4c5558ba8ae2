/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "config/json.h"

/* The shortest of 15, 16 and 17 digits that reads back as the same number. */
static void write_number(const struct json *v, struct gw_buf *out)
{
    int64_t integer;
    if (json_int(v, INT64_MIN, INT64_MAX, &integer)) {
        gw_buf_printf(out, "%" PRId64, integer);
        return;
    }
    double number = json_number(v);
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    gw_buf_add(out, gw_str_z(text));
}

static void write_children(const struct json *v, const char *brackets, struct gw_buf *out)
{
    gw_buf_char(out, brackets[0]);
    for (const struct json *child = json_first(v); child; child = json_next(child)) {
        if (child != json_first(v))
            gw_buf_char(out, ',');
        if (brackets[0] == '{') {
            gw_buf_json(out, json_key(child));
            gw_buf_char(out, ':');
        }
        json_write(child, out);
    }
    gw_buf_char(out, brackets[1]);
}

void json_write(const struct json *v, struct gw_buf *out)
{
    switch (json_type(v)) {
    case JSON_NULL:
        gw_buf_add(out, GW_STR("null"));
        return;
    case JSON_BOOL:
        gw_buf_add(out, json_bool(v) ? GW_STR("true") : GW_STR("false"));
        return;
    case JSON_NUMBER:
        write_number(v, out);
        return;
    case JSON_STRING:
        gw_buf_json(out, json_str(v));
        return;
    case JSON_ARRAY:
        write_children(v, "[]", out);
        return;
    case JSON_OBJECT:
        write_children(v, "{}", out);
        return;
    }
}
