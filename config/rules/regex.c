/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "config/rules/regex.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>

#include "config/rules/regex_syntax.h"

#define TRANSLATED_MAX       (256 * 1024)
#define JIT_STACK_MAX        (512 * 1024)
/* Steps a match may take: MATCH_STEPS and MATCH_STEPS_PER_BYTE more for each byte of the value. */
#define MATCH_STEPS          2000
#define MATCH_STEPS_PER_BYTE 16

struct regex {
    pcre2_code *code;
    bool jit;
};

/* What a thread needs to match. */
struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pthread_key_t matcher_key;
static pthread_once_t matcher_once = PTHREAD_ONCE_INIT;

static void matcher_free(void *arg)
{
    struct matcher *m = arg;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    pcre2_jit_stack_free(m->stack);
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
    m->stack = pcre2_jit_stack_create(16 * 1024, JIT_STACK_MAX, NULL);
    if (!m->data || !m->context)
        abort();
    if (m->stack)
        pcre2_jit_stack_assign(m->context, NULL, m->stack);
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

static pcre2_code *compile(struct gw_str translated, char *reason, size_t size)
{
    /* Nothing of this can be reached by a translated pattern; the options are the second lock. */
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_NO_AUTO_CAPTURE | PCRE2_DOLLAR_ENDONLY;
    int error;
    PCRE2_SIZE offset;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(translated.ptr ? translated.ptr : ""),
                                     translated.len, options, &error, &offset, context);
    pcre2_compile_context_free(context);
    if (!code)
        snprintf(reason, size, "Compiled regex exceeds size limit of 10485760 bytes.");
    return code;
}

struct regex *regex_compile(struct gw_str pattern, char *reason, size_t size)
{
    struct gw_buf translated;
    struct regex_reader reader;
    struct regex *re = NULL;
    gw_buf_init(&translated, TRANSLATED_MAX);
    if (!regex_translate(&reader, pattern, &translated)) {
        report(&reader, reason, size);
        goto out;
    }
    pcre2_code *code = compile(gw_buf_str(&translated), reason, size);
    if (!code)
        goto out;
    re = gw_alloc(sizeof(*re));
    re->code = code;
    /* No JIT on this machine, or executable memory is forbidden: the interpreter does the same. */
    re->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
out:
    gw_buf_release(&translated);
    return re;
}

void regex_free(struct regex *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    free(re);
}

bool regex_match(const struct regex *re, struct gw_str value)
{
    struct matcher *m = matcher_get();
    PCRE2_SPTR text = (PCRE2_SPTR)(value.ptr ? value.ptr : "");
    pcre2_set_match_limit(m->context, (uint32_t)(MATCH_STEPS + MATCH_STEPS_PER_BYTE * value.len));
    int rc = re->jit ? pcre2_jit_match(re->code, text, value.len, 0, 0, m->data, m->context)
                     : pcre2_match(re->code, text, value.len, 0, 0, m->data, m->context);
    return rc >= 0;
}
