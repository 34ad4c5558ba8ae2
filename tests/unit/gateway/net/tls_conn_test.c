/* SPDX-License-Identifier: Apache-2.0 */
/* TLS as an owner of connections sees it, both ends on one loop. */
#include "gateway/base/err.h"
#include "gateway/base/mapping.h"
#include "gateway/net/conn_tls.h"
#include "gateway/net/tls.h"
#include "gateway/net/tls_ca.h"
#include "gateway/net/tls_tickets.h"
#include "tests/unit/gateway/net/pair_fixture.h"

#define LARGE ((size_t)8 << 20)

static char folder[64];
static char paths[6][128];
enum file { CA, CA_KEY, FIRST, FIRST_KEY, SECOND, SECOND_KEY };

/* ---- certificates in files ---- */

static void write_file(enum file file, const char *name, const struct gw_buf *text)
{
    snprintf(paths[file], sizeof(paths[file]), "%s/%s", folder, name);
    FILE *f = fopen(paths[file], "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
    fclose(f);
}

static int make_files(void **state)
{
    (void)state;
    static const struct gw_str first[] = {{"www.example.test", 16}, {"127.0.0.1", 9}};
    static const struct gw_str second[] = {{"*.other.test", 12}};
    struct gw_buf t[6];
    uint64_t now_s = gw_kernel_wall_ms() / 1000;
    for (size_t i = 0; i < 6; i++)
        gw_buf_init(&t[i], TLS_CA_PEM_MAX);
    snprintf(folder, sizeof(folder), "%s", "/tmp/nearedge-tls-XXXXXX");
    if (!mkdtemp(folder) || !tls_ca_create("test", now_s, &t[CA], &t[CA_KEY]))
        return -1;
    struct tls_ca_order order = {gw_buf_str(&t[CA]), gw_buf_str(&t[CA_KEY]), first, 2, now_s};
    if (!tls_ca_issue(&order, &t[FIRST], &t[FIRST_KEY]))
        return -1;
    order.names = second;
    order.count = 1;
    if (!tls_ca_issue(&order, &t[SECOND], &t[SECOND_KEY]))
        return -1;
    static const char *const names[] = {"ca", "ca.key", "1", "1.key", "2", "2.key"};
    for (size_t i = 0; i < 6; i++) {
        write_file((enum file)i, names[i], &t[i]);
        gw_buf_release(&t[i]);
    }
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++)
        remove(paths[i]);
    return remove(folder);
}

/* ---- two ends ---- */

static void on_connect(void *ctx, int err)
{
    struct end *e = ctx;
    struct pair *p = e->pair;
    if (e == &p->client && p->client_tls && !conn_tls_facts(e->conn).version) {
        assert_int_equal(err, 0);
        conn_tls_connect(e->conn, p->client_tls);
        return;
    }
    e->greeted++;
    e->greeting_error = err;
    if (!err)
        conn_resume(e->conn);
    if (p->client.greeted && (p->server.greeted || !p->client_tls))
        gw_loop_stop(p->loop);
}

static void on_eof(void *ctx)
{
    struct end *e = ctx;
    e->eofs++;
    gw_loop_stop(e->pair->loop);
}

static void on_error(void *ctx, int err)
{
    struct end *e = ctx;
    e->error = err;
    gw_loop_stop(e->pair->loop);
}

static const struct conn_events events = {on_connect,    pair_on_read, on_eof,
                                          pair_on_drain, on_error,     pair_on_close};

static void on_accept(void *ctx, struct conn *c)
{
    struct pair *p = ctx;
    p->server.conn = c;
    conn_set_owner(c, &events, &p->server);
    conn_tls_accept(c, p->tls);
}

static struct tls_client *client_for(const char *name, const char *ca, bool verify)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    const struct tls_client_options options = {.ca = ca, .name = name, .verify = verify};
    struct tls_client *c = tls_client_load(&options, &diags);
    assert_int_equal(diags.count, 0);
    gw_diags_release(&diags);
    return c;
}

/* Runs until both handshakes have ended; a plain client has none. */
static void open_pair(struct pair *p, struct tls_client *client_tls)
{
    const struct tls_pair files[] = {{paths[FIRST], paths[FIRST_KEY]},
                                     {paths[SECOND], paths[SECOND_KEY]}};
    struct gw_diags diags;
    gw_diags_init(&diags);
    pair_listen(p, on_accept);
    p->client_tls = client_tls;
    p->tls = tls_server_load(files, 2, "h2,http/1.1", &diags);
    assert_non_null(p->tls);
    assert_int_equal(diags.count, 0);
    gw_diags_release(&diags);
    p->tickets = tls_tickets_new(gw_kernel_mono_ms());
    tls_server_use_tickets(p->tls, p->tickets);
    pair_connect(p, &events);
    gw_loop_run(p->loop);
}

