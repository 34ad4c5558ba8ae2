/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api.h"

#include <stdarg.h>

#include "gateway/base/hash.h"
#include "gateway/base/json_out.h"
#include "gateway/http/date.h"

#define PROBLEMS_BYTES   ((size_t)4 << 20)
#define PER_PAGE_DEFAULT 20
#define PER_PAGE_LEAST   5
#define PER_PAGE_MOST    50
#define PAGE_MOST        1000000000

/* ---- identities and times ---- */

bool api_is_id(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!gw_is_digit(text.ptr[i]) && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
            return false;
    return text.len == API_ID_LEN;
}

static void write_id(const uint64_t halves[2], char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < API_ID_LEN; i++)
        out[i] = digits[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
}

void api_new_id(char *out)
{
    uint64_t halves[2];
    gw_random(halves, sizeof(halves));
    write_id(halves, out);
}

/* Keys that never change, unlike gw_hash's: ids in saved scripts must hold tomorrow. */
void api_derived_id(struct gw_str space, struct gw_str name, char *out)
{
    const uint64_t in[] = {gw_siphash(space, 0x61706976, 1), gw_siphash(space, 0x61706976, 2)};
    const uint64_t halves[] = {gw_siphash(name, in[0], in[1]), gw_siphash(name, in[1], in[0])};
    write_id(halves, out);
}

/* The real API has microseconds; the clock has milliseconds. */
void api_time(uint64_t date_ms, char *out)
{
    char iso[DATE_ISO_LEN];
    date_format_iso((int64_t)date_ms, iso);
    memcpy(out, iso, DATE_ISO_LEN - 1);
    memcpy(out + DATE_ISO_LEN - 1, "000Z", 4);
}

const struct snapshot_zone *api_zone_in(const struct snapshot *s, struct gw_str path)
{
    return snapshot_zone_with_id(s, admin_path_segment(path, 3)); /* /client/v4/zones/:zone */
}

/* The real service answers 403 for a zone outside the token's reach; here 404 lets the SDK raise
 * NotFoundError (spec/api-v4.md section 1, "Routing errors"). */
const struct snapshot_zone *api_zone(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone_in(admin_snapshot(call), call->path);
    if (!zone)
        admin_v4_unroutable(call, false);
    return zone;
}

/* ---- answers ---- */

void api_begin(struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("{\"result\":"));
}

void api_end_with(struct gw_buf *out, struct gw_str messages, struct gw_str more)
{
    gw_buf_add(out, GW_STR(",\"success\":true,\"errors\":[],\"messages\":["));
    gw_buf_add(out, messages);
    gw_buf_char(out, ']');
    gw_buf_add(out, more);
    gw_buf_add(out, GW_STR("}\n"));
}

void api_end(struct gw_buf *out)
{
    api_end_with(out, GW_STR_EMPTY, GW_STR_EMPTY);
}

void api_member(struct gw_buf *out, const char *name, struct gw_str value)
{
    gw_json_text(out, name, value);
}

/* ---- errors ---- */

void api_problems_init(struct api_problems *p)
{
    *p = (struct api_problems){0};
    gw_buf_init(&p->json, PROBLEMS_BYTES);
}

void api_problems_release(struct api_problems *p)
{
    gw_buf_release(&p->json);
}

static void add_source(struct api_problems *p, struct gw_str pointer)
{
    struct gw_str rest = gw_str_from(pointer, p->strip.len);
    if (gw_str_starts(pointer, p->strip) && (!rest.len || rest.ptr[0] == '/'))
        pointer = rest;
    if (!pointer.len)
        return;
    p->json.len--; /* back into the entry */
    gw_buf_add(&p->json, GW_STR(",\"source\":{\"pointer\":"));
    gw_buf_json(&p->json, pointer);
    gw_buf_add(&p->json, GW_STR("}}"));
}

/* A message may quote an expression of 4 KiB and more. */
void api_problem(struct api_problems *p, unsigned code, struct gw_str pointer, const char *fmt, ...)
{
    if (p->count++ >= API_PROBLEMS_MAX)
        return;
    struct gw_buf message;
    va_list args;
    gw_buf_init(&message, 64 * 1024);
    va_start(args, fmt);
    gw_buf_vprintf(&message, fmt, args);
    va_end(args);
    gw_buf_char(&message, '\0');
    message.data[message.len - 1] = '\0'; /* also when it was cut */
    if (p->json.len)
        gw_buf_char(&p->json, ',');
    admin_v4_error(&p->json, code, message.data);
    add_source(p, pointer);
    gw_buf_release(&message);
}

bool api_known_members(struct api_problems *p, const struct json *object, struct gw_str pointer,
                       const char *const *known)
{
    size_t before = p->count;
    for (const struct json *m = json_first(object); m; m = json_next(m)) {
        const char *const *name = known;
        while (*name && !gw_str_eq(gw_str_z(*name), json_key(m)))
            name++;
        if (!*name)
            api_problem(p, 0, pointer, "invalid JSON: unknown field \"%.*s\"",
                        GW_STR_ARG(json_key(m)));
    }
    return p->count == before;
}

void api_fail_problems(struct admin_call *call, unsigned status, const struct api_problems *p)
{
    call->status = status;
    gw_buf_clear(&call->out);
    gw_buf_add(&call->out, GW_STR("{\"result\":null,\"success\":false,\"errors\":["));
    gw_buf_add(&call->out, gw_buf_str(&p->json));
    gw_buf_add(&call->out, GW_STR("],\"messages\":[]}\n"));
}

/* ---- pages ---- */

static bool read_number(struct admin_call *call, const char *name, uint64_t *value)
{
    struct gw_str text;
    if (!admin_query(call, gw_str_z(name), &text))
        return true;
    if (gw_str_u64(text, PAGE_MOST, value) && *value > 0)
        return true;
    admin_v4_fail(call, 400, 0, "'%.*s' is not a valid value for %s because it is not a number",
                  (int)gw_min_size(text.len, 100), text.ptr ? text.ptr : "", name);
    return false;
}

/* A page length outside Cloudflare's range is brought into it: SDK users write 1 and 1000. */
bool api_page_read(struct admin_call *call, struct api_page *page)
{
    *page = (struct api_page){1, PER_PAGE_DEFAULT};
    if (!read_number(call, "page", &page->page) || !read_number(call, "per_page", &page->per_page))
        return false;
    page->per_page = gw_max_u64(PER_PAGE_LEAST, gw_min_u64(PER_PAGE_MOST, page->per_page));
    return true;
}

void api_page_end(struct gw_buf *out, const struct api_page *page, size_t count, size_t total)
{
    char text[256];
    struct gw_buf info = gw_buf_over(text, sizeof(text));
    unsigned long long length = page->per_page;
    gw_buf_printf(&info,
                  ",\"result_info\":{\"page\":%llu,\"per_page\":%llu,\"count\":%zu,"
                  "\"total_count\":%zu,\"total_pages\":%llu}",
                  (unsigned long long)page->page, length, count, total,
                  (total + length - 1) / length);
    api_end_with(out, GW_STR_EMPTY, gw_buf_str(&info));
}
