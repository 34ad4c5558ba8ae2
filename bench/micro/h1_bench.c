/* SPDX-License-Identifier: Apache-2.0 */
/* Cost of reading one request head, alone: `h1_bench [rounds]`. Prints nanoseconds of CPU a request
 * for a load generator's bare request and for a browser's, the best of five runs, because the
 * machine's noise only ever adds. */
#include <stdio.h>
#include <time.h>

#include "gateway/http/h1_parse.h"

static const struct sample {
    const char *name, *text;
} samples[] = {
    {"bare", "GET /static/app.js HTTP/1.1\r\n"
             "Host: 127.0.0.1:8080\r\n"
             "\r\n"},
    {"client", "GET /api/products/4711?currency=EUR&expand=price HTTP/1.1\r\n"
               "Host: staging.hub-evolution.com\r\n"
               "User-Agent: python-requests/2.31.0\r\n"
               "Accept-Encoding: gzip, deflate, br\r\n"
               "Accept: application/json\r\n"
               "Connection: keep-alive\r\n"
               "X-Request-ID: 0f8fad5b-d9cb-469f-a165-70867728950e\r\n"
               "Authorization: Bearer 0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
               "\r\n"},
    {"browser",
     "GET /static/app.3f2a1c.js?v=12 HTTP/1.1\r\n"
     "Host: staging.hub-evolution.com\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
     "Accept-Language: en-US,en;q=0.5\r\n"
     "Accept-Encoding: gzip, deflate, br, zstd\r\n"
     "Connection: keep-alive\r\n"
     "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\n"
     "Upgrade-Insecure-Requests: 1\r\n"
     "Sec-Fetch-Dest: document\r\n"
     "Sec-Fetch-Mode: navigate\r\n"
     "Sec-Fetch-Site: none\r\n"
     "If-None-Match: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n"
     "\r\n"},
};

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run(struct gw_str text, unsigned rounds)
{
    static const struct h1_limits limits = {16 << 10, 128 << 10, 256};
    static char block[8192];
    struct h1_parser *parser = h1_parser_new(H1_REQUEST, &limits);
    struct gw_arena arena;
    struct h1_message message;
    gw_arena_init(&arena, block, sizeof(block), 1 << 20);
    double start = cpu_ns();
    for (unsigned i = 0; i < rounds; i++) {
        struct gw_str input = text, body;
        h1_parser_begin(parser, &arena, &message);
        if (h1_parser_next(parser, &input, &body) != H1_HEAD ||
            h1_parser_next(parser, &input, &body) != H1_END)
            abort();
        gw_arena_clear(&arena);
    }
    double spent = cpu_ns() - start;
    h1_parser_free(parser);
    return spent / rounds;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 300000;
    for (size_t i = 0; i < GW_COUNT(samples); i++) {
        struct gw_str text = gw_str_z(samples[i].text);
        double best = run(text, rounds);
        for (int again = 0; again < 4; again++) {
            double ns = run(text, rounds);
            best = ns < best ? ns : best;
        }
        printf("%-8s %4zu bytes  %6.0f ns\n", samples[i].name, text.len, best);
    }
    return 0;
}
