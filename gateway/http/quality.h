/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The weight of an item in Accept, Accept-Language or Accept-Encoding: ";q=0.5" (RFC 9110 section
 * 12.4.2).
 *
 * What cannot be read counts as absent, and absent is 1: a client that misspells what it likes
 * still likes it. The first q counts. Pure. Thread: any. Owns: nothing. */
#include "gateway/base/str.h"

#define QUALITY_MAX 1000 /* thousandths, as fine as the field can be */

/* `parameters` is what stands behind the item's name, with or without its first semicolon. */
uint16_t quality_read(struct gw_str parameters);
