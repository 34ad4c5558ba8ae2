/* SPDX-License-Identifier: Apache-2.0 */
/* `run` without a file. The flags are written as the file they stand for and loaded like one, so
 * that every check and message exists once. */
#include "config/config.h"

#define TEXT_MAX 65536

/* Writes `before`, the value as a JSON string and `behind`; nothing for a flag that is not given.
 */
static void add_text(struct gw_buf *out, const char *before, const char *value, const char *behind)
{
    if (!value)
        return;
    gw_buf_add(out, gw_str_z(before));
    gw_buf_json(out, gw_str_z(value));
    gw_buf_add(out, gw_str_z(behind));
}

/* Each argument may itself be a list with commas. */
static void add_hosts(struct gw_buf *out, const char *const *hosts)
{
    const char *separator = ", \"hosts\": [";
    for (; *hosts; hosts++) {
        struct gw_str rest = gw_str_z(*hosts), host;
        while (gw_str_next(&rest, ',', &host)) {
            gw_buf_add(out, gw_str_z(separator));
            gw_buf_json(out, gw_str_trim(host));
            separator = ", ";
        }
    }
    gw_buf_char(out, ']');
}

static void add_paths(struct gw_buf *out, const char *const *paths)
{
    if (!paths || !*paths)
        return;
    gw_buf_add(out, GW_STR(", \"rulesets\": ["));
    for (size_t i = 0; paths[i]; i++) {
        gw_buf_add(out, i ? GW_STR(", ") : GW_STR_EMPTY);
        gw_buf_json(out, gw_str_z(paths[i]));
    }
    gw_buf_char(out, ']');
}

/* The first host names the zone; "*" is no name. */
static void add_name(struct gw_buf *out, const char *hosts)
{
    struct gw_str rest = gw_str_z(hosts), first;
    gw_str_next(&rest, ',', &first);
    first = gw_str_trim(first);
    gw_buf_add(out, GW_STR("\"zones\": [{ \"name\": "));
    gw_buf_json(out, gw_str_eq(first, GW_STR("*")) ? GW_STR("localhost") : first);
}

struct config *config_from_flags(const struct config_flags *flags, struct gw_diags *diags)
{
    if (!flags->origin || !flags->hosts || !flags->hosts[0]) {
        gw_diag_file(diags, GW_DIAG_ERROR, NULL,
                     "%s is missing; without a file, run needs "
                     "--origin URL and --host HOST",
                     flags->origin ? "--host" : "--origin");
        return NULL;
    }
    struct gw_buf out;
    gw_buf_init(&out, TEXT_MAX);
    gw_buf_char(&out, '{');
    add_text(&out, "\"listen\": [", flags->listen, "],\n ");
    add_text(&out, "\"admin\": ", flags->admin, ",\n ");
    add_name(&out, flags->hosts[0]);
    add_hosts(&out, flags->hosts);
    add_text(&out, ",\n  \"origin\": ", flags->origin, "");
    add_text(&out, ", \"plan\": ", flags->plan, "");
    add_paths(&out, flags->rules);
    add_text(&out, ",\n  \"limiters\": ", flags->limiters, "");
    gw_buf_add(&out, GW_STR(" }] }\n"));
    struct config *config = NULL;
    if (out.overflow)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL, "the flags are longer than 64 KiB; use a file");
    else
        config =
            config_load_text(&(struct gw_source){"command line", gw_buf_str(&out)}, NULL, diags);
    gw_buf_release(&out);
    if (config)
        config->path = GW_STR_EMPTY;
    return config;
}
