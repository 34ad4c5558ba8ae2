/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/regex_dfa.h"

#include "config/rules/regex_nfa.h"
#include "gateway/base/map.h"

/* Rows of the table; the number of a row is the place of its first cell. */
#define ROW_DEAD       0 /* no match any more */
#define ROW_ACCEPT     1 /* these two have no cells: the search ends there */
#define ROW_FIRST      2

/* States visited while the table is built; some ten milliseconds at most. */
#define BUILD_WORK_MAX (4 * 1024 * 1024)

struct regex_dfa {
    uint8_t column[256];
    uint16_t columns;
    uint16_t *cells; /* row + column: the next row */
    uint8_t *at_end; /* by row: whether the end of the text here is a match */
};

/* What stands before a place. */
enum before { BEFORE_START, BEFORE_WORD, BEFORE_NEWLINE, BEFORE_OTHER };
#define AFTER_END (-1) /* what stands behind it: a byte, or nothing */

/* One row under construction: the automaton states it stands for, sorted. */
struct row {
    uint16_t *states;
    uint16_t count;
    uint16_t before; /* enum before */
};

struct builder {
    struct nfa nfa;
    struct gw_arena arena;
    struct regex_dfa *dfa;
    struct gw_map known; /* states and `before` of a row, as bytes → its number + 1 */
    struct row *rows;
    size_t row_count;
    uint8_t representative[256]; /* a byte of each column */
    bool looks_back;             /* what is before a place matters behind the start, too */
    bool restarts;               /* a match may begin behind the start */
    uint32_t seen[NFA_STATES_MAX], round;
    uint16_t stack[NFA_STATES_MAX];
    uint16_t closed[NFA_STATES_MAX]; /* NFA_BYTE states of the place under work */
    uint16_t closed_count;
    bool accepts;
    uint16_t found[NFA_STATES_MAX + 1]; /* states of the row to be; then its `before` */
    uint16_t found_count;
    int64_t work;
};

static bool is_word(int byte)
{
    char lower = byte >= 0 ? gw_lower((char)byte) : '\0';
    return gw_is_digit(lower) || (lower >= 'a' && lower <= 'z') || lower == '_';
}

static bool look_holds(enum regex_look look, enum before before, int after)
{
    bool word_before = before == BEFORE_WORD, word_after = is_word(after);
    switch (look) {
    case LOOK_TEXT_START:
        return before == BEFORE_START;
    case LOOK_TEXT_END:
        return after == AFTER_END;
    case LOOK_LINE_START:
        return before == BEFORE_START || before == BEFORE_NEWLINE;
    case LOOK_LINE_END:
        return after == AFTER_END || after == '\n';
    case LOOK_WORD:
        return word_before != word_after;
    case LOOK_NOT_WORD:
        return word_before == word_after;
    case LOOK_WORD_START:
        return !word_before && word_after;
    case LOOK_WORD_END:
        return word_before && !word_after;
    case LOOK_WORD_START_HALF:
        return !word_before;
    case LOOK_WORD_END_HALF:
        return !word_after;
    }
    return false;
}

/* Splits columns so that no class contains part of one. */
static void split_columns(struct builder *b, const struct regex_class *class)
{
    struct regex_dfa *dfa = b->dfa;
    uint16_t inside[256] = {0}, old = dfa->columns;
    bool outside[256] = {false};
    for (unsigned byte = 0; byte < 256; byte++) {
        if (!regex_class_has(class, byte))
            outside[dfa->column[byte]] = true;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned column = dfa->column[byte];
        if (column >= old || !regex_class_has(class, byte) || !outside[column])
            continue;
        if (!inside[column])
            inside[column] = dfa->columns++;
        dfa->column[byte] = (uint8_t)inside[column];
    }
}

