/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/prices.h"

#include <math.h>

#include "config/json.h"
#include "limiter/prices_text.h"

static const char *const unit_names[PRICE_UNITS + 1] = {
    [PRICE_KV_READ] = "kv_read",           [PRICE_KV_WRITE] = "kv_write",
    [PRICE_DO_REQUEST] = "do_request",     [PRICE_DO_GB_S] = "do_gb_s",
    [PRICE_DO_ROW_READ] = "do_row_read",   [PRICE_DO_ROW_WRITTEN] = "do_row_written",
    [PRICE_BINDING_CALL] = "binding_call",
};

const char *price_unit_name(enum price_unit unit)
{
    return unit_names[unit];
}

struct reading {
    const struct json_doc *doc;
    struct gw_diags *diags;
};

static double number_of(struct reading *r, const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    if (v && json_type(v) == JSON_NUMBER && json_number(v) >= 0)
        return json_number(v);
    json_error(r->doc, v ? v : object, r->diags, "\"%s\" must be a number, 0 or more", name);
    return 0;
}

/* All of them: a unit that is missing would be free. */
static void read_units(struct reading *r, const struct json *units, struct prices *out)
{
    json_unknown_keys(r->doc, units, unit_names, r->diags);
    for (size_t i = 0; i < PRICE_UNITS; i++) {
        const struct json *unit = json_get(units, unit_names[i]);
        if (!unit) {
            json_error(r->doc, units, r->diags, "\"%s\" is missing", unit_names[i]);
            continue;
        }
        out->per_million[i] = number_of(r, unit, "per_million");
        out->included[i] = number_of(r, unit, "included");
    }
}

static void read_list(struct reading *r, const struct json *root, struct prices *out)
{
    const struct json *units = json_get(root, "units");
    struct gw_str date = json_str(json_get(root, "date"));
    if (date.len == 0 || date.len >= sizeof(out->date))
        json_error(r->doc, root, r->diags, "\"date\" says when the prices were read: \"2026-10\"");
    else
        memcpy(out->date, date.ptr, date.len);
    if (units && json_type(units) == JSON_OBJECT)
        read_units(r, units, out);
    else
        json_error(r->doc, root, r->diags, "\"units\" is missing");
    out->object_gb_s = number_of(r, root, "object_gb_s_per_request");
}

bool prices_parse(const struct gw_source *source, struct prices *out, struct gw_diags *diags)
{
    size_t errors = diags->errors;
    *out = (struct prices){0};
    struct json_doc *doc = json_parse(source, diags);
    if (doc)
        read_list(&(struct reading){doc, diags}, json_root(doc), out);
    json_doc_free(doc);
    return diags->errors == errors;
}

/* Read at each question rather than kept: it is asked by people, and a global would need a lock. A
 * list that does not parse fails a test, not a user. */
struct prices prices_built_in(void)
{
    const struct gw_source source = {"prices", gw_str_z(prices_text)};
    struct prices prices;
    struct gw_diags diags;
    gw_diags_init(&diags);
    bool good = prices_parse(&source, &prices, &diags);
    gw_diags_release(&diags);
    return good ? prices : (struct prices){0};
}

double price_of(const struct prices *p, const struct price_usage *usage)
{
    double sum = 0;
    for (size_t i = 0; i < PRICE_UNITS; i++)
        sum += usage->units[i] * p->per_million[i] / 1e6;
    return sum;
}

/* What the plan includes is the account's, not the limiter's: this is the price of a limiter that
 * is alone in its account. */
double price_of_month(const struct prices *p, const struct price_usage *usage)
{
    double sum = 0;
    for (size_t i = 0; i < PRICE_UNITS; i++)
        sum += fmax(0, usage->units[i] - p->included[i]) * p->per_million[i] / 1e6;
    return sum;
}
