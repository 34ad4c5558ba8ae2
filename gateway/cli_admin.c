/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli_admin.h"

#include <errno.h>

#include "gateway/admin_tls.h"
#include "gateway/base/err.h"
#include "gateway/net/tls.h"

#define TIMEOUT_S      10
#define TIMEOUT_MAX_S  3600
#define EXTRA_MAX      16
#define NO_CREDENTIALS 9106

/* ---- where ---- */

static const struct option own_options[] = {{"config", required_argument, NULL, 'c'},
                                            {"admin", required_argument, NULL, 'a'},
                                            {"cacert", required_argument, NULL, 'C'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'}};

static int take_option(struct cli_admin *c, int option)
{
    uint64_t seconds;
    switch (option) {
    case 'c':
        c->config_path = optarg;
        return 0;
    case 'a':
        c->address = optarg;
        return 0;
    case 'C':
        c->cacert = optarg;
        return 0;
    case 'j':
        c->json = true;
        return 0;
    default:
        if (!gw_str_u64(gw_str_z(optarg), TIMEOUT_MAX_S, &seconds) || !seconds)
            return cli_usage(c->verb, "\"%s\" is no number of seconds from 1 to %d", optarg,
                             TIMEOUT_MAX_S);
        c->endpoint.timeout_ms = (uint32_t)seconds * 1000;
        return 0;
    }
}

static int read_options(struct cli_admin *c, int argc, char **argv,
                        const struct cli_admin_extra *extra)
{
    struct option options[GW_COUNT(own_options) + EXTRA_MAX + 1] = {0};
    size_t count = GW_COUNT(own_options);
    memcpy(options, own_options, sizeof(own_options));
    for (const struct option *o = extra ? extra->options : NULL; o && o->name; o++)
        if (count + 1 < GW_COUNT(options))
            options[count++] = *o;
    c->endpoint.timeout_ms = TIMEOUT_S * 1000;
    for (int o; (o = cli_option(argc, argv, "c:", options)) != -1;) {
        if (o == '?')
            return EXIT_USAGE;
        bool own = false;
        for (size_t i = 0; i < GW_COUNT(own_options); i++)
            own |= own_options[i].val == o;
        int code = own ? take_option(c, o) : extra->take(extra->ctx, o, optarg);
        if (code)
            return code;
    }
    return 0;
}

/* Secrets that are not there are no reason to fail: the token may come from the environment, and
 * the others are not needed here. */
static int read_config(struct cli_admin *c)
{
    const struct config_overrides overrides = {.lenient_secrets = true};
    struct gw_diags diags;
    gw_diags_init(&diags);
    c->config = config_load(c->config_path, &overrides, &diags);
    if (!c->config)
        cli_print_diags(&diags);
    gw_diags_release(&diags);
    if (!c->config)
        return EXIT_CONFIG;
    c->endpoint.token = c->config->admin.token;
    if (c->address)
        return 0;
    if (!c->config->admin.enabled) {
        fprintf(stderr, "nearedge %s: %s has no \"admin\" section\n", c->verb, c->config_path);
        return EXIT_CONFIG;
    }
    if (admin_address_of(&c->config->admin.address, &c->endpoint.address))
        return 0;
    return cli_usage(c->verb, "the kernel chooses the admin port of %s: say it with --admin",
                     c->config_path);
}

static int find_tls(struct cli_admin *c, struct gw_str host)
{
    struct gw_diags diags;
    bool configured = c->config && c->config->admin.tls_count && !c->cacert;
    if (c->cacert && !host.ptr)
        return cli_usage(c->verb, "--cacert goes with --admin https://ADDR");
    if (!configured && !host.ptr)
        return 0;
    gw_diags_init(&diags);
    c->endpoint.tls =
        configured ? admin_tls_client(c->config, &diags) : tls_client_for(host, c->cacert, &diags);
    if (!c->endpoint.tls)
        cli_print_diags(&diags);
    gw_diags_release(&diags);
    return c->endpoint.tls ? 0 : EXIT_CONFIG;
}

/* An address on the command line wins over the file's, and the file still lends its token and its
 * certificate: so one reaches a gateway whose port the kernel chose. */
int cli_admin_open(struct cli_admin *c, int argc, char **argv, const struct cli_admin_extra *extra)
{
    const char *token = getenv("NEAREDGE_ADMIN_TOKEN");
    *c = (struct cli_admin){.verb = argv[0]};
    int code = read_options(c, argc, argv, extra);
    if (!code && c->config_path)
        code = read_config(c);
    if (code)
        return code;
    if (!c->endpoint.token.len)
        c->endpoint.token = gw_str_z(token);
    const char *address = c->address ? c->address : c->config_path ? NULL : "127.0.0.1:8081";
    struct gw_str host = GW_STR_EMPTY;
    if (address && !net_address_parse_https(gw_str_z(address), &c->endpoint.address, &host))
        return cli_usage(c->verb,
                         "\"%s\" is no address; write 127.0.0.1:8081, unix:/path or "
                         "https://127.0.0.1:8081",
                         address);
    return find_tls(c, host);
}

void cli_admin_close(struct cli_admin *c)
{
    tls_client_unref(c->endpoint.tls);
    config_free(c->config);
}

/* ---- calls ---- */

static struct json_doc *parse_reply(const struct admin_reply *reply)
{
    const struct gw_source source = {"answer", gw_buf_str(&reply->body)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    return doc;
}

/* The sentence in any of the listener's forms of an error. */
static struct gw_str error_message(const struct json *root)
{
    const struct json *message = json_get(json_get(root, "error"), "message");
    if (!message && json_count(json_get(root, "errors")) > 0)
        message = json_get(json_first(json_get(root, "errors")), "message");
    return json_str(message);
}

/* What Cloudflare says to a client of its API names headers; here the hand at the keyboard has two
 * ways to give a token. Its API answers 400 with code 9106 when there is none. */
static void advise_token(const struct cli_admin *c, unsigned status, const struct json *root)
{
    const struct json *code = json_get(json_first(json_get(root, "errors")), "code");
    int64_t number;
    if (status != 401 && !(code && json_int(code, NO_CREDENTIALS, NO_CREDENTIALS, &number)))
        return;
    if (!c->endpoint.token.len)
        fputs("Its token comes from the configuration (-c FILE) or from NEAREDGE_ADMIN_TOKEN.\n",
              stderr);
    else
        fprintf(stderr, "The token of %s is not that of the running gateway.\n",
                c->config && c->config->admin.token.len ? c->config_path : "NEAREDGE_ADMIN_TOKEN");
}

/* For people; a script has the exit code. */
static int explain(const struct cli_admin *c, const struct admin_reply *reply)
{
    struct json_doc *doc = parse_reply(reply);
    struct gw_str message = doc ? error_message(json_root(doc)) : GW_STR_EMPTY;
    bool wants_tls = !c->endpoint.tls && reply->status == 400 &&
                     gw_str_find(gw_buf_str(&reply->body), GW_STR("sent to HTTPS port")) != GW_NPOS;
    if (wants_tls)
        fprintf(stderr,
                "nearedge %s: the admin listener speaks TLS: give its configuration with -c, or "
                "--admin https://ADDR\n",
                c->verb);
    else if (message.len)
        fprintf(stderr, "nearedge %s: %.*s (%u)\n", c->verb, GW_STR_ARG(message), reply->status);
    else
        fprintf(stderr, "nearedge %s: the admin listener answered %u\n", c->verb, reply->status);
    advise_token(c, reply->status, doc ? json_root(doc) : NULL);
    json_doc_free(doc);
    return EXIT_FAILED_RUN;
}

void cli_admin_print_error(const struct cli_admin *c, const struct admin_reply *reply, int err)
{
    char where[NET_ADDRESS_TEXT_MAX];
    net_address_format(&c->endpoint.address, where);
    fprintf(stderr, "nearedge %s: admin listener %s: %s%s%s%s\n", c->verb, where, gw_strerror(err),
            reply->why ? " (" : "", reply->why ? reply->why : "", reply->why ? ")" : "");
    if (err == -ECONNREFUSED || err == -ENOENT)
        fputs("Is the gateway running, with an \"admin\" section? -c FILE or --admin ADDR says "
              "where.\n",
              stderr);
}

int cli_admin_call(struct cli_admin *c, struct gw_str method, struct gw_str target,
                   struct gw_str body, struct admin_reply *reply)
{
    int err = admin_client_call(&c->endpoint, method, target, body, reply);
    if (err) {
        cli_admin_print_error(c, reply, err);
        return EXIT_FAILED_RUN;
    }
    return reply->status / 100 == 2 ? 0 : explain(c, reply);
}

int cli_admin_json(struct cli_admin *c, struct gw_str method, struct gw_str target,
                   struct gw_str body, struct json_doc **doc)
{
    struct admin_reply reply;
    *doc = NULL;
    int code = cli_admin_call(c, method, target, body, &reply);
    if (!code) {
        *doc = parse_reply(&reply);
        if (!*doc) {
            fprintf(stderr, "nearedge %s: the answer is not JSON: is this nearedge's admin port?\n",
                    c->verb);
            code = EXIT_FAILED_RUN;
        }
    }
    admin_reply_release(&reply);
    return code;
}

/* ---- output ---- */

void cli_print_json(const struct json *value)
{
    struct gw_buf out;
    gw_buf_init(&out, (size_t)256 << 20);
    json_write(value, &out);
    printf("%.*s\n", GW_STR_ARG(gw_buf_str(&out)));
    gw_buf_release(&out);
}

/* A limiter key may hold a visitor's cookie: escape sequences in it must not reach a terminal. C1
 * controls (U+0080 to U+009F) are escapes of one character there. */
void cli_print_text(struct gw_str text)
{
    for (size_t n; text.len; text = gw_str_from(text, n)) {
        unsigned char c = (unsigned char)text.ptr[0];
        n = gw_utf8_length(text);
        bool control =
            c < 0x20 || c == 0x7f || (c == 0xc2 && n == 2 && (uint8_t)text.ptr[1] < 0xa0);
        if (n == 0 || control)
            putchar('?');
        else
            fwrite(text.ptr, 1, n, stdout);
        n = n ? n : 1;
    }
}
