/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A compiled expression: the tree that the parser builds, with what prepare.c finds to make its
 * evaluation fast. Two kinds of nodes: `logic` gives true or false (or an array of them), `access`
 * gives a value. Everything lies in the expression's arena and is immutable afterwards.
 *
 * Every node knows its place in the text, for traces and notes. Thread: any. Owns: nothing; the
 * arena does. */
#include "config/rules/access.h"
#include "config/rules/expr.h"
#include "config/rules/regex.h"
#include "config/rules/sets.h"
#include "config/rules/wildcard.h"

enum compare_op {
    COMPARE_TRUE, /* a Bool stands alone */
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_GT,
    COMPARE_GE,
    COMPARE_CONTAINS,
    COMPARE_MATCHES,
    COMPARE_WILDCARD,
    COMPARE_IN,
    COMPARE_IN_LIST,
    COMPARE_BITS,
    COMPARE_STARTS, /* starts_with and ends_with with a literal, made by prepare.c */
    COMPARE_ENDS,
};
struct compare {
    const struct access *left;
    uint8_t op;                        /* enum compare_op */
    uint8_t base;                      /* enum rules_base of the left side */
    bool when_missing;                 /* the result when a side has no value */
    const struct access *right_access; /* a dynamic right side, or NULL */
    struct gw_ip ip;                   /* what `right` points to for an address literal */
    struct rules_value right; /* EQ … BITS, CONTAINS, STARTS, ENDS; of MATCHES, WILDCARD and
                                 IN_LIST the pattern or name as written */
    struct regex *regex;
    struct wildcard wildcard;
    const struct rules_list *list;
    const void *set; /* int_range, ip_range or gw_str by base */
    size_t set_count;
};

/* The first two are LOGIC_COMPARE of the commonest form: a slice of the request view against a
 * literal, with all they need in the node itself. */
enum logic_kind {
    LOGIC_TEXT_EQ,
    LOGIC_TEXT_STARTS,
    LOGIC_COMPARE,
    LOGIC_AND,
    LOGIC_OR,
    LOGIC_XOR,
    LOGIC_NOT,
};
static inline bool logic_is_compare(uint8_t kind)
{
    return kind <= LOGIC_COMPARE;
}
#define LOGIC_UNSHARED 0xff
struct logic {
    uint8_t kind;  /* enum logic_kind */
    bool array;    /* gives Array<Bool> */
    uint8_t slot;  /* of the shared result; LOGIC_UNSHARED */
    uint16_t cost; /* rough, to order tests */
    size_t offset, width;
    struct logic *next; /* while a chain is read */
    union {
        struct {
            struct logic **items;  /* in the order written */
            struct logic **sorted; /* cheapest first */
            size_t count;
        };
        struct logic *inner; /* LOGIC_NOT */
        struct {
            struct compare *compare;
            struct gw_str literal; /* LOGIC_TEXT_… */
            uint16_t text_at;      /* likewise: where the slice lies in the view */
        };
    };
};

struct regex_link {
    struct regex *regex;
    struct regex_link *next;
};
struct note_link {
    struct expr_note note;
    struct note_link *next;
};

struct expr {
    struct gw_arena arena;
    struct gw_str text;
    struct logic *root;         /* NULL: it gives a value, which is … */
    const struct access *value; /* … this */
    struct regex_link *regexes; /* the only parts outside the arena */
    struct expr_note *notes;
    size_t note_count;
    const struct gw_str *hosts; /* see expr_hosts */
    size_t host_count;
    bool host_restricted;
    bool response; /* names a field of the response */
};
