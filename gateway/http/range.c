/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/range.h"

#include "gateway/base/buf.h"

enum spec { SPEC_OK, SPEC_BEHIND, SPEC_MALFORMED };

/* All digits, at least one. What does not fit is larger than any object, which is all that counts.
 */
static bool read_position(struct gw_str text, uint64_t *out)
{
    if (!text.len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!gw_is_digit(text.ptr[i]))
            return false;
    if (!gw_str_u64(text, UINT64_MAX, out))
        *out = UINT64_MAX;
    return true;
}

/* "first-last", "first-" or "-length". An inverted pair can be read, so it is unsatisfiable and not
 * malformed (spec/cache-behaviour.md section 2.11). */
static enum spec read_spec(struct gw_str text, uint64_t size, struct range *out)
{
    size_t dash = gw_str_chr(text, '-');
    if (dash == GW_NPOS)
        return SPEC_MALFORMED;
    struct gw_str first = gw_str_first(text, dash), last = gw_str_from(text, dash + 1);
    struct range r = {0, UINT64_MAX};
    if (!first.len) {
        uint64_t length;
        if (!read_position(last, &length))
            return SPEC_MALFORMED;
        if (!length || !size)
            return SPEC_BEHIND;
        *out = (struct range){size - gw_min_u64(length, size), size - 1};
        return SPEC_OK;
    }
    if (!read_position(first, &r.first) || (last.len && !read_position(last, &r.last)))
        return SPEC_MALFORMED;
    if (r.first > r.last || r.first >= size)
        return SPEC_BEHIND;
    *out = (struct range){r.first, gw_min_u64(r.last, size - 1)};
    return SPEC_OK;
}

static bool take_unit(struct gw_str *value)
{
    size_t equals = gw_str_chr(*value, '=');
    if (equals == GW_NPOS || !gw_str_ieq(gw_str_first(*value, equals), GW_STR("bytes")))
        return false;
    *value = gw_str_from(*value, equals + 1);
    return true;
}

/* Every range is read before the answer is chosen: one that cannot be read spoils the whole field,
 * wherever it stands. */
enum range_result range_parse(struct gw_str value, uint64_t size, struct range *out, size_t cap,
                              size_t *count)
{
    struct gw_str spec;
    size_t found = 0, seen = 0;
    *count = 0;
    if (!take_unit(&value))
        return RANGE_WHOLE;
    while (gw_str_next(&value, ',', &spec)) {
        struct range r;
        spec = gw_str_trim(spec);
        if (!spec.len)
            continue;
        enum spec kind = read_spec(spec, size, &r);
        if (kind == SPEC_MALFORMED || ++seen > RANGE_COUNT_MAX)
            return RANGE_WHOLE;
        if (kind == SPEC_BEHIND)
            continue;
        /* Unordered ranges fall under this, too: who asks for the end first gets the whole, as at
         * Cloudflare, and no list must be sorted. */
        /* Overlaps make an answer larger than the object (the "Apache killer" of 2011). */
        if (found == cap || (found && r.first <= out[found - 1].last))
            return RANGE_WHOLE;
        out[found++] = r;
    }
    *count = found;
    return found ? RANGE_PART : RANGE_UNSATISFIABLE;
}

static size_t put(char *out, struct gw_str text)
{
    memcpy(out, text.ptr, text.len);
    return text.len;
}

size_t range_format(char *out, struct range r, uint64_t size)
{
    size_t n = put(out, GW_STR("bytes "));
    n += gw_u64_digits(out + n, r.first);
    n += put(out + n, GW_STR("-"));
    n += gw_u64_digits(out + n, r.last);
    n += put(out + n, GW_STR("/"));
    return n + gw_u64_digits(out + n, size);
}

size_t range_format_unsatisfied(char *out, uint64_t size)
{
    size_t n = put(out, GW_STR("bytes */"));
    return n + gw_u64_digits(out + n, size);
}

bool range_parse_content(struct gw_str value, struct range *out, uint64_t *size)
{
    size_t space = gw_str_chr(value, ' ');
    if (space == GW_NPOS || !gw_str_ieq(gw_str_first(value, space), GW_STR("bytes")))
        return false;
    value = gw_str_from(value, space + 1);
    size_t dash = gw_str_chr(value, '-'), slash = gw_str_chr(value, '/');
    if (dash == GW_NPOS || slash == GW_NPOS || dash > slash)
        return false;
    struct range r;
    uint64_t total;
    if (!gw_str_u64(gw_str_first(value, dash), INT64_MAX, &r.first) ||
        !gw_str_u64(gw_str(value.ptr + dash + 1, slash - dash - 1), INT64_MAX, &r.last) ||
        !gw_str_u64(gw_str_from(value, slash + 1), INT64_MAX, &total))
        return false;
    if (r.first > r.last || r.last >= total)
        return false;
    *out = r;
    *size = total;
    return true;
}
