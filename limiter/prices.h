/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cloudflare's list prices and what a limiter's operations cost by them (spec/product.md section
 * 5). The figures are data with a date (config/prices-*.json), built into the program.
 *
 * Thread: none, pure. Owns: nothing. */
#include "gateway/base/diag.h"
#include "limiter/policy.h"

enum price_unit {
    PRICE_KV_READ,
    PRICE_KV_WRITE,
    PRICE_DO_REQUEST,
    PRICE_DO_GB_S,
    PRICE_DO_ROW_READ,
    PRICE_DO_ROW_WRITTEN,
    PRICE_BINDING_CALL,
    PRICE_UNITS,
};

struct prices {
    char date[16];
    double per_million[PRICE_UNITS]; /* USD, above … */
    double included[PRICE_UNITS];    /* … what the paid plan includes each month */
    double object_gb_s;              /* of one request to a Durable Object, an assumption */
};

/* The list that the program was built with. */
struct prices prices_built_in(void);
/* False after mistakes, which are in diags. */
GW_MUST bool prices_parse(const struct gw_source *source, struct prices *out,
                          struct gw_diags *diags);

/* What a limiter did, or does in a month. */
struct price_usage {
    double units[PRICE_UNITS];
};
/* USD at list price, without and with what each month includes. */
double price_of(const struct prices *p, const struct price_usage *usage);
double price_of_month(const struct prices *p, const struct price_usage *usage);
const char *price_unit_name(enum price_unit unit);
