/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Thompson's automaton of a regex tree: what regex_dfa.c is built from. Counts are spelled out.
 * Owns: states lie in the arena. Limits: NFA_STATES_MAX. Thread: any. */
#include "config/rules/regex_tree.h"

#define NFA_STATES_MAX 3000

enum nfa_kind {
    NFA_BYTE,  /* on a byte of `class` to next[0] */
    NFA_SPLIT, /* to next[0] and next[1] */
    NFA_LOOK,  /* to next[0] where `look` holds */
    NFA_MATCH,
};

struct nfa_state {
    uint8_t kind; /* enum nfa_kind */
    uint8_t look; /* enum regex_look */
    uint16_t next[2];
    const struct regex_class *class;
};

struct nfa {
    struct nfa_state *states;
    uint16_t count, start;
};

/* False: too many states. */
GW_MUST bool nfa_build(struct nfa *nfa, const struct regex_node *root, struct gw_arena *arena);
