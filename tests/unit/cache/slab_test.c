/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/slab.h"

#include <netinet/in.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/hash.h"
#include "tests/unit/cache/fixture.h"

#define PIECES   4000
#define EXPECTED ((uint64_t)64 * 1024 * 1024)

static void test_sizes(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 3 * CACHE_SLAB_SPAN; size += 1 + size / 100) {
        size_t takes = cache_slab_size(size);
        assert_true(takes >= size);
        assert_int_equal(cache_slab_size(takes), takes);
        assert_int_equal(takes % 16, 0);
        if (size >= 512)
            assert_true(takes - size <= size / 8);
    }
}

/* Pieces of all sizes live beside one another: each keeps its bytes. */
static void test_pieces_do_not_overlap(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(EXPECTED);
    struct gw_rng rng = {5};
    unsigned char *pieces[PIECES] = {0};
    size_t sizes[PIECES];
    for (int round = 0; round < 5 * PIECES; round++) {
        size_t i = (size_t)gw_rng_below(&rng, PIECES);
        if (pieces[i]) {
            for (size_t at = 0; at < sizes[i]; at += 1 + sizes[i] / 7)
                assert_int_equal(pieces[i][at], (unsigned char)i);
            cache_slab_drop(slab, pieces[i], sizes[i], false);
        }
        sizes[i] = (size_t)1 << gw_rng_below(&rng, 15);
        if (gw_rng_below(&rng, 50) == 0)
            sizes[i] = CACHE_SLAB_SPAN / 2 + (size_t)gw_rng_below(&rng, CACHE_SLAB_SPAN);
        pieces[i] = cache_slab_take(slab, sizes[i]);
        memset(pieces[i], (int)i & 0xff, sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        if (pieces[i])
            cache_slab_drop(slab, pieces[i], sizes[i], false);
    while (cache_slab_trim(slab))
        continue;
    assert_int_equal(cache_slab_resident(slab), 0);
    cache_slab_free(slab);
}

/* What small pieces used, large ones can: the reason why this is not the heap. */
static void test_spans_change_their_use(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(EXPECTED);
    void **small = gw_alloc(PIECES * sizeof(*small));
    for (size_t i = 0; i < PIECES; i++)
        small[i] = cache_slab_take(slab, 1024);
    uint64_t resident = cache_slab_resident(slab);
    for (size_t i = 0; i < PIECES; i++)
        cache_slab_drop(slab, small[i], 1024, false);
    void *large[8];
    for (size_t i = 0; i < GW_COUNT(large); i++)
        large[i] = cache_slab_take(slab, CACHE_SLAB_SPAN);
    assert_int_equal(cache_slab_resident(slab), resident);
    for (size_t i = 0; i < GW_COUNT(large); i++)
        cache_slab_drop(slab, large[i], CACHE_SLAB_SPAN, false);
    free(small);
    cache_slab_free(slab);
}

/* With no address space left the heap helps out. */
static void test_region_used_up(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(0);
    void *pieces[500];
    for (size_t i = 0; i < GW_COUNT(pieces); i++) {
        pieces[i] = cache_slab_take(slab, CACHE_SLAB_SPAN);
        memset(pieces[i], 1, 4096);
    }
    for (size_t i = 0; i < GW_COUNT(pieces); i++)
        cache_slab_drop(slab, pieces[i], CACHE_SLAB_SPAN, false);
    assert_int_equal(cache_slab_resident(slab), 0);
    cache_slab_free(slab);
}

/* Both ends of a connection over the loopback. */
static void connect_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&address, size), 0);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
}

/* Sends a piece by reference, drops it, has its memory used again, and only then reads. Returns
 * whether the bytes that were sent arrived. */
static bool survives(size_t size, bool lent)
{
    struct cache_slab *slab = cache_slab_new(EXPECTED);
    const struct gw_mapping *file = cache_slab_mapping(slab);
    char *piece = cache_slab_take(slab, size), *neighbour = cache_slab_take(slab, size);
    memset(piece, 'a', size);
    memset(neighbour, 'n', size);
    size_t offset;
    assert_true(gw_mapping_has(file, piece, size, &offset));
    int ends[2];
    connect_pair(ends);
    off_t at = (off_t)offset;
    assert_int_equal(sendfile(ends[0], file->fd, &at, size), size);
    cache_slab_drop(slab, piece, size, lent);
    char *again = cache_slab_take(slab, size);
    assert_ptr_equal(again, piece);
    memset(again, 'b', size);
    char *got = gw_zalloc(size);
    assert_int_equal(recv(ends[1], got, size, MSG_WAITALL), size);
    bool same = true;
    for (size_t i = 0; i < size; i++) {
        same &= got[i] == 'a';
        assert_int_equal(again[i], 'b');
        assert_int_equal(neighbour[i], 'n');
    }
    free(got);
    close(ends[0]);
    close(ends[1]);
    cache_slab_drop(slab, again, size, false);
    cache_slab_drop(slab, neighbour, size, false);
    cache_slab_free(slab);
    return same;
}

/* What a client has not read yet is not another object's bytes. That the same does not hold for a
 * piece that is not said to be lent shows that this test can fail. */
static void test_what_was_lent_stays_as_it_was(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(EXPECTED);
    bool is_file = cache_slab_mapping(slab) != NULL;
    size_t least = is_file ? cache_slab_mapping(slab)->least : 0;
    cache_slab_free(slab);
    if (!is_file)
        skip(); /* the address sanitizer's heap */
    const size_t sizes[] = {least, least + 1, 100 * 1024, CACHE_SLAB_SPAN / 2 + 1, CACHE_SLAB_SPAN};
    for (size_t i = 0; i < GW_COUNT(sizes); i++)
        assert_true(survives(sizes[i], true));
    assert_false(survives(100 * 1024, false));
}

/* Short stretches stay away from it: they may share a page with another object. */
static void test_little_is_not_lent(void **state)
{
    (void)state;
    static char file[4 * 32768];
    const struct gw_mapping m = {.fd = 3, .base = file, .size = sizeof(file), .least = 32768};
    size_t offset;
    assert_true(gw_mapping_has(&m, file + 32768, 3 * 32768, &offset));
    assert_int_equal(offset, 32768);
    assert_false(gw_mapping_has(&m, file, 32767, &offset));
    assert_false(gw_mapping_has(&m, file + 32769, 3 * 32768, &offset));
    assert_false(gw_mapping_has(&m, file - 1, 32768, &offset));
    assert_false(gw_mapping_has(&m, file + sizeof(file), 32768, &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_pieces_do_not_overlap),
        cmocka_unit_test(test_spans_change_their_use),
        cmocka_unit_test(test_region_used_up),
        cmocka_unit_test(test_what_was_lent_stays_as_it_was),
        cmocka_unit_test(test_little_is_not_lent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
