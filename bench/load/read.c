/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/read.h"

#include "bench/load/request.h"
#include "bench/load/units.h"
#include "gateway/http/headers.h"

#define FIELDS_MAX 32

void read_object(struct reader *r, const struct json *v, const struct read_field *fields,
                 void *target)
{
    const char *known[FIELDS_MAX + 1] = {NULL};
    if (json_type(v) != JSON_OBJECT) {
        read_error(r, v, "must be an object, not %s", json_type_name(json_type(v)));
        return;
    }
    for (size_t i = 0; i < FIELDS_MAX && fields[i].name; i++)
        known[i] = fields[i].name;
    json_unknown_keys(r->doc, v, known, r->diags);
    for (const struct read_field *f = fields; f->name; f++) {
        const struct json *member = json_get(v, f->name);
        if (member)
            f->read(r, member, (char *)target + f->offset);
        else if (f->required)
            read_error(r, v, "\"%s\" is missing", f->name);
    }
}

static bool is_type(struct reader *r, const struct json *v, enum json_type type)
{
    if (json_type(v) == type)
        return true;
    read_error(r, v, "must be %s, not %s", json_type_name(type), json_type_name(json_type(v)));
    return false;
}

void read_text(struct reader *r, const struct json *v, void *field)
{
    struct gw_str *out = field;
    if (!is_type(r, v, JSON_STRING))
        return;
    if (!json_str(v).len) {
        read_error(r, v, "must not be empty");
        return;
    }
    *out = gw_str(gw_arena_dupz(&r->plan->arena, json_str(v)), json_str(v).len);
}

void read_template_mistake(struct reader *r, const struct json *v,
                           const struct template_mistake *mistake)
{
    gw_diag_at(r->diags, GW_DIAG_ERROR, json_source(r->doc),
               json_string_offset(r->doc, v, mistake->at), mistake->width, "%s", mistake->text);
}

void read_value(struct reader *r, const struct json *v, void *field)
{
    struct template_mistake mistake;
    read_text(r, v, field);
    if (!load_request_check_value(json_str(v), &mistake))
        read_template_mistake(r, v, &mistake);
}

void read_path(struct reader *r, const struct json *v, void *field)
{
    struct template_mistake mistake;
    read_text(r, v, field);
    if (json_str(v).len && !load_request_check_path(json_str(v), &mistake))
        read_template_mistake(r, v, &mistake);
}

void read_bool(struct reader *r, const struct json *v, void *field)
{
    if (is_type(r, v, JSON_BOOL))
        *(bool *)field = json_bool(v);
}

void read_count(struct reader *r, const struct json *v, void *field)
{
    int64_t number;
    if (json_int(v, 1, IDENTITY_MAX, &number))
        *(uint32_t *)field = (uint32_t)number;
    else
        read_error(r, v, "must be a whole number from 1 to %d", IDENTITY_MAX);
}

void read_duration(struct reader *r, const struct json *v, void *field)
{
    if (json_type(v) != JSON_STRING || !units_duration(json_str(v), field))
        read_error(r, v, "must be a time with its unit, such as \"10s\" or \"250ms\"");
}

/* ---- pairs ---- */

static bool header_is_ours(struct gw_str name)
{
    return gw_str_ieq(name, GW_STR("Content-Length")) || gw_str_ieq(name, GW_STR("Connection")) ||
           gw_str_ieq(name, GW_STR("Transfer-Encoding"));
}

static void check_header(struct reader *r, const struct json *member)
{
    struct gw_str name = json_key(member);
    if (!header_name_valid(name))
        json_key_error(r->doc, member, r->diags, "is no name of a header");
    else if (header_is_ours(name))
        json_key_error(r->doc, member, r->diags, "is written by the generator itself");
    else if (gw_str_ieq(name, GW_STR("Host")))
        json_key_error(r->doc, member, r->diags, "say \"host\" at the top of the scenario");
    else if (gw_str_ieq(name, GW_STR("Cookie")))
        json_key_error(r->doc, member, r->diags, "say \"cookies\" instead");
}

static void check_cookie(struct reader *r, const struct json *member)
{
    if (!header_name_valid(json_key(member)))
        json_key_error(r->doc, member, r->diags, "is no name of a cookie");
    if (gw_str_chr(json_str(member), ';') != GW_NPOS)
        read_error(r, member, "\";\" would begin another cookie");
}

static void read_pairs(struct reader *r, const struct json *v, struct load_pairs *out,
                       void (*check)(struct reader *r, const struct json *member))
{
    if (!is_type(r, v, JSON_OBJECT))
        return;
    struct load_pair *items =
        gw_arena_zalloc(&r->plan->arena, (json_count(v) + 1) * sizeof(*items));
    *out = (struct load_pairs){items, 0};
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        struct load_pair *pair = &items[out->count++];
        pair->name = gw_arena_dup(&r->plan->arena, json_key(m));
        check(r, m);
        read_value(r, m, &pair->value);
    }
}

void read_headers(struct reader *r, const struct json *v, void *field)
{
    read_pairs(r, v, field, check_header);
}

void read_cookies(struct reader *r, const struct json *v, void *field)
{
    read_pairs(r, v, field, check_cookie);
}
