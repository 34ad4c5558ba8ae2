/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/record_secrets.h"

#include "gateway/access_log_line.h"
#include "gateway/http/secret_name.h"
#include "gateway/http/url.h"
#include "gateway/record.h"

#define HIDDEN GW_STR("***")

/* ---- collecting ---- */

struct collection {
    struct record *record;
    const struct access_line *line;
    struct record_secret items[RECORD_SECRETS_MAX];
    size_t count;
    bool cut;
};

static void add_as(struct collection *c, struct gw_str text, size_t name)
{
    if (c->count == RECORD_SECRETS_MAX)
        c->cut = true;
    else
        c->items[c->count++] = (struct record_secret){text, name};
}

/* Traces show texts in quotes, where some bytes are written otherwise. */
static void add_quoted(struct collection *c, struct gw_str text, size_t name)
{
    struct gw_buf quoted;
    gw_buf_init(&quoted, 8 * text.len + 3);
    gw_buf_json(&quoted, text);
    struct gw_str inside = gw_str(quoted.data + 1, quoted.len - 2);
    if (!gw_str_eq(inside, text)) {
        struct gw_str kept = gw_arena_dup(&c->record->arena, inside);
        c->cut |= kept.len == 0;
        add_as(c, kept, name ? gw_str_chr(kept, '=') + 1 : 0);
    }
    gw_buf_release(&quoted);
}

static void add(struct collection *c, struct gw_str text, size_t name)
{
    if (text.len == name)
        return;
    add_as(c, text, name);
    add_quoted(c, text, name);
}

/* A "name=value" whose value is a secret; a cookie without "=" is all value (RFC 6265bis). */
static void add_pair(struct collection *c, struct gw_str pair)
{
    size_t equals = gw_str_chr(pair, '=');
    struct gw_str value = equals == GW_NPOS ? pair : gw_str_from(pair, equals + 1);
    if (equals != GW_NPOS && value.len < RECORD_SECRET_MIN)
        add(c, pair, equals + 1);
    else
        add(c, value, 0);
}

static void add_cookies(struct collection *c, struct gw_str value)
{
    struct gw_str pair;
    add(c, value, 0); /* whole, too: a rule's trace shows it as one */
    while (gw_str_next(&value, ';', &pair))
        add_pair(c, gw_str_trim(pair));
}

static void add_masked(struct collection *c, struct gw_str url)
{
    size_t question = gw_str_chr(url, '?');
    struct gw_str query = question == GW_NPOS ? GW_STR_EMPTY : gw_str_from(url, question + 1), item;
    while (gw_str_next(&query, '&', &item))
        if (access_line_masks(c->line, gw_str_first(item, gw_str_chr(item, '='))))
            add_pair(c, gw_str_first(item, gw_str_chr(item, '#')));
}

/* "Bearer x": the scheme is none. */
static struct gw_str without_scheme(struct gw_str value)
{
    size_t space = gw_str_chr(value, ' ');
    return space == GW_NPOS ? value : gw_str_trim(gw_str_from(value, space + 1));
}

static void add_field(struct collection *c, struct gw_str name, struct gw_str value)
{
    if (gw_str_ieq(name, GW_STR("Cookie"))) {
        add_cookies(c, value);
    } else if (gw_str_ieq(name, GW_STR("Set-Cookie"))) {
        add_pair(c, gw_str_trim(gw_str_first(value, gw_str_chr(value, ';'))));
    } else if (is_secret_name(name)) {
        add(c, value, 0);
        if (without_scheme(value).len < value.len)
            add(c, without_scheme(value), 0);
    } else {
        add_masked(c, value); /* Referer, Location, Link …: whatever holds a URL */
    }
}

void record_secrets_collect(struct record *r, const struct access_line *line)
{
    struct collection c = {.record = r, .line = line};
    struct gw_str rest = r->response, name, value;
    add_masked(&c, r->url);
    for (size_t i = 0; i < r->request.count; i++)
        add_field(&c, r->request.items[i].name, r->request.items[i].value);
    while (record_next_line(&rest, &name, &value))
        add_field(&c, name, value);
    struct record_secret *kept = gw_arena_alloc(&r->arena, (c.count + 1) * sizeof(*kept));
    if (kept)
        memcpy(kept, c.items, c.count * sizeof(*kept));
    r->secrets = (struct record_secrets){kept, kept ? c.count : 0, c.cut || !kept};
}

/* ---- comparing ---- */

/* The next byte in the form in which all spellings of it are one; it is cut off. */
static unsigned char next_byte(struct gw_str *text)
{
    char c = url_next_decoded(text);
    return (unsigned char)(c == '+' ? ' ' : gw_lower(c));
}

/* How many bytes of the text say the secret, or as much of it as fits (at least
 * RECORD_SECRET_MIN); 0: it begins otherwise. */
static size_t said(struct gw_str text, struct gw_str secret)
{
    struct gw_str rest = text;
    size_t same = 0;
    for (; rest.len && secret.len; same++)
        if (next_byte(&rest) != next_byte(&secret))
            return 0;
    return secret.len == 0 || same >= RECORD_SECRET_MIN ? text.len - rest.len : 0;
}

static bool is_word(char c)
{
    return gw_is_digit(c) || (gw_lower(c) >= 'a' && gw_lower(c) <= 'z');
}

