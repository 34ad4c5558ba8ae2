/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Builds the map and array fields as values, for expressions that use them as a whole. Linear in
 * the size of the request: an 8 KiB query of one-letter arguments must not cost a millisecond.
 * Thread: none, the caller's scratch. Owns: nothing. */
#include "config/rules/derive.h"

/* Keys in order of first appearance, values in order. */
struct rules_value derive_map(struct rules_request *r, enum rules_derived map);
/* All names or all values of a map field's pairs, in order. */
struct rules_value derive_column(struct rules_request *r, enum rules_derived map, bool values);
/* Language tags of Accept-Language in the order written, without parameters. */
struct rules_value derive_languages(struct rules_request *r);
