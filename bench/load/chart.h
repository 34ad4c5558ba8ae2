/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Small charts as inline SVG for the HTML report: no script, no font, no colour of their own
 * (classes take them from the page, which knows light and dark). They scale with the page's width.
 *
 * Thread: one. Owns: nothing. A series costs some 12 bytes a point. */
#include "gateway/base/buf.h"

struct chart_series {
    const char *label, *style; /* style: a class such as "s1" */
    const double *values;      /* as many as the chart has points */
};

enum chart_scale {
    CHART_TIME,    /* microseconds, logarithmic */
    CHART_PERCENT, /* 0 to 100 */
    CHART_COUNT,   /* from 0 */
};

struct chart {
    const char *title;
    enum chart_scale scale;
    const double *x; /* ascending */
    size_t points;
    const struct chart_series *series;
    size_t series_count;
    /* Names a place on the horizontal axis. */
    void (*label_x)(double x, struct gw_buf *out);
};

void chart_lines(const struct chart *c, struct gw_buf *out);
/* Bars whose parts lie on each other. */
void chart_stack(const struct chart *c, struct gw_buf *out);
