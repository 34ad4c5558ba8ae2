/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Substring search for `contains`: short needles in values of some hundred bytes, where memmem's
 * preparation costs more than the search. Compares first and last byte of the needle at sixteen
 * places at once and looks closer only where both fit. Thread: any. */
#include "gateway/base/str.h"

bool rules_contains(struct gw_str text, struct gw_str needle);
