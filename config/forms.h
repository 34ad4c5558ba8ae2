/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Strings with a form of their own: addresses, hosts, URLs, places. Each is one entry that the key
 * table names. Internal to config/. Thread: the loader's. Owns: nothing; texts go into the loader's
 * arena. */
#include "config/schema.h"

extern const struct schema_form form_address;    /* struct config_address */
extern const struct schema_form form_cidr;       /* struct gw_cidr */
extern const struct schema_form form_origin_url; /* struct config_origin: what the URL says */
extern const struct schema_form form_backend;    /* struct config_backend */

/* Labels of letters, digits, "-" and "_" between dots. */
bool form_is_host_name(struct gw_str host);

extern const struct schema_form form_host;        /* struct gw_str, lower case */
extern const struct schema_form form_host_header; /* struct gw_str, empty for "preserve" */
extern const struct schema_form form_zone_id;     /* struct gw_str */
extern const struct schema_form form_edge_name;   /* struct gw_str */
extern const struct schema_form form_country;     /* struct gw_str */
extern const struct schema_form form_continent;   /* struct gw_str */
extern const struct schema_form form_user_from;   /* struct config_user_from */
extern const struct schema_form form_access_log;  /* struct config_log: access and access_path */
extern const struct schema_form form_expression;  /* struct config_expression */
extern const struct schema_form form_user;        /* struct gw_str */
extern const struct schema_form form_folder;      /* struct gw_str, relative to the file */
extern const struct schema_form form_path;        /* struct gw_str */
extern const struct schema_form form_word;        /* struct gw_str */
extern const struct schema_form form_header_text; /* struct gw_str, may be empty */
