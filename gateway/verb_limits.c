/* SPDX-License-Identifier: Apache-2.0 */
/* The app's admin routes for its counters, as a table. The listener has no route for one key: `get`
 * asks for its limiter and picks. */
#include "bench/load/matrix.h"
#include "gateway/base/json_out.h"
#include "gateway/cli_admin.h"

#define KEY_WIDTH_MAX 60 /* longer keys push their own line only */

struct limits {
    struct cli_admin admin;
    struct gw_str name, key; /* empty: all */
    int64_t now_ms;          /* of the gateway: its clock may be virtual */
    int name_width, key_width;
    size_t shown;
    bool clear; /* of compare */
};

/* ---- walking the answer ---- */

typedef void entry_function(struct limits *l, const struct json *limiter, const struct json *entry);

static void for_each_entry(struct limits *l, const struct json *state, entry_function *take)
{
    for (const struct json *limiter = json_first(state); limiter; limiter = json_next(limiter)) {
        const struct json *entry = json_first(json_get(limiter, "entries"));
        for (; entry; entry = json_next(entry))
            if (!l->key.len || gw_str_eq(l->key, json_str(json_get(entry, "key"))))
                take(l, limiter, entry);
    }
}

static long long number(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && json_type(v) == JSON_NUMBER ? (long long)json_number(v) : 0;
}

/* First of two walks: columns as wide as what stands in them. */
static void measure(struct limits *l, const struct json *limiter, const struct json *entry)
{
    int name = (int)json_key(limiter).len, key = (int)json_str(json_get(entry, "key")).len;
    l->name_width = name > l->name_width ? name : l->name_width;
    if (key <= KEY_WIDTH_MAX && key > l->key_width)
        l->key_width = key;
}

static void print_padded(struct gw_str text, int width)
{
    cli_print_text(text);
    printf("%*s  ", width > (int)text.len ? width - (int)text.len : 0, "");
}

static void print_entry(struct limits *l, const struct json *limiter, const struct json *entry)
{
    long long left_ms = number(entry, "resetAt") - l->now_ms;
    if (l->shown++ == 0)
        printf("%-*s  %-*s  %-16s %s\n", l->name_width, "LIMITER", l->key_width, "KEY", "ADMITTED",
               "WINDOW");
    struct gw_str edge = json_str(json_get(entry, "edge"));
    print_padded(json_key(limiter), l->name_width);
    print_padded(json_str(json_get(entry, "key")), l->key_width);
    printf("%6lld of %-6lld ", number(entry, "count"), number(limiter, "maxRequests"));
    if (left_ms > 0)
        printf("resets in %lld.%03lld s", left_ms / 1000, left_ms % 1000);
    else
        printf("window is over");
    if (edge.len)
        printf("  %.*s isolate %lld", GW_STR_ARG(edge), number(entry, "isolate"));
    putchar('\n');
}

static void print_entry_json(struct limits *l, const struct json *limiter, const struct json *entry)
{
    (void)limiter;
    cli_print_json(entry);
    l->shown++;
}

/* ---- ls, get ---- */

static int read_now(struct limits *l)
{
    struct json_doc *doc;
    int code = cli_admin_json(&l->admin, GW_STR("GET"), GW_STR("/api/clock"), GW_STR_EMPTY, &doc);
    if (!code)
        l->now_ms = number(json_root(doc), "now_ms");
    json_doc_free(doc);
    return code;
}

/* For the limiter that was named, or for all. */
static int ask(struct limits *l, struct gw_str method, struct gw_str path, struct json_doc **doc)
{
    struct gw_buf target;
    gw_buf_init(&target, 8192);
    gw_buf_add(&target, path);
    if (l->name.len) {
        gw_buf_add(&target, GW_STR("?name="));
        admin_client_escape(&target, l->name);
    }
    int code = cli_admin_json(&l->admin, method, gw_buf_str(&target), GW_STR_EMPTY, doc);
    gw_buf_release(&target);
    return code;
}

/* The app's shape has a limiter of 0 requests for a name that it does not know; none has that. */
static bool is_unknown(const struct limits *l, const struct json *state)
{
    return l->name.len && number(json_first(state), "maxRequests") == 0;
}

/* Nothing on standard output may be the truth, and is said. */
static int tell_nothing(const struct limits *l, const struct json *state)
{
    if (is_unknown(l, state))
        fprintf(stderr, "nearedge limits: the gateway has no limiter \"%.*s\"\n",
                GW_STR_ARG(l->name));
    else if (l->key.len)
        fprintf(stderr, "nearedge limits: %.*s has no counter for this key\n", GW_STR_ARG(l->name));
    else if (!l->admin.json)
        fputs("nearedge limits: nothing has been counted\n", stderr);
    return is_unknown(l, state) || l->key.len ? EXIT_FAILED_RUN : 0;
}

static int show(struct limits *l)
{
    struct json_doc *doc;
    int code = ask(l, GW_STR("GET"), GW_STR("/api/admin/rate-limits/state"), &doc);
    if (!code && !l->admin.json)
        code = read_now(l);
    if (code) {
        json_doc_free(doc);
        return code;
    }
    const struct json *state = json_get(json_get(json_root(doc), "data"), "state");
    if (l->admin.json && !l->key.len) {
        cli_print_json(state ? state : json_root(doc));
    } else if (l->admin.json) {
        for_each_entry(l, state, print_entry_json);
    } else {
        for_each_entry(l, state, measure);
        for_each_entry(l, state, print_entry);
    }
    code = l->shown ? 0 : tell_nothing(l, state);
    json_doc_free(doc);
    return code;
}

