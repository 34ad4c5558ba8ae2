/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/tls_tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START 1000000
#define TURN  TLS_TICKETS_ROTATE_MS

static void a_key_seals_for_one_turn_and_opens_for_two(void **state)
{
    (void)state;
    struct tls_tickets *t = tls_tickets_new(START);
    struct tls_ticket_key first = tls_tickets_seal(t, START), key;
    bool old = true;
    assert_true(tls_tickets_open(t, START + TURN - 1, first.name, &key, &old));
    assert_false(old);
    assert_memory_equal(&key, &first, sizeof(key));
    key = tls_tickets_seal(t, START + TURN - 1);
    assert_memory_equal(&key, &first, sizeof(key));

    key = tls_tickets_seal(t, START + TURN);
    assert_memory_not_equal(key.name, first.name, sizeof(key.name));
    assert_memory_not_equal(key.aes, first.aes, sizeof(key.aes));
    assert_memory_not_equal(key.hmac, first.hmac, sizeof(key.hmac));
    assert_true(tls_tickets_open(t, START + 2 * TURN - 1, first.name, &key, &old));
    assert_true(old);
    assert_memory_equal(&key, &first, sizeof(key));
    assert_false(tls_tickets_open(t, START + 2 * TURN, first.name, &key, &old));
    tls_tickets_free(t);
}

static void a_ring_that_slept_through_two_turns_knows_no_old_key(void **state)
{
    (void)state;
    struct tls_tickets *t = tls_tickets_new(START);
    struct tls_ticket_key first = tls_tickets_seal(t, START), key;
    bool old;
    assert_false(tls_tickets_open(t, START + 2 * TURN + 5, first.name, &key, &old));
    /* What was made late is due on time. */
    struct tls_ticket_key late = tls_tickets_seal(t, START + 2 * TURN + 5);
    key = tls_tickets_seal(t, START + 3 * TURN);
    assert_memory_not_equal(key.name, late.name, sizeof(key.name));
    assert_true(tls_tickets_open(t, START + 3 * TURN, late.name, &key, &old));
    tls_tickets_free(t);
}

static void strangers_are_unknown(void **state)
{
    (void)state;
    struct tls_tickets *t = tls_tickets_new(0);
    struct tls_ticket_key key;
    const uint8_t zeros[16] = {0};
    bool old;
    assert_false(tls_tickets_open(t, 0, zeros, &key, &old));
    assert_false(tls_tickets_open(t, TURN, zeros, &key, &old));
    tls_tickets_free(t);
    tls_tickets_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_seals_for_one_turn_and_opens_for_two),
        cmocka_unit_test(a_ring_that_slept_through_two_turns_knows_no_old_key),
        cmocka_unit_test(strangers_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
