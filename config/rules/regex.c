/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "config/rules/regex.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>

#include "config/rules/regex_dfa.h"
#include "config/rules/regex_pcre.h"
#include "config/rules/regex_syntax.h"

#define WRITTEN_MAX (256 * 1024) /* of PCRE2's pattern: one class can take most of a KiB */
#define HEAP_KIB    4096
/* Steps a PCRE2 match may take: about a millisecond. */
#define MATCH_STEPS 15000

struct regex {
    struct regex_dfa *dfa; /* or else: */
    pcre2_code *code;
};

/* What a thread needs to match with PCRE2. */
struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static pthread_key_t matcher_key;
static pthread_once_t matcher_once = PTHREAD_ONCE_INIT;

/* When its thread ends. The main thread's, made by `check` and `rules test`, stays until exit. */
static void matcher_free(void *arg)
{
    struct matcher *m = arg;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    free(m);
}

static void matcher_key_create(void)
{
    if (pthread_key_create(&matcher_key, matcher_free) != 0)
        abort();
}

static struct matcher *matcher_get(void)
{
    pthread_once(&matcher_once, matcher_key_create);
    struct matcher *m = pthread_getspecific(matcher_key);
    if (gw_likely(m != NULL))
        return m;
    m = gw_zalloc(sizeof(*m));
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (!m->data || !m->context)
        abort();
    pcre2_set_heap_limit(m->context, HEAP_KIB);
    pcre2_set_match_limit(m->context, MATCH_STEPS);
    pthread_setspecific(matcher_key, m);
    return m;
}

/* The pattern with a mark under the offending place, as Rust's parser prints it. */
static void report(const struct regex_reader *r, char *reason, size_t size)
{
    size_t width = r->error_width ? r->error_width : 1;
    width = gw_min_size(width, r->pattern.len > r->error_at ? r->pattern.len - r->error_at : 1);
    int len = snprintf(reason, size, "regex parse error:\n    %.*s\n    %*s",
                       GW_STR_ARG(r->pattern), (int)r->error_at, "");
    size_t at = gw_min_size((size_t)len, size - 1);
    for (size_t i = 0; i < width && at + 1 < size; i++)
        reason[at++] = '^';
    snprintf(reason + at, size - at, "\nerror: %s", r->reason);
}

static pcre2_code *compile(struct gw_str written)
{
    /* Nothing of this can be reached by what regex_pcre.c writes; the options are a second lock. */
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_NO_AUTO_CAPTURE | PCRE2_DOLLAR_ENDONLY;
    int error;
    PCRE2_SIZE offset;
    return pcre2_compile((PCRE2_SPTR)written.ptr, written.len, options, &error, &offset, NULL);
}

/* PCRE2 counts steps anew for each place where a match may begin. So the search is made part of the
 * pattern: anchored, after any bytes, and the limit holds for the whole. */
static bool build_pcre(struct regex *re, const struct regex_node *root)
{
    struct gw_buf written;
    gw_buf_init(&written, WRITTEN_MAX);
    gw_buf_add(&written, GW_STR("\\A[\\x00-\\xff]*?"));
    regex_pcre_write(root, &written);
    if (!written.overflow)
        re->code = compile(gw_buf_str(&written));
    gw_buf_release(&written);
    return re->code != NULL;
}

struct regex *regex_compile(struct gw_str pattern, char *reason, size_t size)
{
    struct regex_reader reader;
    struct gw_arena arena;
    struct regex *re = gw_zalloc(sizeof(*re));
    gw_arena_init(&arena, NULL, 0, 0);
    struct regex_node *root = regex_read(&reader, pattern, &arena);
    if (!root)
        report(&reader, reason, size);
    else
        re->dfa = regex_dfa_new(root);
    if (root && !re->dfa && !build_pcre(re, root))
        snprintf(reason, size, "Compiled regex exceeds size limit of 10485760 bytes.");
    gw_arena_clear(&arena);
    if (re->dfa || re->code)
        return re;
    free(re);
    return NULL;
}

void regex_free(struct regex *re)
{
    if (!re)
        return;
    regex_dfa_free(re->dfa);
    pcre2_code_free(re->code);
    free(re);
}

/* The interpreter and not the JIT: compiled code does not count every step, and needs seconds for
 * 16 KiB of the right bytes. */
static bool match_pcre(const struct regex *re, struct gw_str value)
{
    struct matcher *m = matcher_get();
    PCRE2_SPTR text = (PCRE2_SPTR)(value.ptr ? value.ptr : "");
    return pcre2_match(re->code, text, value.len, 0, PCRE2_NO_JIT, m->data, m->context) >= 0;
}

bool regex_match(const struct regex *re, struct gw_str value)
{
    return re->dfa ? regex_dfa_match(re->dfa, value) : match_pcre(re, value);
}