/* How much of the text at `at` says it and stands there alone: "lang=de", not "slang=dear". */
static size_t said_alone(struct gw_str text, size_t at, struct gw_str secret)
{
    struct gw_str here = gw_str_from(text, at);
    size_t len = said(here, secret);
    bool begins = at == 0 || !is_word(text.ptr[at - 1]);
    bool ends = len == here.len || !is_word(here.ptr[len]);
    return begins && ends ? len : 0;
}

/* The same of a value that is the whole text, or in quotes. */
static size_t said_quoted(struct gw_str text, size_t at, struct gw_str secret)
{
    struct gw_str here = gw_str_from(text, at);
    size_t len = said(here, secret);
    bool begins = at == 0 || text.ptr[at - 1] == '"';
    bool ends = len == here.len || here.ptr[len] == '"';
    return begins && ends ? len : 0;
}

static struct gw_str value_of(const struct record_secret *s)
{
    return gw_str_from(s->text, s->name);
}

struct match {
    size_t len;
    struct gw_str name; /* stays */
};

static struct match match_at(const struct record_secret *s, struct gw_str text, size_t at,
                             bool values)
{
    if (!s->name && s->text.len >= RECORD_SECRET_MIN)
        return (struct match){said(gw_str_from(text, at), s->text), GW_STR_EMPTY};
    size_t len = s->name ? said_alone(text, at, s->text) : 0;
    if (len)
        return (struct match){len, gw_str_first(s->text, s->name)};
    return (struct match){values ? said_quoted(text, at, value_of(s)) : 0, GW_STR_EMPTY};
}

/* The longest secret that starts here: a whole Cookie field goes before one of its values. */
static struct match secret_at(const struct record_secrets *secrets, struct gw_str text, size_t at,
                              bool values)
{
    struct match best = {0, GW_STR_EMPTY};
    for (size_t i = 0; i < secrets->count; i++) {
        struct match m = match_at(&secrets->items[i], text, at, values);
        if (m.len > best.len)
            best = m;
    }
    return best;
}

/* Bytes that some secret begins with: texts are long, and secrets few. */
static void first_bytes(const struct record_secrets *secrets, bool first[256])
{
    memset(first, 0, 256);
    for (size_t i = 0; i < secrets->count; i++) {
        struct gw_str text = secrets->items[i].text, value = value_of(&secrets->items[i]);
        first[next_byte(&text)] = true;
        first[next_byte(&value)] = true;
    }
}

/* ---- showing ---- */

bool record_has_secrets(const struct record *r)
{
    return r->secrets.count || r->secrets.cut;
}

/* `values`: short ones too, where they are all of a value. */
static void hide(const struct record *r, struct gw_str text, bool values, struct gw_buf *out)
{
    bool first[256];
    size_t from = 0, at = 0;
    if (r->secrets.cut) {
        gw_buf_add(out, text.len ? HIDDEN : GW_STR_EMPTY);
        return;
    }
    first_bytes(&r->secrets, first);
    while (at < text.len) {
        struct gw_str rest = gw_str_from(text, at);
        struct match m = {0, GW_STR_EMPTY};
        if (first[next_byte(&rest)])
            m = secret_at(&r->secrets, text, at, values);
        if (!m.len) {
            at++;
            continue;
        }
        gw_buf_add(out, gw_str(text.ptr + from, at - from));
        gw_buf_add(out, m.name);
        gw_buf_add(out, HIDDEN);
        from = at += m.len;
    }
    gw_buf_add(out, gw_str_from(text, from));
}

void record_hide(const struct record *r, struct gw_str text, struct gw_buf *out)
{
    hide(r, text, true, out);
}

/* What may be seen of a cookie: its name. */
static void add_cookie_name(struct gw_buf *text, struct gw_str pair)
{
    size_t equals = gw_str_chr(pair, '=');
    if (equals != GW_NPOS)
        gw_buf_add(text, gw_str_first(pair, equals + 1));
    gw_buf_add(text, HIDDEN);
}

/* Names of cookies and the authentication scheme help to understand a request; values do not. */
static void add_hidden(struct gw_buf *text, struct gw_str name, struct gw_str value)
{
    struct gw_str pair;
    if (gw_str_ieq(name, GW_STR("Set-Cookie"))) {
        add_cookie_name(text, value);
        return;
    }
    if (!gw_str_ieq(name, GW_STR("Cookie"))) {
        if (gw_str_ieq(name, GW_STR("Authorization")))
            gw_buf_add(text, gw_str_first(value, value.len - without_scheme(value).len));
        gw_buf_add(text, HIDDEN);
        return;
    }
    while (gw_str_next(&value, ';', &pair)) {
        gw_buf_add(text, text->len ? GW_STR("; ") : GW_STR_EMPTY);
        add_cookie_name(text, gw_str_trim(pair));
    }
}

void record_shown_value(const struct record *r, struct gw_str name, struct gw_str value,
                        struct gw_buf *out)
{
    struct gw_buf text;
    gw_buf_init(&text, RECORD_BYTES_MAX);
    if (is_secret_name(name))
        add_hidden(&text, name, value);
    else
        hide(r, value, false, &text);
    gw_buf_json(out, gw_buf_str(&text));
    gw_buf_release(&text);
}
