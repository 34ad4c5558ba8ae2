/* SPDX-License-Identifier: Apache-2.0 */
/* The connection's state machine, and the only use of llhttp.
 *
 * A section is taken whole before anything in it counts: from the input when it is there in one
 * piece (nearly always), else from `held`, where pieces wait. h1_scan finds its end and refuses
 * every shape that two parsers could see differently; llhttp then reads the field lines; and both
 * must have counted the same number of them. Heads are copied once, to the arena, and parsed there,
 * so that slices outlive the read buffer. */
#include "gateway/http/h1_parse.h"

#include <llhttp.h>

#include "gateway/base/buf.h"
#include "gateway/http/h1_chunk.h"
#include "gateway/http/h1_message.h"
#include "gateway/http/h1_scan.h"

#define CHUNK_LINE_MAX  (16 + 256 + 2) /* size, extensions that nobody uses, CRLF */
#define START_LINE_ROOM 64             /* method, version and spaces beside the target */
#define INTERIM_MAX     16 /* 1xx before an answer: an endless row of them must not hold us */

enum state {
    IN_HEAD,        /* waits for a complete head */
    IN_LENGTH,      /* `left` bytes of body to come */
    IN_CHUNK_LINE,  /* waits for a complete chunk line */
    IN_CHUNK,       /* `left` bytes of this chunk to come */
    IN_CHUNK_CR,    /* the CRLF behind a chunk's data */
    IN_CHUNK_LF,    /* its second half */
    IN_TRAILERS,    /* waits for a complete trailer section */
    IN_UNTIL_CLOSE, /* body until h1_parser_eof */
    AT_END,         /* complete, H1_END not yet told */
    DONE,           /* told; waits for begin */
    FAILED
};

/* Of the one CRLF that may stand before a request line (RFC 9112 section 2.2). */
enum lead { LEAD_NONE, LEAD_CR, LEAD_SEEN };

struct h1_parser {
    const struct h1_limits *limits;
    struct gw_arena *arena;
    struct h1_message *message;
    uint64_t left;
    struct h1_scan scan;
    struct gw_buf held;
    enum h1_kind kind;
    enum state state;
    enum lead lead;
    enum http_method asked;
    unsigned interims;
};

struct h1_parser *h1_parser_new(enum h1_kind kind, const struct h1_limits *limits)
{
    struct h1_parser *p = gw_zalloc(sizeof(*p));
    p->limits = limits;
    p->kind = kind;
    p->state = DONE;
    return p;
}

/* Whenever its connection goes, in the middle of a message as well: what is held is ours,
 * everything else lies in the arena of whoever began the message. */
void h1_parser_free(struct h1_parser *p)
{
    if (!p)
        return;
    gw_buf_release(&p->held);
    free(p);
}

static void clear_message(struct h1_parser *p)
{
    *p->message = (struct h1_message){0};
    headers_init(&p->message->headers, p->arena, p->limits->count_max);
    headers_init(&p->message->trailers, p->arena, p->limits->count_max);
}

void h1_parser_begin(struct h1_parser *p, struct gw_arena *arena, struct h1_message *m)
{
    p->arena = arena;
    p->message = m;
    p->state = IN_HEAD;
    p->lead = LEAD_NONE;
    p->interims = 0;
    clear_message(p);
}

void h1_parser_begin_response(struct h1_parser *p, struct gw_arena *arena, struct h1_message *m,
                              enum http_method asked)
{
    h1_parser_begin(p, arena, m);
    p->asked = asked;
}

/* After each unit, and when parsing fails. Released and not cleared: an idle parser keeps no memory
 * of a head that came in pieces. Without anything held it only resets the scan. */
static void drop_held(struct h1_parser *p)
{
    gw_buf_release(&p->held);
    p->scan = (struct h1_scan){0};
}

static enum h1_event fail(struct h1_parser *p, int err)
{
    drop_held(p);
    p->state = FAILED;
    p->message->error = err;
    return H1_ERROR;
}

/* --- llhttp: field lines --- */

static int on_field(llhttp_t *l, const char *at, size_t len)
{
    struct headers *h = l->data;
    struct gw_str name = gw_str(at, len);
    /* llhttp's lenient build takes spaces for part of a name. */
    if (!headers_add(h, name, gw_str(at + len, 0)) ||
        (h->items[h->count - 1].id == HEADER_OTHER && !header_name_valid(name)))
        return -1;
    return 0;
}