/* Assertions tell word bytes and newlines apart even where no class does. */
static void find_columns(struct builder *b)
{
    struct regex_class word = {{0}}, newline = {{0}};
    regex_class_add(&newline, '\n', '\n');
    for (unsigned byte = 0; byte < 256; byte++) {
        if (is_word((int)byte))
            regex_class_add(&word, byte, byte);
    }
    b->dfa->columns = 1;
    for (uint16_t i = 0; i < b->nfa.count; i++) {
        const struct nfa_state *s = &b->nfa.states[i];
        bool at_text = s->look == LOOK_TEXT_START || s->look == LOOK_TEXT_END;
        if (s->kind == NFA_BYTE) {
            split_columns(b, s->class);
        } else if (s->kind == NFA_LOOK && !at_text) {
            bool at_line = s->look == LOOK_LINE_START || s->look == LOOK_LINE_END;
            split_columns(b, at_line ? &newline : &word);
            b->looks_back = true;
        }
    }
    for (unsigned byte = 0; byte < 256; byte++)
        b->representative[b->dfa->column[byte]] = (uint8_t)byte;
}

static void begin_place(struct builder *b)
{
    b->round++;
    b->closed_count = 0;
    b->accepts = false;
}

static void push(struct builder *b, uint16_t state, size_t *depth)
{
    if (b->seen[state] == b->round)
        return;
    b->seen[state] = b->round;
    b->stack[(*depth)++] = state;
}

/* Adds a state and all that it leads to without a byte at this place. */
static void close_state(struct builder *b, uint16_t state, enum before before, int after)
{
    size_t depth = 0;
    push(b, state, &depth);
    while (depth > 0) {
        uint16_t top = b->stack[--depth];
        const struct nfa_state *s = &b->nfa.states[top];
        b->work--;
        switch ((enum nfa_kind)s->kind) {
        case NFA_BYTE:
            b->closed[b->closed_count++] = top;
            break;
        case NFA_SPLIT:
            push(b, s->next[1], &depth);
            push(b, s->next[0], &depth);
            break;
        case NFA_LOOK:
            if (look_holds((enum regex_look)s->look, before, after))
                push(b, s->next[0], &depth);
            break;
        case NFA_MATCH:
            b->accepts = true;
            break;
        }
    }
}

static void close_row(struct builder *b, const struct row *row, int after)
{
    begin_place(b);
    for (uint16_t i = 0; i < row->count; i++)
        close_state(b, row->states[i], (enum before)row->before, after);
}

/* Whether the search may begin anew behind the start: not if every way in begins with \A. Other
 * assertions may hold somewhere. */
static bool can_restart(struct builder *b)
{
    static const enum before places[] = {BEFORE_WORD, BEFORE_NEWLINE, BEFORE_OTHER};
    static const int afters[] = {AFTER_END, '\n', 'a', ' '};
    for (size_t i = 0; i < GW_COUNT(places) * GW_COUNT(afters); i++) {
        begin_place(b);
        close_state(b, b->nfa.start, places[i % GW_COUNT(places)], afters[i / GW_COUNT(places)]);
        if (b->accepts || b->closed_count)
            return true;
    }
    return false;
}

