/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* vasprintf, memrchr */
#include "gateway/base/diag.h"

#include <stdarg.h>

#define EXCERPT_MAX    120 /* bytes; longer lines are cut around the place */
#define EXCERPT_BEFORE 50
#define WORD_MAX       64 /* nobody misspells more; three rows of this stand on the stack */

void gw_diags_init(struct gw_diags *d)
{
    *d = (struct gw_diags){0};
}

void gw_diags_release(struct gw_diags *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].file);
        free(d->items[i].message);
        free(d->items[i].excerpt);
    }
    free(d->items);
    gw_diags_init(d);
}

void gw_line_column(struct gw_str text, size_t offset, unsigned *line, unsigned *column)
{
    offset = gw_min_size(offset, text.len);
    *line = 1;
    size_t start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (text.ptr[i] == '\n') {
            (*line)++;
            start = i + 1;
        }
    }
    *column = (unsigned)(offset - start) + 1;
}

static GW_PRINTF(1, 0) char *format(const char *fmt, va_list args)
{
    char *text;
    if (vasprintf(&text, fmt, args) < 0)
        abort();
    return text;
}

/* A new entry, or NULL when the list is full (the message is then only counted). */
static GW_PRINTF(3, 0) struct gw_diag *append(struct gw_diags *d, enum gw_severity severity,
                                              const char *fmt, va_list args)
{
    if (severity == GW_DIAG_ERROR)
        d->errors++;
    else
        d->warnings++;
    if (d->count == GW_DIAG_MAX)
        return NULL;
    if ((d->count & (d->count + 1)) == 0) /* capacity is the next power of two minus one */
        d->items = gw_realloc(d->items, (2 * d->count + 1) * sizeof(*d->items));
    struct gw_diag *item = &d->items[d->count++];
    *item = (struct gw_diag){.severity = severity, .width = 1, .message = format(fmt, args)};
    return item;
}

/* Columns count bytes, but a character of several bytes takes one place on the screen. */
static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Copies the line around `offset`. A very long line (rules often are) is cut to a window in which
 * the place can be seen, never inside a UTF-8 sequence. */
static void take_excerpt(struct gw_diag *item, struct gw_str text, size_t offset)
{
    size_t start = offset, end = offset;
    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r')
        end++;
    size_t line_start = start;
    if (end - start > EXCERPT_MAX) {
        if (offset - start > EXCERPT_BEFORE)
            start = offset - EXCERPT_BEFORE;
        end = gw_min_size(end, start + EXCERPT_MAX);
        while (start < offset && is_continuation(text.ptr[start]))
            start++;
        while (end > offset + 1 && end < text.len && is_continuation(text.ptr[end]))
            end--;
    }
    item->excerpt_at = (unsigned)(start - line_start);
    item->excerpt = gw_str_dupz(gw_str(text.ptr + start, end - start));
}

void gw_diag_at(struct gw_diags *d, enum gw_severity severity, const struct gw_source *source,
                size_t offset, size_t width, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct gw_diag *item = append(d, severity, fmt, args);
    va_end(args);
    if (!item || !source)
        return;
    offset = gw_min_size(offset, source->text.len);
    item->file = gw_strdup(source->name);
    item->width = width ? (unsigned)width : 1;
    gw_line_column(source->text, offset, &item->line, &item->column);
    take_excerpt(item, source->text, offset);
}

void gw_diag_file(struct gw_diags *d, enum gw_severity severity, const char *file, const char *fmt,
                  ...)
{
    va_list args;
    va_start(args, fmt);
    struct gw_diag *item = append(d, severity, fmt, args);
    va_end(args);
    if (item && file)
        item->file = gw_strdup(file);
}

/* The excerpt is a C string and may end before the place: a file that is no JSON at all may hold a
 * NUL. The caret then stands in the void, but in its column. */
static void print_caret(const struct gw_diag *item, FILE *out)
{
    size_t length = strlen(item->excerpt);
    unsigned column = item->column - item->excerpt_at;
    fprintf(out, "    %s\n    ", item->excerpt);
    for (unsigned i = 1; i < column; i++)
        if (i > length || !is_continuation(item->excerpt[i - 1]))
            fputc(i <= length && item->excerpt[i - 1] == '\t' ? '\t' : ' ', out);
    fputc('^', out);
    for (unsigned i = 1; i < item->width && column + i <= length; i++)
        if (!is_continuation(item->excerpt[column + i - 1]))
            fputc('~', out);
    fputc('\n', out);
}

void gw_diags_print(const struct gw_diags *d, FILE *out, bool color)
{
    static const char *const words[][2] = {{"error", "\033[31merror\033[0m"},
                                           {"warning", "\033[33mwarning\033[0m"}};
    for (size_t i = 0; i < d->count; i++) {
        const struct gw_diag *item = &d->items[i];
        if (item->file && item->line)
            fprintf(out, "%s:%u:%u: ", item->file, item->line, item->column);
        else if (item->file)
            fprintf(out, "%s: ", item->file);
        fprintf(out, "%s: %s\n", words[item->severity][color], item->message);
        if (item->excerpt)
            print_caret(item, out);
    }
    size_t hidden = d->errors + d->warnings - d->count;
    if (hidden)
        fprintf(out, "%zu more messages not shown\n", hidden);
}

/* Of two short words, three rows of the table at a time. Two letters that changed places are one
 * slip, not two: "chekc" is as near to "check" as "chek" is. */
static size_t edit_distance(struct gw_str a, struct gw_str b)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        const size_t *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
        size_t *row = rows[i % 3];
        char letter = gw_lower(a.ptr[i - 1]);
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char other = gw_lower(b.ptr[j - 1]);
            size_t replace = above[j - 1] + (letter != other);
            row[j] = gw_min_size(replace, gw_min_size(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && letter == gw_lower(b.ptr[j - 2]) &&
                gw_lower(a.ptr[i - 2]) == other)
                row[j] = gw_min_size(row[j], before[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

/* "window" for "window_ms": names carry their unit, and it is what one forgets. */
static const char *with_suffix(struct gw_str word, const char *const *candidates)
{
    for (; word.len && *candidates; candidates++) {
        struct gw_str candidate = gw_str_z(*candidates);
        if (candidate.len > word.len && candidate.ptr[word.len] == '_' &&
            gw_str_ieq(gw_str_first(candidate, word.len), word))
            return *candidates;
    }
    return NULL;
}

const char *gw_nearest(struct gw_str word, const char *const *candidates)
{
    const char *best = NULL;
    size_t limit = word.len / 3 > 0 ? word.len / 3 : 1;
    for (const char *const *c = candidates; *c; c++) {
        struct gw_str candidate = gw_str_z(*c);
        if (candidate.len > WORD_MAX || word.len > WORD_MAX)
            continue;
        size_t distance = edit_distance(word, candidate);
        if (distance <= limit) {
            best = *c;
            limit = distance ? distance - 1 : 0; /* of equals the first in the list */
            if (distance == 0)
                break;
        }
    }
    return best ? best : with_suffix(word, candidates);
}
