/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/regex_nfa.h"

/* Built from the end: each part is given the state that follows it and returns its first. */
#define NO_STATE NFA_STATES_MAX

static uint16_t add(struct nfa *nfa, enum nfa_kind kind, uint16_t next, uint16_t other)
{
    if (nfa->count == NFA_STATES_MAX || next == NO_STATE || other == NO_STATE)
        return NO_STATE;
    nfa->states[nfa->count] = (struct nfa_state){.kind = (uint8_t)kind, .next = {next, other}};
    return nfa->count++;
}

static uint16_t build(struct nfa *nfa, const struct regex_node *n, uint16_t next);

static uint16_t build_byte(struct nfa *nfa, const struct regex_class *class, uint16_t next)
{
    uint16_t state = add(nfa, NFA_BYTE, next, next);
    if (state != NO_STATE)
        nfa->states[state].class = class;
    return state;
}

static uint16_t build_look(struct nfa *nfa, uint8_t look, uint16_t next)
{
    uint16_t state = add(nfa, NFA_LOOK, next, next);
    if (state != NO_STATE)
        nfa->states[state].look = look;
    return state;
}

static uint16_t build_chain(struct nfa *nfa, const struct regex_node *last, uint16_t next)
{
    for (; last && next != NO_STATE; last = last->prev)
        next = build(nfa, last, next);
    return next;
}

static uint16_t build_alternatives(struct nfa *nfa, const struct regex_node *part, uint16_t next)
{
    uint16_t first = build(nfa, part, next);
    for (part = part->next; part && first != NO_STATE; part = part->next)
        first = add(nfa, NFA_SPLIT, first, build(nfa, part, next));
    return first;
}

/* x{2,4} is xx(x(x)?)?, x{2,} is xx x*. */
static uint16_t build_repeat(struct nfa *nfa, const struct regex_node *n, uint16_t next)
{
    uint16_t first = next;
    if (n->most == REGEX_UNLIMITED) {
        first = add(nfa, NFA_SPLIT, next, next);
        uint16_t body = first == NO_STATE ? NO_STATE : build(nfa, n->inner, first);
        if (body == NO_STATE)
            return NO_STATE;
        nfa->states[first].next[0] = body;
    } else {
        for (uint32_t i = n->least; i < n->most && first != NO_STATE; i++)
            first = add(nfa, NFA_SPLIT, build(nfa, n->inner, first), next);
    }
    for (uint32_t i = 0; i < n->least && first != NO_STATE; i++) {
        uint16_t before = first;
        first = build(nfa, n->inner, first);
        if (first == before) /* an empty part adds nothing, however often: (){60000}{60000} */
            break;
    }
    return first;
}

static uint16_t build(struct nfa *nfa, const struct regex_node *n, uint16_t next)
{
    switch ((enum regex_kind)n->kind) {
    case REGEX_CLASS:
        return build_byte(nfa, &n->class, next);
    case REGEX_LOOK:
        return build_look(nfa, n->look, next);
    case REGEX_CONCAT:
        return build_chain(nfa, n->last, next);
    case REGEX_ALT:
        return build_alternatives(nfa, n->inner, next);
    case REGEX_REPEAT:
        break;
    }
    return build_repeat(nfa, n, next);
}

bool nfa_build(struct nfa *nfa, const struct regex_node *root, struct gw_arena *arena)
{
    nfa->states = gw_arena_alloc(arena, NFA_STATES_MAX * sizeof(*nfa->states));
    nfa->count = 0;
    nfa->start = build(nfa, root, add(nfa, NFA_MATCH, 0, 0));
    return nfa->start != NO_STATE;
}