static int order_states(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static size_t row_number(const struct builder *b, size_t row)
{
    return ROW_FIRST + row * b->dfa->columns;
}

/* Makes what was found a new row. False when the table is full. */
static bool add_row(struct builder *b, enum before before)
{
    if (row_number(b, b->row_count + 1) > UINT16_MAX)
        return false;
    struct row *row = &b->rows[b->row_count++];
    row->before = (uint16_t)before;
    row->count = b->found_count;
    row->states = gw_arena_alloc(&b->arena, b->found_count * sizeof(*row->states));
    memcpy(row->states, b->found, b->found_count * sizeof(*row->states));
    return true;
}

/* The number of the row for what was found; false when the table is full. */
static bool row_of(struct builder *b, enum before before, uint16_t *number)
{
    *number = ROW_DEAD;
    if (b->found_count == 0)
        return true;
    qsort(b->found, b->found_count, sizeof(*b->found), order_states);
    b->found[b->found_count] = (uint16_t)before;
    struct gw_str key = gw_str((const char *)b->found, (b->found_count + 1u) * sizeof(*b->found));
    uintptr_t known = (uintptr_t)gw_map_get(&b->known, key);
    if (!known) {
        known = row_number(b, b->row_count) + 1;
        if (!add_row(b, before))
            return false;
        gw_map_put(&b->known, key, (void *)known);
    }
    *number = (uint16_t)(known - 1);
    return true;
}

/* Each state once: `seen` of a new round serves for the row to be. */
static void find(struct builder *b, uint16_t state)
{
    if (b->seen[state] == b->round)
        return;
    b->seen[state] = b->round;
    b->found[b->found_count++] = state;
}

static enum before before_of(const struct builder *b, uint8_t byte)
{
    if (!b->looks_back)
        return BEFORE_OTHER;
    return is_word(byte) ? BEFORE_WORD : byte == '\n' ? BEFORE_NEWLINE : BEFORE_OTHER;
}

/* A match may begin at every place, so each step also begins anew. */
static bool fill_cell(struct builder *b, const struct row *row, size_t column, uint16_t *cell)
{
    uint8_t byte = b->representative[column];
    close_row(b, row, byte);
    if (b->accepts) {
        *cell = ROW_ACCEPT;
        return true;
    }
    b->round++;
    b->found_count = 0;
    for (uint16_t i = 0; i < b->closed_count; i++) {
        const struct nfa_state *s = &b->nfa.states[b->closed[i]];
        b->work--;
        if (regex_class_has(s->class, byte))
            find(b, s->next[0]);
    }
    if (b->restarts)
        find(b, b->nfa.start);
    return b->work > 0 && row_of(b, before_of(b, byte), cell);
}

static bool build_rows(struct builder *b)
{
    struct regex_dfa *dfa = b->dfa;
    for (size_t at = 0; at < b->row_count; at++) {
        size_t number = row_number(b, at);
        for (size_t column = 0; column < dfa->columns; column++) {
            if (!fill_cell(b, &b->rows[at], column, &dfa->cells[number + column]))
                return false;
        }
        close_row(b, &b->rows[at], AFTER_END);
        dfa->at_end[number] = b->accepts;
    }
    return true;
}

static bool build(struct builder *b, const struct regex_node *root)
{
    if (!nfa_build(&b->nfa, root, &b->arena))
        return false;
    find_columns(b);
    b->restarts = can_restart(b);
    b->rows = gw_arena_alloc(&b->arena, (UINT16_MAX / b->dfa->columns + 1u) * sizeof(*b->rows));
    b->found[0] = b->nfa.start;
    b->found_count = 1;
    return add_row(b, BEFORE_START) && build_rows(b);
}

/* The table is built at its largest and then cut to what it needs. */
static void trim(struct builder *b)
{
    size_t cells = row_number(b, b->row_count);
    b->dfa->cells = gw_realloc(b->dfa->cells, cells * sizeof(*b->dfa->cells));
    b->dfa->at_end = gw_realloc(b->dfa->at_end, cells);
}

struct regex_dfa *regex_dfa_new(const struct regex_node *root)
{
    struct builder *b = gw_zalloc(sizeof(*b));
    b->dfa = gw_zalloc(sizeof(*b->dfa));
    b->dfa->cells = gw_alloc((UINT16_MAX + 1) * sizeof(*b->dfa->cells));
    b->dfa->at_end = gw_zalloc(UINT16_MAX + 1);
    b->work = BUILD_WORK_MAX;
    gw_arena_init(&b->arena, NULL, 0, 0);
    gw_map_init(&b->known);
    struct regex_dfa *dfa = b->dfa;
    if (build(b, root)) {
        trim(b);
    } else {
        regex_dfa_free(dfa);
        dfa = NULL;
    }
    gw_map_release(&b->known);
    gw_arena_clear(&b->arena);
    free(b);
    return dfa;
}

void regex_dfa_free(struct regex_dfa *dfa)
{
    if (!dfa)
        return;
    free(dfa->cells);
    free(dfa->at_end);
    free(dfa);
}

bool regex_dfa_match(const struct regex_dfa *dfa, struct gw_str text)
{
    size_t row = ROW_FIRST;
    for (size_t i = 0; i < text.len && row >= ROW_FIRST; i++)
        row = dfa->cells[row + dfa->column[(uint8_t)text.ptr[i]]];
    return row < ROW_FIRST ? row == ROW_ACCEPT : dfa->at_end[row];
}
