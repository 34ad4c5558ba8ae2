/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/template.h"

#include <stdarg.h>

#include "gateway/base/diag.h"

#define HEX_MAX 256

void template_init(struct template *t, size_t text_max)
{
    *t = (struct template){0};
    gw_buf_init(&t->text, text_max);
}

void template_release(struct template *t)
{
    gw_buf_release(&t->text);
    free(t->parts);
    *t = (struct template){0};
}

/* ---- compiling ---- */

static struct template_part *add_part(struct template *t, enum template_kind kind)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 8;
        t->parts = gw_realloc(t->parts, t->cap * sizeof(*t->parts));
    }
    struct template_part *part = &t->parts[t->count++];
    *part = (struct template_part){.kind = kind, .at = t->text.len};
    return part;
}

void template_literal(struct template *t, struct gw_str text)
{
    if (!text.len)
        return;
    struct template_part *last = t->count ? &t->parts[t->count - 1] : NULL;
    if (!last || last->kind != TEMPLATE_LITERAL)
        last = add_part(t, TEMPLATE_LITERAL);
    gw_buf_add(&t->text, text);
    last->len = t->text.len - last->at;
}

void template_variable(struct template *t, enum template_kind kind)
{
    add_part(t, kind);
}

static bool GW_PRINTF(2, 3) fail(struct template_mistake *m, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(m->text, sizeof(m->text), fmt, args);
    va_end(args);
    return false;
}

static bool add_choice(struct template *t, struct gw_str choices)
{
    struct template_part *part = add_part(t, TEMPLATE_CHOICE);
    struct gw_str rest = choices, item;
    gw_buf_add(&t->text, choices);
    part->len = choices.len;
    while (gw_str_next(&rest, '|', &item))
        part->low++;
    return true;
}

static bool add_random(struct template *t, struct gw_str what, struct template_mistake *m)
{
    uint64_t low, high;
    size_t dash = gw_str_chr(what, '-');
    if (gw_str_eq(what, GW_STR("uuid"))) {
        add_part(t, TEMPLATE_UUID);
        return true;
    }
    if (gw_str_starts(what, GW_STR("hex:"))) {
        if (!gw_str_u64(gw_str_from(what, 4), HEX_MAX, &low) || !low)
            return fail(m, "random:hex takes a number of digits from 1 to %d", HEX_MAX);
        add_part(t, TEMPLATE_HEX)->low = low;
        return true;
    }
    if (gw_str_chr(what, '|') != GW_NPOS)
        return add_choice(t, what);
    if (dash == GW_NPOS || !gw_str_u64(gw_str_first(what, dash), UINT64_MAX / 2, &low) ||
        !gw_str_u64(gw_str_from(what, dash + 1), UINT64_MAX / 2, &high) || low > high)
        return fail(m, "random takes 1-100, hex:16, uuid or a|b|c");
    struct template_part *part = add_part(t, TEMPLATE_INTEGER);
    part->low = low;
    part->high = high;
    return true;
}

static bool add_environment(struct template *t, struct gw_str name, struct template_mistake *m)
{
    char *name_z = gw_str_dupz(name);
    const char *value = getenv(name_z);
    free(name_z);
    if (!value)
        return fail(m, "the environment has no %.*s", GW_STR_ARG(name));
    for (const char *c = value; *c; c++) /* it may go into a header line */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return fail(m, "%.*s in the environment holds a control byte", GW_STR_ARG(name));
    template_literal(t, gw_str_z(value));
    return true;
}

static bool add_variable(struct template *t, struct gw_str name, struct template_mistake *m)
{
    static const struct {
        const char *name;
        enum template_kind kind;
    } variables[] = {
        {"n", TEMPLATE_N},       {"identity", TEMPLATE_IDENTITY}, {"ip", TEMPLATE_IP},
        {"edge", TEMPLATE_EDGE}, {"isolate", TEMPLATE_ISOLATE},   {"csrf", TEMPLATE_CSRF}};
    static const char *const names[] = {"n",    "identity", "ip",     "edge", "isolate",
                                        "csrf", "random:",  "random", "env:", NULL};
    for (size_t i = 0; i < GW_COUNT(variables); i++)
        if (gw_str_eq(name, gw_str_z(variables[i].name))) {
            add_part(t, variables[i].kind);
            return true;
        }
    if (gw_str_starts(name, GW_STR("random:")))
        return add_random(t, gw_str_from(name, 7), m);
    if (gw_str_starts(name, GW_STR("env:")))
        return add_environment(t, gw_str_from(name, 4), m);
    const char *nearest = gw_nearest(name, names);
    return nearest ? fail(m, "unknown variable; did you mean \"%s\"?", nearest)
                   : fail(m, "unknown variable; there are n, identity, ip, edge, isolate, csrf, "
                             "random:… and env:NAME");
}

