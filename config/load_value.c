/* SPDX-License-Identifier: Apache-2.0 */
/* Single values: from JSON or from the text of a default to a field. */
#include "config/load.h"

#include <inttypes.h>

#include "config/file.h"
#include "gateway/base/err.h"

struct size_unit {
    struct gw_str name;
    uint64_t bytes;
};

/* "256MiB", "512 MB", "4096". "M" alone is refused: nginx takes it for 2^20 and others for 10^6.
 * The units that end like a shorter one come first. */
static bool parse_size(struct gw_str text, uint64_t *out)
{
    static const struct size_unit units[] = {
        {GW_STR("KiB"), 1 << 10}, {GW_STR("MiB"), 1 << 20}, {GW_STR("GiB"), 1 << 30},
        {GW_STR("KB"), 1000},     {GW_STR("MB"), 1000000},  {GW_STR("GB"), 1000000000},
        {GW_STR("B"), 1},
    };
    uint64_t factor = 1, number;
    for (size_t i = 0; i < GW_COUNT(units); i++) {
        if (gw_str_ends(text, units[i].name)) {
            factor = units[i].bytes;
            text = gw_str_trim(gw_str_first(text, text.len - units[i].name.len));
            break;
        }
    }
    if (!gw_str_u64(text, UINT64_MAX / factor, &number))
        return false;
    *out = number * factor;
    return true;
}

/* "0.25" as parts of a million; what is finer than one of them is cut off. */
static bool parse_fraction(struct gw_str text, uint32_t *out)
{
    size_t point = gw_min_size(gw_str_chr(text, '.'), text.len);
    struct gw_str digits = gw_str_from(text, point + 1);
    uint64_t whole, value = 0;
    if (!gw_str_u64(gw_str_first(text, point), 1, &whole) || (point + 1 == text.len))
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (!gw_is_digit(digits.ptr[i]))
            return false;
    for (size_t i = 0; i < 6; i++)
        value = value * 10 + (i < digits.len ? (uint64_t)(digits.ptr[i] - '0') : 0);
    *out = (uint32_t)(whole * CONFIG_RATIO_WHOLE + value);
    return *out <= CONFIG_RATIO_WHOLE;
}

static bool store_number(const struct schema_key *key, uint64_t number, void *target)
{
    if (number < key->min || number > key->max)
        return false;
    if (key->kind == SCHEMA_SIZE)
        *(uint64_t *)target = number;
    else
        *(uint32_t *)target = (uint32_t)number;
    return true;
}

/* Opened now, so that a missing file is a message with a line and not a failure at start-up. */
static void store_path(struct load *l, const struct json *v, struct gw_str text,
                       struct gw_str *target)
{
    *target = file_resolve(l->arena, l->base, text);
    int err = file_probe(target->ptr);
    if (err)
        json_error(l->doc, v, l->diags, "cannot read \"%s\": %s", target->ptr, gw_strerror(err));
}

void load_fail_expected(struct load *l, const struct schema_key *key, const struct json *v)
{
    struct gw_buf expected;
    gw_buf_init(&expected, 1024);
    schema_expected(key, &expected);
    struct gw_str text = gw_buf_str(&expected);
    enum json_type type = json_type(v);
    struct gw_str given = json_str(v);
    const char *nearest = key->words && given.len ? gw_nearest(given, key->words) : NULL;
    if (nearest)
        json_error(l->doc, v, l->diags, "\"%s\" must be %.*s; did you mean \"%s\"?", key->name,
                   GW_STR_ARG(text), nearest);
    else if (type == JSON_STRING || type == JSON_NUMBER)
        json_error(l->doc, v, l->diags, "\"%s\" must be %.*s (%s)", key->name, GW_STR_ARG(text),
                   key->help);
    else
        json_error(l->doc, v, l->diags, "\"%s\" must be %.*s, not %s", key->name, GW_STR_ARG(text),
                   json_type_name(type));
    gw_buf_release(&expected);
}

/* "off" and "on", or the two words of the key for false and true. */
static bool store_switch(const struct schema_key *key, struct gw_str text, bool *target)
{
    static const char *const on_off[] = {"off", "on", NULL};
    const char *const *words = key->words ? key->words : on_off;
    *target = gw_str_eq(text, gw_str_z(words[1]));
    return *target || gw_str_eq(text, gw_str_z(words[0]));
}

static bool store_bool(struct gw_str text, bool *target)
{
    *target = gw_str_eq(text, GW_STR("true"));
    return *target || gw_str_eq(text, GW_STR("false"));
}

static bool store_word(const struct schema_key *key, struct gw_str text, void *target)
{
    for (unsigned i = 0; key->words[i]; i++) {
        if (gw_str_eq(text, gw_str_z(key->words[i]))) {
            *(unsigned *)target = i; /* an enum without negative values is unsigned here */
            return true;
        }
    }
    return false;
}