static void close_pair(struct pair *p)
{
    pair_release(p);
    tls_server_unref(p->tls);
    tls_client_unref(p->client_tls);
    tls_tickets_free(p->tickets);
}

static void send_text(struct conn *c, const char *text)
{
    struct iovec part = {(void *)text, strlen(text)};
    assert_int_equal(conn_write(c, &part, 1, NULL), 0);
}

/* ---- tests ---- */

static void bytes_arrive_and_both_sides_know_what_was_settled(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, client_for("www.example.test", paths[CA], true));
    assert_int_equal(p.client.greeting_error, 0);
    assert_int_equal(p.server.greeting_error, 0);
    assert_string_equal(conn_tls_facts(p.client.conn).version, "TLSv1.3");
    assert_string_equal(conn_tls_facts(p.server.conn).cipher, "TLS_AES_128_GCM_SHA256");
    assert_false(conn_tls_facts(p.server.conn).resumed);
    assert_true(gw_str_eq(conn_alpn(p.server.conn), GW_STR("http/1.1")));
    struct iovec parts[] = {{(void *)"one ", 4}, {NULL, 0}, {(void *)"two", 3}};
    assert_int_equal(conn_write(p.client.conn, parts, 3, NULL), 0);
    p.expect = 7;
    gw_loop_run(p.loop);
    assert_true(gw_str_eq(gw_buf_str(&p.server.got), GW_STR("one two")));
    send_text(p.server.conn, "three");
    p.expect = 5;
    gw_loop_run(p.loop);
    assert_true(gw_str_eq(gw_buf_str(&p.client.got), GW_STR("three")));
    close_pair(&p);
}

/* The receiver does not read: plain text waits, borrowed where it was lent, and is whole in the
 * end. */
static void what_the_kernel_does_not_take_waits_in_order(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, client_for("www.example.test", paths[CA], true));
    conn_pause(p.client.conn);
    char *large = malloc(LARGE), transient[] = "head ";
    assert_non_null(large);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 31 + i / 4096);
    struct iovec parts[] = {{transient, 5}, {large, LARGE}};
    const struct gw_mapping mapping = {.fd = -1, .base = large, .size = LARGE, .least = 4096};
    const struct conn_hold hold = pair_hold(&p, 1, &mapping);
    assert_int_equal(conn_write(p.server.conn, parts, 2, &hold), 0);
    assert_int_equal(p.released, 0);
    assert_true(conn_queued(p.server.conn) > 0);
    memset(transient, 'x', 5);
    send_text(p.server.conn, " tail");
    conn_finish(p.server.conn);
    conn_resume(p.client.conn);
    p.expect = LARGE + 10;
    gw_loop_run(p.loop);
    assert_int_equal(p.released, 1);
    assert_int_equal(p.lent, 0); /* what is encrypted is a copy */
    assert_int_equal(p.client.got.len, LARGE + 10);
    assert_memory_equal(p.client.got.data, "head ", 5);
    assert_memory_equal(p.client.got.data + 5, large, LARGE);
    assert_memory_equal(p.client.got.data + 5 + LARGE, " tail", 5);
    if (!p.client.eofs)
        gw_loop_run(p.loop);
    assert_int_equal(p.client.eofs, 1);
    assert_int_equal(p.client.error, 0);
    free(large);
    close_pair(&p);
}

static void a_hold_is_released_when_the_connection_dies(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, client_for("www.example.test", paths[CA], true));
    conn_pause(p.client.conn);
    char *large = calloc(1, LARGE);
    struct iovec part = {large, LARGE};
    const struct conn_hold hold = pair_hold(&p, 0, NULL);
    assert_int_equal(conn_write(p.server.conn, &part, 1, &hold), 0);
    assert_int_equal(p.released, 0);
    pair_close_ends(&p);
    assert_int_equal(p.released, 1);
    free(large);
    close_pair(&p);
}

static void a_paused_owner_hears_nothing_until_it_resumes(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, client_for("www.example.test", paths[CA], true));
    p.server.pause_after_read = true;
    char *large = calloc(1, LARGE);
    struct iovec part = {large, LARGE};
    assert_int_equal(conn_write(p.client.conn, &part, 1, NULL), 0);
    for (p.expect = 1; p.server.got.len < LARGE; p.expect = p.server.got.len + 1) {
        gw_loop_run(p.loop);
        assert_true(p.server.got.len >= p.expect);
        conn_resume(p.server.conn);
    }
    assert_int_equal(p.server.got.len, LARGE);
    free(large);
    close_pair(&p);
}

