/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/har.h"

#include "gateway/base/json_out.h"
#include "gateway/http/date.h"

static void add_pair(const struct record *r, struct gw_str name, struct gw_str value,
                     struct gw_buf *out)
{
    gw_json_object(out, NULL);
    gw_json_text(out, "name", name);
    gw_json_name(out, "value");
    record_shown_value(r, name, value, out);
    gw_buf_char(out, '}');
}

static void add_request_headers(const struct record *r, struct gw_buf *out)
{
    gw_json_list(out, "headers");
    for (size_t i = 0; i < r->request.count; i++)
        add_pair(r, r->request.items[i].name, r->request.items[i].value, out);
    gw_buf_char(out, ']');
}

static void add_response_headers(const struct record *r, struct gw_buf *out)
{
    struct gw_str rest = r->response, name, value;
    gw_json_list(out, "headers");
    while (record_next_line(&rest, &name, &value))
        add_pair(r, name, value, out);
    gw_buf_char(out, ']');
}

/* Of the masked URL, since viewers show these pairs beside it. */
static void add_query(const struct record *r, struct gw_buf *out)
{
    size_t question = gw_str_chr(r->shown_url, '?');
    struct gw_str rest =
        question == GW_NPOS ? GW_STR_EMPTY : gw_str_from(r->shown_url, question + 1);
    struct gw_str item;
    gw_json_list(out, "queryString");
    while (gw_str_next(&rest, '&', &item)) {
        size_t equals = gw_str_chr(item, '=');
        struct gw_str value = equals == GW_NPOS ? GW_STR_EMPTY : gw_str_from(item, equals + 1);
        add_pair(r, gw_str_first(item, equals), value, out);
    }
    gw_buf_char(out, ']');
}

static struct gw_str media_type(const struct record *r)
{
    struct gw_str rest = r->response, name, value;
    while (record_next_line(&rest, &name, &value))
        if (gw_str_ieq(name, GW_STR("Content-Type")))
            return value;
    return GW_STR("application/octet-stream"); /* RFC 9110 section 8.3 */
}

/* Cookies stay in the header list: their values are hidden, and HAR's list wants them. */
static void add_request(const struct record *r, struct gw_buf *out)
{
    gw_json_object(out, "request");
    gw_json_text(out, "method", r->method);
    gw_json_text(out, "url", r->shown_url);
    gw_json_text(out, "httpVersion", r->version);
    gw_buf_add(out, GW_STR(",\"cookies\":[]"));
    add_request_headers(r, out);
    add_query(r, out);
    gw_buf_add(out, GW_STR(",\"headersSize\":-1,\"bodySize\":-1}"));
}

static void add_response(const struct record *r, struct gw_buf *out)
{
    gw_json_object(out, "response");
    gw_json_u64(out, "status", r->status);
    gw_json_text(out, "statusText", GW_STR_EMPTY);
    gw_json_text(out, "httpVersion", r->version);
    gw_buf_add(out, GW_STR(",\"cookies\":[]"));
    add_response_headers(r, out);
    gw_json_object(out, "content");
    gw_json_u64(out, "size", r->bytes);
    gw_json_text(out, "mimeType", media_type(r));
    gw_buf_add(out, GW_STR("},\"redirectURL\":\"\",\"headersSize\":-1"));
    gw_json_u64(out, "bodySize", r->bytes);
    gw_buf_char(out, '}');
}

/* HAR wants the whole to be the sum of its parts: what the origin did not use is ours. */
static void add_timings(const struct record *r, struct gw_buf *out)
{
    uint64_t origin_us = r->origin_us < r->took_us ? r->origin_us : r->took_us;
    gw_buf_printf(out, ",\"cache\":{},\"timings\":{\"send\":0,\"wait\":%.3f,\"receive\":%.3f}",
                  (double)origin_us / 1000, (double)(r->took_us - origin_us) / 1000);
}

static void add_entry(const struct record *r, struct gw_buf *out)
{
    char time[DATE_ISO_LEN];
    date_format_iso((int64_t)r->start_ms, time);
    gw_json_object(out, NULL);
    gw_json_text(out, "startedDateTime", gw_str(time, sizeof(time)));
    gw_buf_printf(out, ",\"time\":%.3f", (double)r->took_us / 1000);
    add_request(r, out);
    add_response(r, out);
    add_timings(r, out);
    /* Names that HAR does not know begin with "_". */
    gw_json_text(out, "_ray", r->ray);
    gw_json_text(out, "_edge", r->edge);
    gw_json_text(out, "_cache_status", cache_status_name(r->cache));
    gw_buf_char(out, '}');
}

void har_write(struct record *const *records, size_t count, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"nearedge\","
                           "\"version\":\"" NEAREDGE_VERSION "\"},\"entries\":["));
    for (size_t i = 0; i < count; i++)
        add_entry(records[i], out);
    gw_buf_add(out, GW_STR("]}}\n"));
}