/* Text to value: what a string holds after expansion, or a default. False: not such a value. */
static bool store_text(struct load *l, const struct schema_key *key, struct gw_str text,
                       void *target)
{
    uint64_t number;
    switch (key->kind) {
    case SCHEMA_BOOL:
        return store_bool(text, target);
    case SCHEMA_SWITCH:
        return store_switch(key, text, target);
    case SCHEMA_INT:
        return gw_str_u64(text, UINT32_MAX, &number) && store_number(key, number, target);
    case SCHEMA_FRACTION:
        return parse_fraction(text, target);
    case SCHEMA_SIZE:
        return parse_size(text, &number) && store_number(key, number, target);
    case SCHEMA_ENUM:
        return store_word(key, text, target);
    case SCHEMA_TEXT:
        *(struct gw_str *)target = gw_arena_dup(l->arena, text);
        return true;
    case SCHEMA_PATH:
    case SCHEMA_FORM:
    case SCHEMA_OBJECT:
    case SCHEMA_LIST:
        break;
    }
    return false;
}

void load_default(struct load *l, const struct schema_key *key, void *target)
{
    if (!key->initial)
        return;
    struct gw_str text = gw_str_z(key->initial);
    if (key->kind == SCHEMA_FORM)
        key->form->parse(l, NULL, text, target);
    else
        store_text(l, key, text, target);
}

/* For a value that was given but is not known: the checks behind see one that could be, and a text
 * that is empty yet there, so that nothing is called missing on top. */
static void stand_in(struct load *l, const struct schema_key *key, void *target)
{
    load_default(l, key, target);
    if (key->kind == SCHEMA_TEXT || key->kind == SCHEMA_PATH)
        *(struct gw_str *)target = GW_STR("");
}

/* Numbers and true/false may stand in quotes only where a variable brings them. */
static bool takes_literal_string(const struct schema_key *key)
{
    return key->kind != SCHEMA_BOOL && key->kind != SCHEMA_INT && key->kind != SCHEMA_FRACTION;
}

static void load_string(struct load *l, const struct schema_key *key, const struct json *v,
                        void *target)
{
    struct expanded x;
    if (!load_expand(l, v, &x))
        return;
    if (x.missing) {
        stand_in(l, key, target);
        return;
    }
    bool literal_ok = !x.literal || takes_literal_string(key);
    bool texts = key->kind == SCHEMA_TEXT || key->kind == SCHEMA_PATH || key->kind == SCHEMA_FORM;
    if (texts && x.text.len == 0 && !(key->flags & SCHEMA_MAY_BE_EMPTY)) {
        json_error(l->doc, v, l->diags, "\"%s\" is empty (%s)", key->name, key->help);
        return;
    }
    if (key->kind == SCHEMA_FORM)
        key->form->parse(l, v, x.text, target);
    else if (key->kind == SCHEMA_PATH)
        store_path(l, v, x.text, target);
    else if (!literal_ok || !store_text(l, key, x.text, target))
        load_fail_expected(l, key, v);
    /* The line itself is not quoted with it: load.c has hidden the value before. */
    if ((key->flags & SCHEMA_SECRET) && key->kind == SCHEMA_TEXT && x.literal)
        json_warn(l->doc, v, l->diags,
                  "\"%s\" is a secret and stands in the file; use \"${VAR}\" or \"${file:PATH}\"",
                  key->name);
}

/* Cloudflare's API answers some switches as true and false: SCHEMA_SWITCH takes both spellings. */
static bool store_literal(const struct schema_key *key, const struct json *v, void *target)
{
    int64_t number;
    bool is_bool = key->kind == SCHEMA_BOOL || (key->kind == SCHEMA_SWITCH && !key->words);
    bool is_number = key->kind == SCHEMA_INT || key->kind == SCHEMA_SIZE;
    if (is_bool && json_type(v) == JSON_BOOL) {
        *(bool *)target = json_bool(v);
        return true;
    }
    double fraction =
        key->kind == SCHEMA_FRACTION && json_type(v) == JSON_NUMBER ? json_number(v) : -1;
    if (fraction >= 0 && fraction <= 1) {
        *(uint32_t *)target = (uint32_t)(fraction * CONFIG_RATIO_WHOLE + 0.5);
        return true;
    }
    return is_number && json_int(v, 0, INT64_MAX, &number) &&
           store_number(key, (uint64_t)number, target);
}

/* A setting that changes nothing here is worth a word only when it says something else than what
 * happens anyway. */
static void warn_not_simulated(struct load *l, const struct schema_key *key, const struct json *v,
                               const void *target)
{
    char usual[16] = {0};
    load_default(l, key, usual);
    if (memcmp(usual, target, schema_size(key)) != 0)
        json_warn(l->doc, v, l->diags, "\"%s\" is accepted, but not simulated", key->name);
}

void load_scalar(struct load *l, const struct schema_key *key, const struct json *v, void *target)
{
    size_t before = l->diags->errors;
    if (json_type(v) == JSON_STRING)
        load_string(l, key, v, target);
    else if (!store_literal(key, v, target))
        load_fail_expected(l, key, v);
    if (l->diags->errors != before)
        stand_in(l, key, target);
    else if (key->flags & SCHEMA_NOT_SIMULATED)
        warn_not_simulated(l, key, v, target);
}

struct gw_str load_lower(struct load *l, struct gw_str text)
{
    char *copy = gw_arena_dupz(l->arena, text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = gw_lower(copy[i]);
    return gw_str(copy, text.len);
}
