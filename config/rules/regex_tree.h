/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A regex as a tree: what regex_syntax.c reads, and what the two engines are built from
 * (regex_pcre.c writes it as a PCRE2 pattern, regex_dfa.c builds an automaton). Only what decides
 * whether there is a match is kept: no captures, no greed. Everything lies in an arena. Thread:
 * none. Owns: nothing; the arena does. */
#include "gateway/base/arena.h"

struct regex_class {
    uint64_t bits[4]; /* bit per byte value */
};
static inline bool regex_class_has(const struct regex_class *c, unsigned byte)
{
    return c->bits[byte / 64] >> (byte % 64) & 1;
}
void regex_class_add(struct regex_class *c, unsigned low, unsigned high);

enum regex_kind {
    REGEX_CLASS,  /* one byte of a class; a literal is a class of one */
    REGEX_LOOK,   /* an assertion about the place */
    REGEX_CONCAT, /* parts in order; none: the empty match */
    REGEX_ALT,    /* one of the parts */
    REGEX_REPEAT, /* `inner`, least to most times */
};
enum regex_look {
    LOOK_TEXT_START, /* \A, ^ */
    LOOK_TEXT_END,   /* \z, $ */
    LOOK_LINE_START, /* ^ with flag m */
    LOOK_LINE_END,   /* $ with flag m */
    LOOK_WORD,       /* \b */
    LOOK_NOT_WORD,   /* \B */
    LOOK_WORD_START,
    LOOK_WORD_END,
    LOOK_WORD_START_HALF,
    LOOK_WORD_END_HALF,
};

#define REGEX_COUNT_MAX 65535
#define REGEX_UNLIMITED UINT32_MAX

struct regex_node {
    uint8_t kind;                   /* enum regex_kind */
    uint8_t look;                   /* enum regex_look */
    uint32_t least, most;           /* REGEX_REPEAT */
    struct regex_node *prev, *next; /* parts of the same CONCAT or ALT */
    struct regex_node *inner;       /* of a REPEAT; the first part of a CONCAT or ALT */
    struct regex_node *last;        /* the last part */
    struct regex_class class;
};
