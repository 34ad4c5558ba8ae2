/* SPDX-License-Identifier: Apache-2.0 */
/* Time of one ruleset_match: six rules as the team writes them, on a browser's request that reaches
 * every test (the host fits all of them). Prints the median of many rounds; for instruction counts
 * run it under callgrind with a small number of rounds as the only argument. */
#include <stdio.h>
#include <time.h>

#include "config/rules/ruleset.h"
#include "gateway/http/headers.h"

#define CALLS 2000

static const char *const expressions[] = {
    "(http.host eq \"ci.hub-evolution.com\") and ((http.cookie contains \"session_id=\") or "
    "(http.cookie contains \"__Host-session=\"))",

    "(http.host eq \"ci.hub-evolution.com\") and ((http.request.uri.path eq \"/en/login\" or "
    "starts_with(http.request.uri.path, \"/en/login/\") or http.request.uri.path eq \"/de/login\" "
    "or starts_with(http.request.uri.path, \"/de/login/\")) or "
    "starts_with(http.request.uri.path, \"/dashboard\") or "
    "starts_with(http.request.uri.path, \"/welcome\") or "
    "starts_with(http.request.uri.path, \"/welcome-profile\"))",

    "(http.host eq \"ci.hub-evolution.com\") and "
    "((http.request.uri.path matches \"^/(en|de)/login($|/)\") or "
    "starts_with(http.request.uri.path, \"/dashboard\") or "
    "starts_with(http.request.uri.path, \"/welcome\"))",

    "(http.host eq \"ci.hub-evolution.com\") and starts_with(http.request.uri.path, \"/api/\")",

    "(http.host eq \"ci.hub-evolution.com\") and (http.request.uri.query contains \"__no_cache\")",

    "(http.host eq \"ci.hub-evolution.com\") and "
    "(http.request.cookies[\"session_id\"][0] ne \"\" or "
    "http.request.cookies[\"__Host-session\"][0] ne \"\")",
};

static const char *const browser[][2] = {
    {"Host", "ci.hub-evolution.com"},
    {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"},
    {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"},
    {"Accept-Language", "de,en-US;q=0.7,en;q=0.3"},
    {"Accept-Encoding", "gzip, deflate, br, zstd"},
    {"Referer", "https://ci.hub-evolution.com/de/"},
    {"Cookie", "_ga=GA1.1.1234567890.1727000000; theme=dark; lang=de; "
               "_ga_ABCDEF1234=GS1.1.1727000000.3.1.1727000123.0.0.0; "
               "consent=%7B%22a%22%3A1%2C%22b%22%3A0%7D"},
    {"Upgrade-Insecure-Requests", "1"},
    {"Sec-Fetch-Dest", "document"},
    {"Sec-Fetch-Mode", "navigate"},
    {"Sec-Fetch-Site", "same-origin"},
    {"Priority", "u=0, i"},
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* As the gateway does it: a fresh view and scratch arena for every request. */
static bool match_once(const struct ruleset *rs, const struct headers *headers)
{
    static char block[4096] __attribute__((aligned(16)));
    struct gw_arena scratch;
    struct rules_request r;
    struct ruleset_result result;
    gw_arena_init(&scratch, block, sizeof(block), 1 << 20);
    rules_request_init(&r, &scratch);
    r.method = GW_STR("GET");
    r.host = GW_STR("ci.hub-evolution.com");
    r.path = GW_STR("/de/kurse/ki-werkzeuge");
    r.query = GW_STR("utm_source=newsletter&utm_medium=email");
    r.https = true;
    r.headers = headers;
    ruleset_match(rs, &r, &result);
    gw_arena_clear(&scratch);
    return result.settings.present != 0;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void write_ruleset(struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("{\"rules\":["));
    for (size_t i = 0; i < GW_COUNT(expressions); i++) {
        gw_buf_printf(out,
                      "%s{\"action\":\"set_cache_settings\",\"action_parameters\":", i ? "," : "");
        gw_buf_add(out, GW_STR("{\"cache\":false},\"expression\":"));
        gw_buf_json(out, gw_str_z(expressions[i]));
        gw_buf_char(out, '}');
    }
    gw_buf_add(out, GW_STR("]}"));
}

static struct ruleset *load(void)
{
    struct gw_diags diags;
    struct gw_buf text;
    struct ruleset_options options = {.plan = CONFIG_PLAN_ENTERPRISE};
    gw_diags_init(&diags);
    gw_buf_init(&text, 1 << 20);
    write_ruleset(&text);
    struct gw_source source = {"rules_bench", gw_buf_str(&text)};
    struct json_doc *doc = json_parse(&source, &diags);
    struct ruleset *rs = doc ? ruleset_load(doc, &options, &diags) : NULL;
    if (!rs)
        gw_diags_print(&diags, stderr, false);
    json_doc_free(doc);
    gw_buf_release(&text);
    gw_diags_release(&diags);
    return rs;
}

int main(int argc, char **argv)
{
    static double samples[1000];
    uint64_t rounds = GW_COUNT(samples);
    if (argc > 1 && !gw_str_u64(gw_str_z(argv[1]), GW_COUNT(samples), &rounds))
        return 2;
    struct gw_arena arena;
    struct headers headers;
    gw_arena_init(&arena, NULL, 0, 0);
    headers_init(&headers, &arena, 100);
    for (size_t i = 0; i < GW_COUNT(browser); i++)
        (void)!headers_add(&headers, gw_str_z(browser[i][0]), gw_str_z(browser[i][1]));
    struct ruleset *rs = load();
    if (!rs || rounds == 0)
        return 1;
    size_t matched = 0;
    for (size_t round = 0; round < rounds; round++) {
        uint64_t start = now_ns();
        for (size_t i = 0; i < CALLS; i++)
            matched += match_once(rs, &headers);
        samples[round] = (double)(now_ns() - start) / CALLS;
    }
    qsort(samples, rounds, sizeof(*samples), order);
    printf("six team rules, browser request: median %.0f ns, least %.0f ns (%zu matched)\n",
           samples[rounds / 2], samples[0], matched);
    ruleset_unref(rs);
    gw_arena_clear(&arena);
    return 0;
}
