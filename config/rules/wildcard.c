/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/wildcard.h"

#include <stdio.h>

static const char *syntax_error(struct gw_arena *arena, size_t position)
{
    char *text = gw_arena_alloc(arena, 128);
    snprintf(text, 128,
             "invalid wildcard: wildcard syntax error at position %zu: invalid escape sequence",
             position);
    return text;
}

const char *wildcard_compile(struct wildcard *w, struct gw_str pattern, bool strict,
                             struct gw_arena *arena)
{
    size_t stars = 0, len = 0;
    for (size_t i = 0; i < pattern.len; i++)
        stars += pattern.ptr[i] == '*';
    struct gw_str *pieces = gw_arena_alloc(arena, (stars + 1) * sizeof(*pieces));
    char *text = gw_arena_alloc(arena, pattern.len + 1);
    *w = (struct wildcard){.pieces = pieces, .strict = strict};
    pieces[0] = gw_str(text, 0);
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '*') {
            if (i > 0 && pieces[w->count].len == 0 && w->count > 0)
                return "wildcard contains a double star";
            pieces[++w->count] = gw_str(text + len, 0);
            continue;
        }
        if (c == '\\') {
            c = ++i < pattern.len ? pattern.ptr[i] : '\0';
            if (c != '*' && c != '\\')
                return syntax_error(arena, i - 1);
        }
        text[len++] = strict ? c : gw_lower(c);
        pieces[w->count].len++;
    }
    w->count++;
    return NULL;
}

static bool piece_at(const struct wildcard *w, struct gw_str piece, const char *at)
{
    if (w->strict)
        return piece.len == 0 || memcmp(at, piece.ptr, piece.len) == 0;
    for (size_t i = 0; i < piece.len; i++) {
        if (gw_lower(at[i]) != piece.ptr[i])
            return false;
    }
    return true;
}

/* Where the piece first occurs; GW_NPOS for nowhere or when work is used up. It has a first byte:
 * two stars in a row are refused, so only the first and the last piece can be empty. */
static size_t piece_find(const struct wildcard *w, struct gw_str piece, struct gw_str value,
                         int64_t *work)
{
    for (size_t at = 0; piece.len <= value.len - at; at++) {
        *work -= 1;
        if ((w->strict ? value.ptr[at] : gw_lower(value.ptr[at])) != piece.ptr[0])
            continue;
        *work -= (int64_t)piece.len / 4;
        if (piece_at(w, piece, value.ptr + at))
            return at;
        if (*work < 0)
            return GW_NPOS;
    }
    return GW_NPOS;
}

bool wildcard_match(const struct wildcard *w, struct gw_str value, int64_t *work)
{
    if (!value.ptr)
        value.ptr = "";
    struct gw_str first = w->pieces[0], last = w->pieces[w->count - 1];
    if (w->count == 1)
        return value.len == first.len && piece_at(w, first, value.ptr);
    /* The two ends may not share bytes: "ab*bc" does not match "abc". */
    if (value.len < first.len + last.len || !piece_at(w, first, value.ptr) ||
        !piece_at(w, last, value.ptr + value.len - last.len))
        return false;
    struct gw_str middle = gw_str_from(value, first.len);
    middle.len -= last.len;
    for (size_t i = 1; i + 1 < w->count; i++) {
        size_t at = piece_find(w, w->pieces[i], middle, work);
        if (at == GW_NPOS)
            return false;
        middle = gw_str_from(middle, at + w->pieces[i].len);
    }
    return true;
}