static int on_value(llhttp_t *l, const char *at, size_t len)
{
    struct headers *h = l->data;
    struct gw_str *value = &h->items[h->count - 1].value;
    if (!value->len)
        value->ptr = at;
    value->len = (size_t)(at + len - value->ptr);
    return 0;
}

/* llhttp skips white space before a value and leaves what is behind it. Framing is decided by
 * h1_message.c, from the fields: llhttp stops here, before it acts on its own. */
static int on_fields_complete(llhttp_t *l)
{
    struct headers *h = l->data;
    for (size_t i = 0; i < h->count; i++) {
        struct gw_str *value = &h->items[i].value;
        while (value->len &&
               (value->ptr[value->len - 1] == ' ' || value->ptr[value->len - 1] == '\t'))
            value->len--;
    }
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_header_field = on_field,
                                           .on_header_value = on_value,
                                           .on_headers_complete = on_fields_complete};

/* Reads start line and fields, or fields alone behind a `start` that stands in for a line llhttp
 * cannot know. `lines` is what the scan counted behind the start line: a reader that saw another
 * number of fields saw another message. On failure the list is empty. */
static int read_fields(llhttp_type_t type, struct gw_str start, struct gw_str bytes,
                       struct headers *h, unsigned lines)
{
    if (lines > h->max || !headers_reserve(h, lines))
        return GW_EHEADERS;
    llhttp_t l;
    llhttp_init(&l, type, &settings);
    l.data = h;
    /* HPE_PAUSED comes from on_fields_complete; HPE_OK behind it would mean that llhttp has not
     * seen the end that the scan saw. */
    bool ok = (!start.len || llhttp_execute(&l, start.ptr, start.len) == HPE_OK) &&
              llhttp_execute(&l, bytes.ptr, bytes.len) == HPE_PAUSED && h->count == lines;
    if (!ok)
        headers_init(h, h->arena, h->max);
    return ok ? GW_OK : GW_EPARSE;
}

static int read_head(struct h1_parser *p, struct gw_str head)
{
    struct h1_message *m = p->message;
    struct gw_str line = gw_str_first(head, p->scan.first_line);
    unsigned fields = p->scan.lines - 1;
    if (p->kind == H1_RESPONSE) {
        int err = h1_read_status_line(m, line);
        if (!err)
            err = read_fields(HTTP_RESPONSE, GW_STR_EMPTY, head, &m->headers, fields);
        return err ? err : h1_read_response_fields(m, p->asked);
    }
    int err = h1_read_request_line(m, line, p->limits->target_max);
    if (err)
        return err;
    /* llhttp's list of methods is closed, HTTP's is not: others look like a GET to it. */
    if (m->method_id == METHOD_OTHER)
        err = read_fields(HTTP_REQUEST, GW_STR("GET "), gw_str_from(head, m->method.len + 1),
                          &m->headers, fields);
    else
        err = read_fields(HTTP_REQUEST, GW_STR_EMPTY, head, &m->headers, fields);
    return err ? err : h1_read_request_fields(m, p->arena);
}

/* Fields that frame or route cannot come after the body: the peer means to be read twice (RFC 9110
 * section 6.5.1). */
static int read_trailers(struct h1_parser *p, struct gw_str section)
{
    struct headers *h = &p->message->trailers;
    int err = read_fields(HTTP_REQUEST, GW_STR("GET / HTTP/1.1\r\n"), section, h, p->scan.lines);
    if (err)
        return err;
    bool frames = headers_has(h, HEADER_CONTENT_LENGTH) || headers_has(h, HEADER_HOST) ||
                  headers_has(h, HEADER_TRANSFER_ENCODING);
    return frames ? GW_EPARSE : GW_OK;
}

/* --- taking a unit whole --- */

/* Limits are judged in the order of the bytes, so that the answer does not depend on how much of
 * the unit is here. */
static int check_limits(const struct h1_parser *p)
{
    size_t line = p->scan.lines ? p->scan.first_line : p->scan.at;
    if (p->state == IN_CHUNK_LINE)
        return GW_OK;
    if (p->state == IN_HEAD && p->kind == H1_REQUEST &&
        line > p->limits->target_max + START_LINE_ROOM)
        return GW_EURI;
    return p->scan.lines > p->limits->count_max + (p->state == IN_HEAD) ? GW_EHEADERS : GW_OK;
}

