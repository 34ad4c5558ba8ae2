/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What values a field can have at all (spec/rules-language.md section 5): a host is in lower case
 * and has no port, a path begins with "/" … The source of warnings about comparisons with what no
 * request has. Conservative: only what holds for every request. Thread: any. */
#include "config/rules/node.h"

enum shape_part { SHAPE_WHOLE, SHAPE_START, SHAPE_END, SHAPE_INSIDE };

enum shape_verdict {
    SHAPE_FITS,   /* or not known */
    SHAPE_ODD,    /* some strange request has it */
    SHAPE_REFUSES /* none has */
};

/* Whether a value of `a` can be `text`, begin with it, end with it or contain it; `folds`: in any
 * case. Unless it fits, appends why not and what to write: "http.host is in lower case: write …".
 */
enum shape_verdict shape_check(const struct access *a, enum shape_part part, struct gw_str text,
                               bool folds, struct gw_buf *why);
/* The range of a number. */
struct int_range shape_numbers(const struct access *a);
