/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/units.h"

/* strtod would take "inf", "0x1p3" and what the locale says. */
bool units_number(struct gw_str *rest, double *out)
{
    double value = 0, scale = 1;
    size_t at = 0, digits = 0;
    bool fraction = false;
    /* A double has nothing to add behind sixteen digits: they stay behind, and no unit begins with
     * one. */
    for (; at < rest->len && digits < 16; at++) {
        char c = rest->ptr[at];
        if (c == '.' && !fraction && digits && at + 1 < rest->len && gw_is_digit(rest->ptr[at + 1]))
            fraction = true;
        else if (gw_is_digit(c)) {
            value = value * 10 + (c - '0');
            scale *= fraction ? 10 : 1;
            digits++;
        } else
            break;
    }
    if (!digits)
        return false;
    *out = value / scale;
    *rest = gw_str_from(*rest, at);
    return true;
}

static bool unit_us(struct gw_str unit, double *us)
{
    static const struct {
        const char *name;
        double us;
    } units[] = {{"us", 1},   {"µs", 1},     {"ms", 1e3},  {"s", 1e6},
                 {"m", 60e6}, {"min", 60e6}, {"h", 3600e6}};
    for (size_t i = 0; i < GW_COUNT(units); i++)
        if (gw_str_eq(unit, gw_str_z(units[i].name))) {
            *us = units[i].us;
            return true;
        }
    return false;
}

bool units_duration(struct gw_str text, uint64_t *us)
{
    double number, unit;
    if (!units_number(&text, &number) || !unit_us(gw_str_trim(text), &unit) ||
        number * unit > (double)UNITS_DURATION_MAX_US)
        return false;
    *us = (uint64_t)(number * unit + 0.5);
    return true;
}

bool units_rate(struct gw_str text, double *per_s)
{
    double number, count = 1, unit;
    if (!units_number(&text, &number))
        return false;
    text = gw_str_trim(text);
    if (!text.len || text.ptr[0] != '/')
        return false;
    text = gw_str_trim(gw_str_from(text, 1));
    if (text.len && gw_is_digit(text.ptr[0]) && !units_number(&text, &count))
        return false;
    if (!unit_us(gw_str_trim(text), &unit) || count * unit <= 0 ||
        number / (count * unit) * 1e6 > UNITS_RATE_MAX)
        return false;
    *per_s = number / (count * unit) * 1e6;
    return true;
}

static void add_number(struct gw_buf *out, double value, const char *unit)
{
    int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    gw_buf_printf(out, "%.*f %s", decimals, value, unit);
}

void units_add_us(struct gw_buf *out, double us)
{
    if (us < 999.5)
        gw_buf_printf(out, "%.0f µs", us);
    else if (us < 999.5e3)
        add_number(out, us / 1e3, "ms");
    else
        add_number(out, us / 1e6, "s");
}

void units_add_rate(struct gw_buf *out, double per_s)
{
    if (per_s < 1000)
        gw_buf_printf(out, "%.4g/s", per_s);
    else {
        units_add_count(out, (uint64_t)(per_s + 0.5));
        gw_buf_add(out, GW_STR("/s"));
    }
}

void units_add_count(struct gw_buf *out, uint64_t count)
{
    char digits[20];
    size_t len = gw_u64_digits(digits, count);
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            gw_buf_char(out, ',');
        gw_buf_char(out, digits[i]);
    }
}
