/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/h1_scan.h"

#include "gateway/http/bytes.h"

/* Most bytes are passed over sixteen at a time: only control bytes can end or break a line, and a
 * line has two of them. At a CR whose LF is not here yet, `at` stays on the CR, so that the next
 * call judges both together. */
enum h1_scan_result h1_scan(struct h1_scan *s, struct gw_str bytes, enum h1_scan_unit unit)
{
    const char *data = bytes.ptr;
    for (;;) {
        if (s->at == s->line && s->at < bytes.len && (data[s->at] == ' ' || data[s->at] == '\t'))
            return SCAN_BAD;
        s->at = bytes_find_control(data, bytes.len, s->at);
        if (s->at == bytes.len)
            return SCAN_MORE;
        if (data[s->at] == '\t') {
            s->at++;
            continue;
        }
        if (data[s->at] != '\r')
            return SCAN_BAD;
        if (s->at + 1 == bytes.len)
            return SCAN_MORE;
        if (data[s->at + 1] != '\n')
            return SCAN_BAD;
        size_t len = s->at - s->line;
        s->at += 2;
        if (len && s->lines++ == 0)
            s->first_line = len;
        if (len == 0 || unit == SCAN_LINE)
            return SCAN_END;
        s->line = s->at;
    }
}