bool template_add(struct template *t, struct gw_str text, struct template_mistake *m)
{
    size_t at = 0;
    for (size_t found; at < text.len; at = found) {
        struct gw_str rest = gw_str_from(text, at);
        size_t sign = gw_str_find(rest, GW_STR("${"));
        if (sign != GW_NPOS && sign && rest.ptr[sign - 1] == '$') {
            template_literal(t, gw_str_first(rest, sign)); /* "$${": one dollar is the escape */
            template_literal(t, GW_STR("{"));
            found = at + sign + 2;
            continue;
        }
        template_literal(t, gw_str_first(rest, sign));
        if (sign == GW_NPOS)
            return true;
        size_t end = gw_str_chr(gw_str_from(rest, sign), '}');
        *m = (struct template_mistake){.at = at + sign, .width = 2};
        if (end == GW_NPOS)
            return fail(m, "\"${\" without \"}\"");
        m->width = end + 1;
        if (t->count >= TEMPLATE_PARTS_MAX)
            return fail(m, "more than %d variables", TEMPLATE_PARTS_MAX / 2);
        if (!add_variable(t, gw_str(rest.ptr + sign + 2, end - 2), m))
            return false;
        found = at + sign + end + 1;
    }
    return true;
}

bool template_is_fixed(const struct template *t)
{
    return t->count == 0 || (t->count == 1 && t->parts[0].kind == TEMPLATE_LITERAL);
}

/* ---- rendering ---- */

static void add_hex(struct gw_buf *out, uint64_t value, unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    char *at = gw_buf_reserve(out, digits);
    if (!at)
        return;
    for (unsigned i = 0; i < digits; i++)
        at[i] = hex[value >> (4 * (digits - 1 - i)) & 15];
    out->len += digits;
}

static void add_random_hex(struct gw_buf *out, struct gw_rng *rng, uint64_t digits)
{
    for (; digits > 16; digits -= 16)
        add_hex(out, gw_rng_next(rng), 16);
    add_hex(out, gw_rng_next(rng), (unsigned)digits);
}

/* RFC 9562 section 5.4: version 4, variant 10. */
static void add_uuid(struct gw_buf *out, struct gw_rng *rng)
{
    uint64_t high = gw_rng_next(rng), low = gw_rng_next(rng);
    add_hex(out, high >> 32, 8);
    gw_buf_char(out, '-');
    add_hex(out, high >> 16, 4);
    gw_buf_char(out, '-');
    add_hex(out, (high & 0xfff) | 0x4000, 4);
    gw_buf_char(out, '-');
    add_hex(out, (low >> 48 & 0x3fff) | 0x8000, 4);
    gw_buf_char(out, '-');
    add_hex(out, low, 12);
}

static void render_choice(struct gw_str choices, uint64_t pick, struct gw_buf *out)
{
    struct gw_str item = GW_STR_EMPTY;
    while (gw_str_next(&choices, '|', &item) && pick--)
        ;
    gw_buf_add(out, item);
}

/* Equal for one identity throughout, different between them, and nothing to remember. */
static void add_csrf(struct gw_buf *out, const struct template_values *v)
{
    struct gw_str who = gw_str((const char *)&v->identity, sizeof(v->identity));
    add_hex(out, gw_siphash(who, v->seed, 0), 16);
    add_hex(out, gw_siphash(who, v->seed, 1), 16);
}

static void render_part(const struct template *t, const struct template_part *part,
                        const struct template_values *v, struct gw_buf *out)
{
    switch (part->kind) {
    case TEMPLATE_LITERAL:
        gw_buf_add(out, gw_str(t->text.data + part->at, part->len));
        return;
    case TEMPLATE_N:
        gw_buf_u64(out, v->n);
        return;
    case TEMPLATE_IDENTITY:
        gw_buf_u64(out, v->identity);
        return;
    case TEMPLATE_IP:
        gw_buf_add(out, v->ip);
        return;
    case TEMPLATE_EDGE:
        gw_buf_add(out, v->edge);
        return;
    case TEMPLATE_ISOLATE:
        gw_buf_u64(out, v->isolate);
        return;
    case TEMPLATE_CSRF:
        add_csrf(out, v);
        return;
    case TEMPLATE_LENGTH:
        gw_buf_u64(out, v->length);
        return;
    case TEMPLATE_INTEGER:
        gw_buf_u64(out, part->low + gw_rng_below(v->rng, part->high - part->low + 1));
        return;
    case TEMPLATE_HEX:
        add_random_hex(out, v->rng, part->low);
        return;
    case TEMPLATE_UUID:
        add_uuid(out, v->rng);
        return;
    case TEMPLATE_CHOICE:
        render_choice(gw_str(t->text.data + part->at, part->len), gw_rng_below(v->rng, part->low),
                      out);
        return;
    }
}

void template_render(const struct template *t, const struct template_values *v, struct gw_buf *out)
{
    for (size_t i = 0; i < t->count; i++)
        render_part(t, &t->parts[i], v, out);
}
