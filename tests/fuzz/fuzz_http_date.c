/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever reads as a date is one that can be written, and reads the same again. */
#include "gateway/http/date.h"
#include "tests/fuzz/check.h"

#define NOW_S     1760000000
#define YEAR_9999 253402300799

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_str text = gw_str((const char *)data, size);
    char written[DATE_HTTP_LEN], iso[DATE_ISO_LEN];
    int64_t s, again;
    if (!date_parse(text, NOW_S, &s))
        return 0;
    date_format(s, written);
    CHECK(date_parse(gw_str(written, sizeof(written)), 0, &again));
    CHECK(again == s || s > YEAR_9999); /* the leap second that ends the last year */
    date_format_iso(s * 1000, iso);
    CHECK(iso[10] == 'T' && iso[DATE_ISO_LEN - 1] == 'Z');
    return 0;
}
