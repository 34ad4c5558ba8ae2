/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How the functions are computed, for the table in functions.c. Thread: any, each with an
 * evaluation of its own. Owns: nothing; results lie in the evaluation's scratch, whose ceiling
 * makes them missing. Source: spec/rules-language.md section 5. */
#include "config/rules/eval.h"
#include "config/rules/functions.h"

#define FUNCTION_SPLIT_MAX 128 /* items of split; section 3 */

function_run run_any, run_all, run_len, run_has_key, run_has_value, run_coalesce, run_cidr,
    run_cidr6;
function_run run_starts_with, run_ends_with, run_lower, run_upper, run_concat, run_substring,
    run_remove_bytes;
function_run run_split, run_join;
function_run run_url_decode, run_decode_base64, run_json_string, run_json_integer;