static void a_session_is_resumed(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, client_for("www.example.test", paths[CA], true));
    send_text(p.server.conn, "x"); /* tickets come before it */
    p.expect = 1;
    gw_loop_run(p.loop);
    pair_close_ends(&p);
    p.client.greeted = p.server.greeted = 0;
    pair_connect(&p, &events);
    gw_loop_run(p.loop);
    assert_int_equal(p.client.greeting_error, 0);
    assert_true(conn_tls_facts(p.client.conn).resumed);
    assert_true(conn_tls_facts(p.server.conn).resumed);
    close_pair(&p);
}

static void an_end_without_close_notify_is_a_cut(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, client_for("www.example.test", paths[CA], true));
    conn_close(p.server.conn);
    gw_loop_run(p.loop);
    assert_int_equal(p.client.error, GW_ETRUNCATED);
    assert_int_equal(p.client.eofs, 0);
    close_pair(&p);

    open_pair(&p, client_for("www.example.test", paths[CA], true));
    conn_close(p.client.conn);
    gw_loop_run(p.loop);
    assert_int_equal(p.server.error, 0);
    assert_int_equal(p.server.eofs, 1);
    close_pair(&p);
}

static void certificates_are_chosen_and_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool own_ca;
        int err;
    } cases[] = {
        {"www.example.test", true, 0},
        {"127.0.0.1", true, 0},
        {"a.other.test", true, 0},
        {"a.b.other.test", true, GW_ECERT},
        {"other.test", true, GW_ECERT},
        {"elsewhere.test", true, GW_ECERT},
        {"www.example.test", false, GW_ECERT},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct pair p;
        open_pair(&p, client_for(cases[i].name, cases[i].own_ca ? paths[CA] : NULL, true));
        assert_int_equal(p.client.greeting_error, cases[i].err);
        if (cases[i].err)
            assert_non_null(conn_tls_facts(p.client.conn).failure);
        close_pair(&p);
        open_pair(&p, client_for(cases[i].name, NULL, false));
        assert_int_equal(p.client.greeting_error, 0);
        close_pair(&p);
    }
}

/* What is no handshake: HTTP is told apart, anything else fails, and neither brings the end down.
 */
static void plain_bytes_at_a_tls_port(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int err;
    } cases[] = {{"GET / HTTP/1.1\r\n\r\n", GW_EPLAIN_HTTP},
                 {"\x16\x03\x01\x02\x01garbage of some length", GW_ETLS},
                 {"\xff\xff\xff\xff\xff\xff", GW_ETLS}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct pair p;
        open_pair(&p, NULL);
        send_text(p.client.conn, cases[i].bytes);
        conn_shut_write(p.client.conn);
        while (!p.server.greeted)
            gw_loop_run(p.loop);
        assert_int_equal(p.server.greeting_error, cases[i].err);
        if (cases[i].err == GW_EPLAIN_HTTP) {
            conn_tls_drop(p.server.conn);
            send_text(p.server.conn, "in plain words");
            p.expect = 14;
            while (p.client.got.len < 14)
                gw_loop_run(p.loop);
            assert_memory_equal(p.client.got.data, "in plain words", 14);
        }
        close_pair(&p);
    }
}

static void files_that_do_not_fit_are_named(void **state)
{
    (void)state;
    static const struct {
        enum file certificate, key;
        const char *says;
    } cases[] = {
        {FIRST, SECOND_KEY, "does not belong to the certificate"},
        {FIRST, CA, "no private key in PEM"},
        {CA_KEY, CA_KEY, "no certificate in PEM"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_diags diags;
        gw_diags_init(&diags);
        const struct tls_pair pair = {paths[cases[i].certificate], paths[cases[i].key]};
        assert_null(tls_server_load(&pair, 1, "http/1.1", &diags));
        assert_int_equal(diags.errors, 1);
        assert_non_null(strstr(diags.items[0].message, cases[i].says));
        assert_non_null(diags.items[0].file);
        gw_diags_release(&diags);
    }
    struct gw_diags diags;
    gw_diags_init(&diags);
    const struct tls_pair missing = {"/nowhere/a.pem", paths[FIRST_KEY]};
    assert_null(tls_server_load(&missing, 1, "http/1.1", &diags));
    assert_string_equal(diags.items[0].file, "/nowhere/a.pem");
    gw_diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_and_both_sides_know_what_was_settled),
        cmocka_unit_test(what_the_kernel_does_not_take_waits_in_order),
        cmocka_unit_test(a_hold_is_released_when_the_connection_dies),
        cmocka_unit_test(a_paused_owner_hears_nothing_until_it_resumes),
        cmocka_unit_test(a_session_is_resumed),
        cmocka_unit_test(an_end_without_close_notify_is_a_cut),
        cmocka_unit_test(certificates_are_chosen_and_checked),
        cmocka_unit_test(plain_bytes_at_a_tls_port),
        cmocka_unit_test(files_that_do_not_fit_are_named),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
