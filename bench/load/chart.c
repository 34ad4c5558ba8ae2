/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/chart.h"

#include <math.h>

#include "bench/load/units.h"

#define WIDTH   720.0
#define HEIGHT  230.0
#define LEFT    62.0
#define RIGHT   712.0
#define TOP     10.0
#define BOTTOM  204.0
#define X_TICKS 5

struct range {
    double x0, x1, y0, y1; /* y in the scale's own terms: a logarithm for times */
};

static double height_of(const struct chart *c, double value)
{
    return c->scale == CHART_TIME ? log10(fmax(value, 1)) : value;
}

static struct range range_of(const struct chart *c, double top)
{
    double low = INFINITY, high = 0;
    for (size_t s = 0; s < c->series_count; s++)
        for (size_t i = 0; i < c->points; i++) {
            double value = c->series[s].values[i];
            high = fmax(high, value);
            low = value > 0 ? fmin(low, value) : low;
        }
    struct range r = {c->points ? c->x[0] : 0, c->points ? c->x[c->points - 1] : 1, 0, 1};
    if (c->scale == CHART_TIME && high > 0) { /* whole decades around what there is */
        r.y0 = floor(log10(fmax(low, 1)));
        r.y1 = fmax(r.y0 + 1, ceil(log10(fmax(high, 1))));
    } else if (c->scale == CHART_PERCENT) {
        r.y1 = 100;
    } else if (c->scale == CHART_COUNT) {
        r.y1 = fmax(1, top);
    }
    if (r.x1 <= r.x0)
        r.x1 = r.x0 + 1;
    return r;
}

static double place_x(const struct range *r, double x)
{
    return LEFT + (x - r->x0) / (r->x1 - r->x0) * (RIGHT - LEFT);
}

static double place_y(const struct range *r, double y)
{
    return BOTTOM - (y - r->y0) / (r->y1 - r->y0) * (BOTTOM - TOP);
}

/* ---- axes ---- */

static void label_y(const struct chart *c, double y, struct gw_buf *out)
{
    switch (c->scale) {
    case CHART_TIME:
        units_add_us(out, pow(10, y));
        return;
    case CHART_PERCENT:
        gw_buf_printf(out, "%.0f %%", y);
        return;
    case CHART_COUNT:
        units_add_count(out, (uint64_t)(y + 0.5));
        return;
    }
}

static void add_axes(const struct chart *c, const struct range *r, struct gw_buf *out)
{
    double step = c->scale == CHART_TIME ? 1 : (r->y1 - r->y0) / 4;
    for (double y = r->y0; y <= r->y1 + 1e-9; y += step) {
        gw_buf_printf(out,
                      "<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>"
                      "<text x=\"%g\" y=\"%.1f\" class=\"end\">",
                      LEFT, RIGHT, place_y(r, y), place_y(r, y), LEFT - 6, place_y(r, y) + 4);
        label_y(c, y, out);
        gw_buf_add(out, GW_STR("</text>"));
    }
    for (int i = 0; i <= X_TICKS; i++) {
        double x = r->x0 + (r->x1 - r->x0) * i / X_TICKS;
        gw_buf_printf(out, "<text x=\"%.1f\" y=\"%g\" class=\"%s\">", place_x(r, x), BOTTOM + 17,
                      i == X_TICKS ? "end"
                      : i          ? "mid"
                                   : "");
        c->label_x(x, out);
        gw_buf_add(out, GW_STR("</text>"));
    }
}

static void begin(const struct chart *c, struct gw_buf *out)
{
    gw_buf_printf(out, "<figure><figcaption>%s", c->title);
    for (size_t s = 0; s < c->series_count; s++)
        gw_buf_printf(out, "<span class=\"key %s\">%s</span>", c->series[s].style,
                      c->series[s].label);
    gw_buf_printf(out, "</figcaption><svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">",
                  WIDTH, HEIGHT, c->title);
}

/* ---- charts ---- */

void chart_lines(const struct chart *c, struct gw_buf *out)
{
    double high = 0;
    for (size_t s = 0; s < c->series_count; s++)
        for (size_t i = 0; i < c->points; i++)
            high = fmax(high, c->series[s].values[i]);
    struct range r = range_of(c, high);
    begin(c, out);
    add_axes(c, &r, out);
    for (size_t s = 0; s < c->series_count; s++) {
        gw_buf_printf(out, "<polyline class=\"line %s\" points=\"", c->series[s].style);
        for (size_t i = 0; i < c->points; i++) {
            double y = height_of(c, c->series[s].values[i]);
            gw_buf_printf(out, "%.1f,%.1f ", place_x(&r, c->x[i]), place_y(&r, fmax(y, r.y0)));
        }
        gw_buf_add(out, GW_STR("\"/>"));
    }
    gw_buf_add(out, GW_STR("</svg></figure>\n"));
}

static void add_bar(const struct chart *c, const struct range *r, size_t i, double width,
                    struct gw_buf *out)
{
    double base = 0;
    for (size_t s = 0; s < c->series_count; s++) {
        double value = c->series[s].values[i];
        double top = place_y(r, base + value), bottom = place_y(r, base);
        base += value;
        if (value > 0)
            gw_buf_printf(out,
                          "<rect class=\"bar %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                          "height=\"%.1f\"/>",
                          c->series[s].style, LEFT + width * (double)i, top, fmax(0.5, width - 0.5),
                          bottom - top);
    }
}

void chart_stack(const struct chart *c, struct gw_buf *out)
{
    double high = 0;
    for (size_t i = 0; i < c->points; i++) {
        double sum = 0;
        for (size_t s = 0; s < c->series_count; s++)
            sum += c->series[s].values[i];
        high = fmax(high, sum);
    }
    struct range r = range_of(c, high);
    begin(c, out);
    add_axes(c, &r, out);
    for (size_t i = 0; i < c->points; i++)
        add_bar(c, &r, i, (RIGHT - LEFT) / (double)c->points, out);
    gw_buf_add(out, GW_STR("</svg></figure>\n"));
}
