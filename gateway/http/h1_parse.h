/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTTP/1.x messages from bytes: a pull parser, one event a call. h1_parse.c is the
 * only file that sees llhttp.
 *
 * Strict: framing that two readers could read in two ways is refused, never repaired (RFC 9112
 * sections 2 to 7; request smuggling). Each section (head, chunk line, trailers) is first read
 * whole and checked byte by byte (h1_scan.h), then by llhttp, then as a message: so the outcome
 * never depends on how the network cut the bytes.
 *
 * Use: begin, then next until H1_END (or H1_ERROR, which is final), then begin again. After H1_HEAD
 * all slices of the message lie in the arena and live as long as it; H1_BODY slices lie in the
 * input. After H1_END the rest of *input is untouched: the next message, the tunnel's bytes (101,
 * CONNECT), or what an origin sent too much.
 *
 * Thread: one. Owns: a heap block for a section that came in pieces, while it is incomplete; an
 * idle parser is under 300 bytes. Limits: struct h1_limits; 274 bytes a
 * chunk line, so at most 256 of extensions; 16 interim responses. */
#include "gateway/base/err.h"
#include "gateway/http/headers.h"
#include "gateway/http/method.h"
#include "gateway/http/url.h"

enum h1_kind { H1_REQUEST, H1_RESPONSE };

struct h1_limits {
    size_t target_max;  /* request target; beyond: GW_EURI */
    size_t head_max;    /* start line and fields, and again trailers; beyond: GW_EHEADERS */
    unsigned count_max; /* fields, and again trailers; beyond: GW_EHEADERS */
};
#define H1_LIMITS_DEFAULT ((struct h1_limits){16 << 10, 128 << 10, 256})

enum h1_event {
    H1_MORE,  /* the input is used up */
    H1_HEAD,  /* the head is complete; after status 1xx (not 101) another head follows */
    H1_BODY,  /* *body holds a piece, never empty */
    H1_END,   /* the message is complete, trailers are filled */
    H1_ERROR, /* message.error says why; nothing more can be read from this connection */
};

enum h1_framing { H1_BODY_NONE, H1_BODY_LENGTH, H1_BODY_CHUNKED, H1_BODY_UNTIL_CLOSE };

struct h1_message {
    /* Requests. host comes from Host, or from an absolute target, which must agree with it; its
     * name is empty only in HTTP/1.0 without Host and in the asterisk form. */
    struct gw_str method, target;
    enum http_method method_id;
    struct url url;
    struct url_host host;
    /* Responses. */
    struct gw_str reason;
    uint16_t status; /* 100 to 999 */
    /* Both. */
    uint8_t minor; /* HTTP/1.minor: 0 or 1 */
    bool h2;       /* came as HTTP/2 (h2_request.h): minor is 1, framing what the stream said */
    enum h1_framing framing;
    uint64_t
        content_length; /* with H1_BODY_LENGTH; in responses to HEAD and 304 what was announced */
    bool has_content_length; /* the field was there */
    bool keep_alive;         /* the connection can carry another message after this one */
    bool expect_continue;    /* Expect: 100-continue in HTTP/1.1 */
    bool upgrade;            /* Upgrade and its Connection option, in HTTP/1.1 */
    int error;               /* GW_EPARSE, GW_EURI, GW_EHEADERS, GW_EVERSION, GW_ENOTIMPL */
    struct headers headers, trailers;
};

/* "HTTP/1.1", as logs and rules name it. */
static inline struct gw_str h1_version_name(const struct h1_message *m)
{
    return m->h2 ? GW_STR("HTTP/2") : m->minor ? GW_STR("HTTP/1.1") : GW_STR("HTTP/1.0");
}

struct h1_parser;

/* limits is borrowed and outlives the parser. */
struct h1_parser *h1_parser_new(enum h1_kind kind, const struct h1_limits *limits);
void h1_parser_free(struct h1_parser *p);

/* The next message of the connection goes to *m and the arena; both are borrowed until H1_END, and
 * m may be as it comes from the stack. */
void h1_parser_begin(struct h1_parser *p, struct gw_arena *arena, struct h1_message *m);
/* For responses: `asked` is the method of the request (HEAD and CONNECT change the framing). */
void h1_parser_begin_response(struct h1_parser *p, struct gw_arena *arena, struct h1_message *m,
                              enum http_method asked);

/* Takes bytes off the front of *input. */
GW_MUST enum h1_event h1_parser_next(struct h1_parser *p, struct gw_str *input,
                                     struct gw_str *body);

/* The peer has closed its side. H1_END: a close-delimited body is complete now. H1_MORE: nothing
 * of a message had come. H1_ERROR: it was cut short (GW_ETRUNCATED). */
GW_MUST enum h1_event h1_parser_eof(struct h1_parser *p);

/* True until the first byte of a message has been taken. */
bool h1_parser_idle(const struct h1_parser *p);
