/* SPDX-License-Identifier: Apache-2.0 */
/* What the key table says, in words: for messages and for the reference. */
#include <inttypes.h>

#include "config/config.h"
#include "config/json.h"
#include "config/schema.h"

#define PATH_MAX_BYTES 128

size_t schema_size(const struct schema_key *key)
{
    switch (key->kind) {
    case SCHEMA_BOOL:
    case SCHEMA_SWITCH:
        return sizeof(bool);
    case SCHEMA_INT:
    case SCHEMA_FRACTION:
        return sizeof(uint32_t);
    case SCHEMA_SIZE:
        return sizeof(uint64_t);
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
        return sizeof(struct gw_str);
    case SCHEMA_ENUM:
        return sizeof(unsigned);
    case SCHEMA_FORM:
        return key->form->size;
    case SCHEMA_OBJECT:
        return key->section->size;
    case SCHEMA_LIST:
        break;
    }
    return sizeof(void *) + sizeof(size_t);
}

static void write_words(const char *const *words, struct gw_buf *out)
{
    for (size_t i = 0; words[i]; i++) {
        const char *separator = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        gw_buf_printf(out, "%s\"%s\"", separator, words[i]);
    }
}

void schema_expected(const struct schema_key *key, struct gw_buf *out)
{
    static const char *const on_off[] = {"on", "off", NULL};
    switch (key->kind) { /* reads behind "must be" */
    case SCHEMA_BOOL:
        gw_buf_add(out, GW_STR("true or false"));
        return;
    case SCHEMA_INT:
        gw_buf_printf(out, "an integer from %" PRIu64 " to %" PRIu64, key->min, key->max);
        return;
    case SCHEMA_FRACTION:
        gw_buf_add(out, GW_STR("a number from 0 to 1"));
        return;
    case SCHEMA_SIZE:
        gw_buf_printf(out, "a size from %" PRIu64 " to %" PRIu64 " bytes, such as \"256MiB\"",
                      key->min, key->max);
        return;
    case SCHEMA_SWITCH:
    case SCHEMA_ENUM:
        write_words(key->words ? key->words : on_off, out);
        return;
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
        gw_buf_add(out, GW_STR("a string"));
        return;
    case SCHEMA_FORM:
        gw_buf_add(out, gw_str_z(key->form->what));
        return;
    case SCHEMA_OBJECT:
        gw_buf_add(out, GW_STR("an object"));
        return;
    case SCHEMA_LIST:
        gw_buf_add(out, GW_STR("an array"));
        return;
    }
}

/* `zones[].origin.` in front of the names of a section. */
static void describe_section(const struct schema_section *section, struct gw_str prefix,
                             struct gw_buf *out)
{
    for (const struct schema_key *key = section->keys; key->name; key++) {
        const struct schema_section *inner =
            key->kind == SCHEMA_LIST ? key->item->section : key->section;
        struct gw_buf path;
        gw_buf_init(&path, PATH_MAX_BYTES);
        gw_buf_printf(&path, "%.*s%s%s", GW_STR_ARG(prefix), key->name,
                      key->kind == SCHEMA_LIST ? "[]" : "");
        if (inner) {
            gw_buf_char(&path, '.');
            describe_section(inner, gw_buf_str(&path), out);
        } else {
            gw_buf_printf(out, "%-45.*s ", GW_STR_ARG(gw_buf_str(&path)));
            schema_expected(key->kind == SCHEMA_LIST ? key->item : key, out);
            if (key->initial)
                gw_buf_printf(out, " [%s]", key->initial);
            gw_buf_printf(out, ": %s\n", key->help);
        }
        gw_buf_release(&path);
    }
}

void config_describe(struct gw_buf *out)
{
    describe_section(&schema_root, GW_STR_EMPTY, out);
}
