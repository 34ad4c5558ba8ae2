/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Text with variables, compiled once and rendered for every request:
 *
 *     ${n}  number of the request, from 1        ${identity}  number of the identity, from 0
 *     ${ip} its address   ${edge} ${isolate} where it knocks   ${csrf} its token
 *     ${random:1-100}  ${random:hex:16}  ${random:uuid}  ${random:red|green|blue}
 *     ${env:NAME}  the environment, read once      $${  is a plain ${
 *
 * Random values come from the run's seed: the same plan sends the same bytes. Owns: its parts and
 * one block of literal text. Thread: one. Limits: TEMPLATE_PARTS_MAX parts. */
#include "gateway/base/buf.h"
#include "gateway/base/hash.h"

#define TEMPLATE_PARTS_MAX 256

enum template_kind {
    TEMPLATE_LITERAL,
    TEMPLATE_N,
    TEMPLATE_IDENTITY,
    TEMPLATE_IP,
    TEMPLATE_EDGE,
    TEMPLATE_ISOLATE,
    TEMPLATE_CSRF,
    TEMPLATE_LENGTH, /* of the body; for heads, not to be written by people */
    TEMPLATE_INTEGER,
    TEMPLATE_HEX,
    TEMPLATE_UUID,
    TEMPLATE_CHOICE,
};

struct template_part {
    enum template_kind kind;
    size_t at, len;     /* literal, choices: in the text block */
    uint64_t low, high; /* of integers; low: number of hex digits or of choices */
};

struct template
{
    struct gw_buf text;
    struct template_part *parts;
    size_t count, cap;
};

struct template_values {
    uint64_t n, length, seed;
    uint32_t identity, isolate;
    struct gw_str ip, edge;
    struct gw_rng *rng;
};

struct template_mistake {
    size_t at, width;
    char text[128];
};

void template_init(struct template *t, size_t text_max);
void template_release(struct template *t);
/* Appends text with variables; false after a mistake, which is told. */
GW_MUST bool template_add(struct template *t, struct gw_str text, struct template_mistake *mistake);
/* Appends text as it stands. */
void template_literal(struct template *t, struct gw_str text);
void template_variable(struct template *t, enum template_kind kind);
/* Nothing in it changes from request to request. */
bool template_is_fixed(const struct template *t);
void template_render(const struct template *t, const struct template_values *v, struct gw_buf *out);
