/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/h1_write.h"

#include "gateway/http/bytes.h"

#define STATUS_LIMIT 600
#define T(text)                                                                                    \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct gw_str status_texts[STATUS_LIMIT] = {
    [100] = T("Continue"),
    [101] = T("Switching Protocols"),
    [102] = T("Processing"),
    [103] = T("Early Hints"),
    [200] = T("OK"),
    [201] = T("Created"),
    [202] = T("Accepted"),
    [203] = T("Non-Authoritative Information"),
    [204] = T("No Content"),
    [205] = T("Reset Content"),
    [206] = T("Partial Content"),
    [207] = T("Multi-Status"),
    [208] = T("Already Reported"),
    [226] = T("IM Used"),
    [300] = T("Multiple Choices"),
    [301] = T("Moved Permanently"),
    [302] = T("Found"),
    [303] = T("See Other"),
    [304] = T("Not Modified"),
    [305] = T("Use Proxy"),
    [307] = T("Temporary Redirect"),
    [308] = T("Permanent Redirect"),
    [400] = T("Bad Request"),
    [401] = T("Unauthorized"),
    [402] = T("Payment Required"),
    [403] = T("Forbidden"),
    [404] = T("Not Found"),
    [405] = T("Method Not Allowed"),
    [406] = T("Not Acceptable"),
    [407] = T("Proxy Authentication Required"),
    [408] = T("Request Timeout"),
    [409] = T("Conflict"),
    [410] = T("Gone"),
    [411] = T("Length Required"),
    [412] = T("Precondition Failed"),
    [413] = T("Content Too Large"),
    [414] = T("URI Too Long"),
    [415] = T("Unsupported Media Type"),
    [416] = T("Range Not Satisfiable"),
    [417] = T("Expectation Failed"),
    [421] = T("Misdirected Request"),
    [422] = T("Unprocessable Content"),
    [423] = T("Locked"),
    [424] = T("Failed Dependency"),
    [425] = T("Too Early"),
    [426] = T("Upgrade Required"),
    [428] = T("Precondition Required"),
    [429] = T("Too Many Requests"),
    [431] = T("Request Header Fields Too Large"),
    [451] = T("Unavailable For Legal Reasons"),
    [499] = T("Client Closed Request"),
    [500] = T("Internal Server Error"),
    [501] = T("Not Implemented"),
    [502] = T("Bad Gateway"),
    [503] = T("Service Unavailable"),
    [504] = T("Gateway Timeout"),
    [505] = T("HTTP Version Not Supported"),
    [506] = T("Variant Also Negotiates"),
    [507] = T("Insufficient Storage"),
    [508] = T("Loop Detected"),
    [510] = T("Not Extended"),
    [511] = T("Network Authentication Required"),
    [520] = T("Web Server Returned an Unknown Error"),
    [521] = T("Web Server Is Down"),
    [522] = T("Connection Timed Out"),
    [523] = T("Origin Is Unreachable"),
    [524] = T("A Timeout Occurred"),
    [525] = T("SSL Handshake Failed"),
    [526] = T("Invalid SSL Certificate"),
    [530] = T("Origin DNS Error")};

struct gw_str h1_status_text(unsigned status)
{
    if (status >= STATUS_LIMIT || !status_texts[status].len)
        return GW_STR("Unknown");
    return status_texts[status];
}

/* One line of some pieces: all of it or nothing. */
static void add_line(struct gw_buf *b, const struct gw_str *pieces, size_t count)
{
    size_t len = 2;
    for (size_t i = 0; i < count; i++)
        len += pieces[i].len;
    char *out = gw_buf_reserve(b, len);
    if (!out)
        return;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len)
            memcpy(out, pieces[i].ptr, pieces[i].len);
        out += pieces[i].len;
    }
    memcpy(out, "\r\n", 2);
    b->len += len;
}

/* The same for "name: value", which is nearly every line. */
static inline void add_field(struct gw_buf *b, struct gw_str name, struct gw_str value)
{
    char *out = gw_buf_reserve(b, name.len + value.len + 4);
    if (!out)
        return;
    memcpy(out, name.ptr, name.len);
    out += name.len;
    memcpy(out, ": ", 2);
    if (value.len)
        memcpy(out + 2, value.ptr, value.len);
    memcpy(out + 2 + value.len, "\r\n", 2);
    b->len += name.len + value.len + 4;
}

bool h1_write_status(struct gw_buf *b, unsigned status, struct gw_str reason)
{
    if (status < 100 || status > 999 || !header_value_valid(reason))
        return false;
    char digits[20];
    struct gw_str code = gw_str(digits, gw_u64_digits(digits, status));
    struct gw_str text = reason.len ? reason : h1_status_text(status);
    add_line(b, (struct gw_str[]){GW_STR("HTTP/1.1 "), code, GW_STR(" "), text}, 4);
    return true;
}

bool h1_write_request(struct gw_buf *b, struct gw_str method, struct gw_str target)
{
    if (!header_name_valid(method) || !target.len || gw_str_chr(target, ' ') != GW_NPOS ||
        bytes_find_control(target.ptr, target.len, 0) != target.len)
        return false;
    add_line(b, (struct gw_str[]){method, GW_STR(" "), target, GW_STR(" HTTP/1.1")}, 4);
    return true;
}

bool h1_write_field(struct gw_buf *b, struct gw_str name, struct gw_str value)
{
    if (!header_name_valid(name) || !header_value_valid(value))
        return false;
    add_field(b, name, value);
    return true;
}

bool h1_write_id(struct gw_buf *b, enum header_id id, struct gw_str value)
{
    if (!header_value_valid(value))
        return false;
    add_field(b, header_name(id), value);
    return true;
}

void h1_write_u64(struct gw_buf *b, enum header_id id, uint64_t value)
{
    char digits[20];
    add_field(b, header_name(id), gw_str(digits, gw_u64_digits(digits, value)));
}

void h1_write_end(struct gw_buf *b)
{
    gw_buf_add(b, GW_STR("\r\n"));
}

size_t h1_chunk_line(char *out, uint64_t size)
{
    size_t digits = 1;
    while (digits < 16 && size >> (4 * digits))
        digits++;
    for (size_t i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[size >> (4 * (digits - 1 - i)) & 15];
    memcpy(out + digits, "\r\n", 2);
    return digits + 2;
}
