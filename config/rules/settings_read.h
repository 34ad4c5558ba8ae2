/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reads action_parameters of set_cache_settings into struct cache_settings, with the constraints
 * and plan limits of spec/cache-behaviour.md section 4.2. All findings are reported; what is wrong
 * stays absent. Thread: one. */
#include "config/rules/report.h"

struct settings_reader {
    struct report *report;
    struct gw_arena *arena; /* of the ruleset */
    enum rules_phase phase;
    enum config_plan plan;
};

void settings_read(struct settings_reader *s, const struct json *params,
                   struct cache_settings *out);

/* The larger members, each in its own file. `v` is an object. */
void settings_read_key(struct settings_reader *s, const struct json *v, struct cache_settings *out);
void settings_read_vary(struct settings_reader *s, const struct json *v,
                        struct cache_settings *out);

/* Shared by them. An absent member leaves *out alone. */
void settings_flag(struct settings_reader *s, const struct json *object, const char *key,
                   bool *out);
/* An error unless the plan is at least `plan`; `what` is the member's name. */
bool settings_entitled(struct settings_reader *s, const struct json *v, enum config_plan plan,
                       const char *what);

struct names_rule {
    size_t max;
    bool lower; /* header names: fold case */
    bool sort;
};
/* An array of strings, at least one; repeats are dropped. False after an error. */
GW_MUST bool settings_names(struct settings_reader *s, const struct json *v, struct names_rule rule,
                            struct cache_names *out);
GW_MUST bool settings_choice(struct settings_reader *s, const struct json *v, const char *field,
                             const char *const *choices, unsigned *out);
