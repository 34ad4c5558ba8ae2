/* SPDX-License-Identifier: Apache-2.0 */
/* Range against objects of several sizes, and Content-Range of an origin: what is found lies inside
 * the object, ascends, and is written so that it reads the same again. */
#include "gateway/http/range.h"
#include "tests/fuzz/check.h"

/* A Content-Range is read up to the sizes that files have, a Range up to any number. */
static void check_written(struct range r, uint64_t size)
{
    if (size > INT64_MAX)
        return;
    char text[RANGE_TEXT_MAX];
    struct range again;
    uint64_t size_again;
    size_t len = range_format(text, r, size);
    CHECK(len <= sizeof(text));
    CHECK(range_parse_content(gw_str(text, len), &again, &size_again));
    CHECK(again.first == r.first && again.last == r.last && size_again == size);
}

static void check_request(struct gw_str value, uint64_t size, size_t cap)
{
    struct range r[RANGE_COUNT_MAX];
    size_t count;
    enum range_result result = range_parse(value, size, r, cap, &count);
    CHECK((count > 0) == (result == RANGE_PART) && count <= cap);
    for (size_t i = 0; i < count; i++) {
        CHECK(r[i].first <= r[i].last && r[i].last < size);
        CHECK(i == 0 || r[i].first > r[i - 1].last);
        check_written(r[i], size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t sizes[] = {0, 1, 100, UINT32_MAX, UINT64_MAX};
    struct gw_str value = gw_str((const char *)data, size);
    struct range r;
    uint64_t whole;
    for (size_t i = 0; i < GW_COUNT(sizes); i++) {
        check_request(value, sizes[i], RANGE_COUNT_MAX);
        check_request(value, sizes[i], 1);
    }
    if (range_parse_content(value, &r, &whole)) {
        CHECK(r.first <= r.last && r.last < whole);
        check_written(r, whole);
    }
    return 0;
}