/* SCAN_END: *unit is complete, from *input or from `held` (until drop_held), and *input is behind
 * it. SCAN_MORE: all input is held. SCAN_BAD: failed. */
static enum h1_scan_result take(struct h1_parser *p, struct gw_str *input, enum h1_scan_unit kind,
                                size_t max, struct gw_str *unit)
{
    size_t before = p->held.len;
    struct gw_str bytes = gw_str_first(*input, max - before);
    /* The whole unit so far goes to the scan again, which knows how far it has looked (h1_scan.at).
     */
    if (before) {
        gw_buf_add(&p->held, bytes);
        bytes = gw_buf_str(&p->held);
    }
    enum h1_scan_result result = h1_scan(&p->scan, bytes, kind);
    int err = check_limits(p);
    if (!err && result == SCAN_BAD)
        err = GW_EPARSE;
    if (!err && result == SCAN_MORE && bytes.len == max)
        err = p->state == IN_CHUNK_LINE ? GW_EPARSE : GW_EHEADERS;
    if (err) {
        fail(p, err);
        return SCAN_BAD;
    }
    if (result == SCAN_END) {
        *unit = gw_str_first(bytes, p->scan.at);
        /* Of the bytes that were just added, only those of this unit are taken; what follows is the
         * next message or the body. */
        *input = gw_str_from(*input, p->scan.at - before);
        return SCAN_END;
    }
    if (!before) {
        gw_buf_init(&p->held, max);
        gw_buf_add(&p->held, bytes);
    }
    *input = gw_str_from(*input, input->len);
    return SCAN_MORE;
}

/* One CRLF, for clients that send one behind a body of the last message. */
static bool skip_lead(struct h1_parser *p, struct gw_str *input)
{
    if (p->lead == LEAD_NONE && input->ptr[0] == '\r') {
        p->lead = LEAD_CR;
        *input = gw_str_from(*input, 1);
    }
    if (p->lead == LEAD_CR && input->len) {
        if (input->ptr[0] != '\n')
            return false;
        *input = gw_str_from(*input, 1);
        p->lead = LEAD_SEEN;
    }
    return true;
}

/* --- states --- */

static enum state state_behind_head(const struct h1_message *m)
{
    switch (m->framing) {
    case H1_BODY_NONE:
        return AT_END;
    case H1_BODY_LENGTH:
        return IN_LENGTH;
    case H1_BODY_CHUNKED:
        return IN_CHUNK_LINE;
    case H1_BODY_UNTIL_CLOSE:
        return IN_UNTIL_CLOSE;
    }
    return FAILED;
}

static enum h1_event next_head(struct h1_parser *p, struct gw_str *input)
{
    struct h1_message *m = p->message;
    struct gw_str unit;
    if (!input->len)
        return H1_MORE;
    if (p->kind == H1_REQUEST && p->lead != LEAD_SEEN && !p->held.len && !skip_lead(p, input))
        return fail(p, GW_EPARSE);
    if (!input->len)
        return H1_MORE;
    /* What the last 1xx said is gone when the next head begins, not before: its receiver has had it
     * until now. With a piece held, this head has begun and was cleared for already. */
    if (p->interims && !p->held.len)
        clear_message(p);
    enum h1_scan_result result = take(p, input, SCAN_SECTION, p->limits->head_max, &unit);
    if (result != SCAN_END)
        return result == SCAN_MORE ? H1_MORE : H1_ERROR;
    /* No line at all is an empty one where a head should be: the CRLF that is forgiven was taken by
     * skip_lead. */
    char *copy = gw_arena_alloc(p->arena, unit.len);
    int err = !copy ? GW_EHEADERS : !p->scan.lines ? GW_EPARSE : GW_OK;
    if (!err)
        err = read_head(p, gw_str(memcpy(copy, unit.ptr, unit.len), unit.len));
    drop_held(p);
    if (err)
        return fail(p, err);
    p->left = m->content_length;
    /* 101 is the last head on this connection; other 1xx leave the parser in IN_HEAD for the answer
     * proper. */
    if (p->kind == H1_RESPONSE && m->status < 200 && m->status != 101)
        return ++p->interims > INTERIM_MAX ? fail(p, GW_EPARSE) : H1_HEAD;
    p->state = state_behind_head(m);
    return H1_HEAD;
}