/* ---- reset ---- */

/* Nothing to forget is no failure: a script wants the counter gone, and it is. */
static int reset(struct limits *l)
{
    struct json_doc *doc;
    struct gw_buf body;
    gw_buf_init(&body, 65536);
    gw_json_object(&body, NULL);
    gw_json_text(&body, "name", l->name);
    gw_json_text(&body, "key", l->key);
    gw_buf_char(&body, '}');
    int code = cli_admin_json(&l->admin, GW_STR("POST"), GW_STR("/api/admin/rate-limits/reset"),
                              gw_buf_str(&body), &doc);
    gw_buf_release(&body);
    if (code)
        return code;
    const struct json *ok = json_get(json_get(json_root(doc), "data"), "ok");
    if (l->admin.json)
        cli_print_json(json_root(doc));
    else
        puts(ok && json_type(ok) == JSON_BOOL && json_bool(ok) ? "reset"
                                                               : "there was no such counter");
    json_doc_free(doc);
    return 0;
}

/* ---- compare ---- */

static int print_matrix(const struct limits *l, const struct json *answer)
{
    struct gw_buf text;
    if (!matrix_limiters(answer)) {
        fprintf(stderr,
                "nearedge limits: %s compares stores; give a limiter of the limiters file "
                "a \"compare\": [\"memory\", \"kv\", \"durable_object\", \"binding\"]\n",
                l->name.len ? "no limiter of this name" : "no limiter");
        return EXIT_FAILED_RUN;
    }
    gw_buf_init(&text, (size_t)1 << 20);
    matrix_text(answer, true, &text);
    fwrite(text.data, 1, text.len, stdout);
    gw_buf_release(&text);
    return 0;
}

static int compare(struct limits *l)
{
    struct json_doc *doc;
    int code = ask(l, l->clear ? GW_STR("DELETE") : GW_STR("GET"),
                   GW_STR("/api/admin/rate-limits/compare"), &doc);
    if (code)
        return code;
    if (l->admin.json)
        cli_print_json(json_root(doc));
    else if (l->clear)
        puts("the comparison starts over");
    else
        code = print_matrix(l, json_root(doc));
    json_doc_free(doc);
    return code;
}

static int run_limits(struct limits *l, int argc, char **argv)
{
    static const struct {
        const char *name;
        int min, max; /* operands, the name among them */
        int (*run)(struct limits *l);
    } commands[] = {{"ls", 1, 2, show},
                    {"get", 3, 3, show},
                    {"reset", 3, 3, reset},
                    {"compare", 1, 2, compare}};
    const char *name = optind < argc ? argv[optind] : "ls";
    for (size_t i = 0; i < GW_COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (l->clear && commands[i].run != compare)
            return cli_usage(l->admin.verb, "--clear goes with compare");
        int count = argc - optind;
        int code = count ? cli_operands(l->admin.verb, argc, commands[i].min, commands[i].max) : 0;
        if (code)
            return code;
        l->name = gw_str_z(count > 1 ? argv[optind + 1] : NULL);
        l->key = gw_str_z(count > 2 ? argv[optind + 2] : NULL);
        return commands[i].run(l);
    }
    return cli_usage(l->admin.verb, "\"%s\" is not ls, get, reset or compare", name);
}

static int take_option(void *ctx, int option, const char *value)
{
    struct limits *l = ctx;
    (void)option;
    (void)value;
    l->clear = true;
    return 0;
}

static int limits(int argc, char **argv)
{
    static const struct option options[] = {{"clear", no_argument, NULL, 1}, {0}};
    struct limits l = {.name_width = sizeof("LIMITER") - 1, .key_width = sizeof("KEY") - 1};
    const struct cli_admin_extra extra = {options, take_option, &l};
    int code = cli_admin_open(&l.admin, argc, argv, &extra);
    if (!code)
        code = run_limits(&l, argc, argv);
    cli_admin_close(&l.admin);
    return code;
}

const struct verb verb_limits = {
    .name = "limits",
    .run = limits,
    .summary = "list, look up, reset and compare a running gateway's counters",
    .manual =
        "usage: nearedge limits [OPTION]... ls [LIMITER]\n"
        "       nearedge limits [OPTION]... get LIMITER KEY\n"
        "       nearedge limits [OPTION]... reset LIMITER KEY\n"
        "       nearedge limits [OPTION]... compare [--clear] [LIMITER]\n"
        "\n"
        "KEY is the logical key, as a rule \"IP:USER\", for guests \"IP:anonymous\". `ls` shows "
        "at\n"
        "most 1000 counters of each limiter; counters whose window is over stay listed until\n"
        "their memory is needed. `reset` forgets the counter everywhere.\n"
        "\n"
        "`compare` shows, for limiters with a \"compare\" list, what each store said about the "
        "same\n"
        "traffic: admitted, refused, 500s, more than the exact count, the first call refused, the\n"
        "longest mixed zone of a window (from the first refusal to the last admission), what the\n"
        "store added to a request, what the model expects and how far off that is (z), and the\n"
        "operations at list prices. --clear starts over; counters stay.\n"
        "\n" CLI_ADMIN_OPTIONS
        "  --json              ls: limiters by name; get: one object a line; compare: as the\n"
        "                      admin listener says it\n"
        "  --clear             compare: forget the verdicts so far\n"
        "\n" CLI_ADMIN_TOKEN "\n"
        "exit codes: 0 ok, 1 failure (no such limiter; get: no such counter), 2 usage.\n"
        "\n"
        "example: nearedge limits reset aiGenerate 127.0.0.1:anonymous\n"};
