/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/tls_ca.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW   ((uint64_t)1790000000)
#define DAY_S 86400

struct fixture {
    struct gw_buf ca, ca_key, certificate, key;
};

static void make(struct fixture *f)
{
    struct gw_buf *all[] = {&f->ca, &f->ca_key, &f->certificate, &f->key};
    for (size_t i = 0; i < GW_COUNT(all); i++)
        gw_buf_init(all[i], TLS_CA_PEM_MAX);
    assert_true(tls_ca_create("test authority", NOW, &f->ca, &f->ca_key));
}

static void release(struct fixture *f)
{
    struct gw_buf *all[] = {&f->ca, &f->ca_key, &f->certificate, &f->key};
    for (size_t i = 0; i < GW_COUNT(all); i++)
        gw_buf_release(all[i]);
}

static struct tls_ca_order order_of(const struct fixture *f, const struct gw_str *names,
                                    size_t count)
{
    return (struct tls_ca_order){gw_buf_str(&f->ca), gw_buf_str(&f->ca_key), names, count, NOW};
}

static void an_authority_says_who_it_is_and_for_how_long(void **state)
{
    (void)state;
    struct fixture f, other;
    struct tls_ca_facts facts, others;
    make(&f);
    make(&other);
    assert_true(tls_ca_read(gw_buf_str(&f.ca), &facts));
    assert_string_equal(facts.subject, "test authority");
    assert_int_equal(facts.not_after_s, NOW + (uint64_t)TLS_CA_DAYS * DAY_S);
    assert_int_equal(strlen(facts.sha256), 32 * 3 - 1);
    assert_true(tls_ca_read(gw_buf_str(&other.ca), &others));
    assert_string_not_equal(facts.sha256, others.sha256);
    assert_false(tls_ca_read(GW_STR("no PEM"), &facts));
    assert_false(tls_ca_read(GW_STR_EMPTY, &facts));
    release(&f);
    release(&other);
}

static void a_certificate_fits_its_names_its_authority_and_its_key(void **state)
{
    (void)state;
    static const struct gw_str names[] = {
        {"www.example.test", 16}, {"*.example.test", 14}, {"127.0.0.1", 9}, {"::1", 3}};
    static const struct gw_str others[] = {
        {"www.example.test", 16}, {"*.example.test", 14}, {"127.0.0.1", 9}, {"::2", 3}};
    struct fixture f, other;
    struct tls_ca_facts facts;
    make(&f);
    make(&other);
    struct tls_ca_order order = order_of(&f, names, 4);
    assert_true(tls_ca_issue(&order, &f.certificate, &f.key));
    assert_true(tls_ca_issue(&order, &other.certificate, &other.key));
    struct gw_str certificate = gw_buf_str(&f.certificate), key = gw_buf_str(&f.key);
    assert_true(tls_ca_read(certificate, &facts));
    assert_int_equal(facts.not_after_s, NOW + (uint64_t)TLS_CA_SERVER_DAYS * DAY_S);
    assert_string_equal(facts.subject, "www.example.test");

    assert_true(tls_ca_fits(&order, certificate, key));
    assert_false(tls_ca_fits(&order, certificate, gw_buf_str(&other.key)));
    assert_false(tls_ca_fits(&order, certificate, GW_STR_EMPTY));
    assert_false(tls_ca_fits(&order, GW_STR("torn"), key));
    order.count = 3; /* it holds more than is asked for: a host that is gone */
    assert_false(tls_ca_fits(&order, certificate, key));
    order = order_of(&f, others, 4);
    assert_false(tls_ca_fits(&order, certificate, key));
    order = order_of(&other, names, 4);
    assert_false(tls_ca_fits(&order, certificate, key));
    release(&f);
    release(&other);
}

static void what_is_no_order_is_refused(void **state)
{
    (void)state;
    static const struct gw_str names[] = {{"a.test", 6}};
    struct fixture f, other;
    make(&f);
    make(&other);
    struct tls_ca_order order = order_of(&f, names, 0);
    assert_false(tls_ca_issue(&order, &f.certificate, &f.key));
    order = order_of(&f, names, 1);
    order.ca_key = gw_buf_str(&other.ca_key); /* somebody else's */
    assert_false(tls_ca_issue(&order, &f.certificate, &f.key));
    order.ca_key = GW_STR("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
    assert_false(tls_ca_issue(&order, &f.certificate, &f.key));
    assert_int_equal(f.certificate.len, 0);
    assert_int_equal(f.key.len, 0);
    release(&f);
    release(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_says_who_it_is_and_for_how_long),
        cmocka_unit_test(a_certificate_fits_its_names_its_authority_and_its_key),
        cmocka_unit_test(what_is_no_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