static enum h1_event next_chunk_line(struct h1_parser *p, struct gw_str *input)
{
    struct gw_str line;
    enum h1_scan_result result = take(p, input, SCAN_LINE, CHUNK_LINE_MAX, &line);
    if (result != SCAN_END)
        return result == SCAN_MORE ? H1_MORE : H1_ERROR;
    bool ok = h1_chunk_parse(gw_str_first(line, line.len - 2), &p->left);
    drop_held(p);
    if (!ok)
        return fail(p, GW_EPARSE);
    p->state = p->left ? IN_CHUNK : IN_TRAILERS;
    return H1_MORE;
}

static enum h1_event next_trailers(struct h1_parser *p, struct gw_str *input)
{
    struct gw_str unit;
    enum h1_scan_result result = take(p, input, SCAN_SECTION, p->limits->head_max, &unit);
    if (result != SCAN_END)
        return result == SCAN_MORE ? H1_MORE : H1_ERROR;
    int err = GW_OK;
    if (p->scan.lines) {
        char *copy = gw_arena_alloc(p->arena, unit.len);
        err = copy ? read_trailers(p, gw_str(memcpy(copy, unit.ptr, unit.len), unit.len))
                   : GW_EHEADERS;
    }
    drop_held(p);
    if (err)
        return fail(p, err);
    p->state = AT_END;
    return H1_MORE;
}

static enum h1_event next_body(struct h1_parser *p, struct gw_str *input, struct gw_str *body)
{
    size_t n = p->left < input->len ? (size_t)p->left : input->len;
    *body = gw_str_first(*input, n);
    *input = gw_str_from(*input, n);
    p->left -= n;
    if (!p->left)
        p->state = p->state == IN_LENGTH ? AT_END : IN_CHUNK_CR;
    return H1_BODY;
}

static enum h1_event next_chunk_end(struct h1_parser *p, struct gw_str *input)
{
    if (input->ptr[0] != (p->state == IN_CHUNK_CR ? '\r' : '\n'))
        return fail(p, GW_EPARSE);
    *input = gw_str_from(*input, 1);
    p->state = p->state == IN_CHUNK_CR ? IN_CHUNK_LF : IN_CHUNK_LINE;
    return H1_MORE;
}

/* One state's work. H1_MORE from a state that has moved on means: go on with what is left. */
static enum h1_event step(struct h1_parser *p, struct gw_str *input, struct gw_str *body)
{
    switch (p->state) {
    case IN_HEAD:
        return next_head(p, input);
    case IN_LENGTH:
    case IN_CHUNK:
        return next_body(p, input, body);
    case IN_CHUNK_LINE:
        return next_chunk_line(p, input);
    case IN_CHUNK_CR:
    case IN_CHUNK_LF:
        return next_chunk_end(p, input);
    case IN_TRAILERS:
        return next_trailers(p, input);
    case IN_UNTIL_CLOSE:
        *body = *input;
        *input = gw_str_from(*input, input->len);
        return H1_BODY;
    case AT_END:
    case DONE:
    case FAILED:
        break;
    }
    return H1_ERROR;
}

enum h1_event h1_parser_next(struct h1_parser *p, struct gw_str *input, struct gw_str *body)
{
    for (;;) {
        if (p->state == FAILED)
            return H1_ERROR;
        if (p->state == AT_END || p->state == DONE) {
            p->state = DONE;
            return H1_END;
        }
        if (!input->len)
            return H1_MORE;
        enum h1_event event = step(p, input, body);
        if (event != H1_MORE)
            return event;
    }
}

enum h1_event h1_parser_eof(struct h1_parser *p)
{
    if (p->state == FAILED)
        return H1_ERROR;
    if (p->state == IN_UNTIL_CLOSE || p->state == AT_END) {
        p->state = DONE;
        return H1_END;
    }
    if (h1_parser_idle(p))
        return H1_MORE;
    return fail(p, GW_ETRUNCATED);
}

bool h1_parser_idle(const struct h1_parser *p)
{
    return p->state == DONE || (p->state == IN_HEAD && !p->held.len && !p->interims);
}
