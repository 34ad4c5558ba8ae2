/* SPDX-License-Identifier: Apache-2.0 */
/* "requests": what can be sent, by name. */
#include "bench/load/scenario_private.h"
#include "config/file.h"
#include "gateway/base/err.h"

#define BODY_MAX     ((size_t)64 << 20)
#define GENERATE_MAX ((uint64_t)64 << 20)
#define BOUNDARY     "nearedge-load-7d1f3a9c5b" /* fixed: the same plan, the same bytes */

/* ---- bodies ---- */

/* A text body: variables in it are replaced. */
static void add_template(struct reader *r, const struct json *v, struct load_request *request,
                         struct gw_str text)
{
    struct template_mistake m = {0};
    if (!template_add(&request->body, text, &m))
        read_template_mistake(r, v, &m);
}

/* A JSON body is written compactly; variables stand inside its strings. A mistake in one of them
 * has no place of its own any more and is shown at the whole value. */
static void add_json(struct reader *r, const struct json *v, struct load_request *request)
{
    struct gw_buf text;
    struct template_mistake m = {0};
    gw_buf_init(&text, BODY_MAX);
    json_write(v, &text);
    if (!template_add(&request->body, gw_buf_str(&text), &m))
        read_error(r, v, "%s", m.text);
    gw_buf_release(&text);
    if (!request->content_type.len)
        request->content_type = GW_STR("application/json");
}

static void read_body(struct reader *r, const struct json *v, void *field)
{
    struct load_request *request = field;
    request->has_body = true;
    if (json_type(v) == JSON_STRING)
        add_template(r, v, request, json_str(v));
    else if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
        add_json(r, v, request);
    else
        read_error(r, v, "must be a text, an object or a list");
}

/* A file's bytes are sent as they are: variables in an image would be an accident. */
static void add_file(struct reader *r, const struct json *v, struct load_request *request)
{
    struct gw_buf bytes;
    gw_buf_init(&bytes, BODY_MAX);
    struct gw_str path = file_resolve(&r->plan->arena, r->base, json_str(v));
    int err = json_str(v).len ? file_read(path.ptr, &bytes) : -22; /* EINVAL */
    if (err)
        read_error(r, v, "%s: %s", json_str(v).len ? path.ptr : "a path", gw_strerror(err));
    else
        template_literal(&request->body, gw_buf_str(&bytes));
    gw_buf_release(&bytes);
}

static void read_body_file(struct reader *r, const struct json *v, void *field)
{
    struct load_request *request = field;
    request->has_body = true;
    add_file(r, v, request);
}

/* ---- multipart/form-data (RFC 7578) ---- */

struct part {
    struct gw_str name, value, file, filename, type, generate;
};

static const struct read_field part_fields[] = {
    {"name", read_value, offsetof(struct part, name), true},
    {"value", read_text, offsetof(struct part, value), false},
    {"file", read_text, offsetof(struct part, file), false},
    {"generate", read_text, offsetof(struct part, generate), false},
    {"filename", read_value, offsetof(struct part, filename), false},
    {"type", read_value, offsetof(struct part, type), false},
    {0}};

static bool parse_size(struct gw_str text, uint64_t *out)
{
    static const struct {
        struct gw_str suffix;
        uint64_t bytes;
    } units[] = {{{"KiB", 3}, 1024},
                 {{"MiB", 3}, 1 << 20},
                 {{"KB", 2}, 1000},
                 {{"MB", 2}, 1000000},
                 {{"B", 1}, 1}};
    uint64_t number;
    for (size_t i = 0; i < GW_COUNT(units); i++) {
        if (!gw_str_ends(text, units[i].suffix))
            continue;
        struct gw_str digits = gw_str_trim(gw_str_first(text, text.len - units[i].suffix.len));
        if (!gw_str_u64(digits, GENERATE_MAX / units[i].bytes, &number))
            return false;
        *out = number * units[i].bytes;
        return true;
    }
    return false;
}

/* Random bytes of a fixed seed: a file of any size that no repository must hold. The PNG signature
 * comes first, for servers that look at it. */
static void add_generated(struct reader *r, const struct json *v, struct load_request *request)
{
    static const char signature[8] = "\x89PNG\r\n\x1a\n";
    struct gw_rng rng = {r->plan->seed};
    uint64_t size;
    if (!parse_size(json_str(v), &size)) {
        read_error(r, v, "must be a size such as \"256KiB\", at most 64MiB");
        return;
    }
    char *bytes = gw_alloc(size + sizeof(uint64_t));
    for (uint64_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = gw_rng_next(&rng);
        memcpy(bytes + at, &word, sizeof(word));
    }
    memcpy(bytes, signature, gw_min_size(sizeof(signature), size));
    template_literal(&request->body, gw_str(bytes, size));
    free(bytes);
}

static void add_quoted(struct load_request *request, const char *name, struct gw_str value)
{
    template_literal(&request->body, gw_str_z(name));
    template_literal(&request->body, value);
    template_literal(&request->body, GW_STR("\""));
}

static void add_part_head(struct load_request *request, const struct part *part, bool is_file)
{
    template_literal(&request->body, GW_STR("--" BOUNDARY "\r\n"));
    add_quoted(request, "Content-Disposition: form-data; name=\"", part->name);
    if (is_file || part->filename.len)
        add_quoted(request, "; filename=\"",
                   part->filename.len ? part->filename : GW_STR("upload.bin"));
    if (is_file || part->type.len) {
        template_literal(&request->body, GW_STR("\r\nContent-Type: "));
        template_literal(&request->body,
                         part->type.len ? part->type : GW_STR("application/octet-stream"));
    }
    template_literal(&request->body, GW_STR("\r\n\r\n"));
}

static void read_part(struct reader *r, const struct json *v, struct load_request *request)
{
    struct part part = {0};
    read_object(r, v, part_fields, &part);
    const struct json *file = json_get(v, "file"), *generate = json_get(v, "generate"),
                      *value = json_get(v, "value");
    if (json_type(v) != JSON_OBJECT)
        return;
    if ((file != NULL) + (generate != NULL) + (value != NULL) != 1)
        read_error(r, v, "a part has one of \"value\", \"file\" and \"generate\"");
    if (gw_str_chr(part.name, '"') != GW_NPOS || gw_str_chr(part.filename, '"') != GW_NPOS)
        read_error(r, v, "a quote cannot stand in a part's name");
    add_part_head(request, &part, file || generate);
    if (value)
        add_template(r, value, request, json_str(value));
    if (file)
        add_file(r, file, request);
    if (generate)
        add_generated(r, generate, request);
    template_literal(&request->body, GW_STR("\r\n"));
}

static void read_multipart(struct reader *r, const struct json *v, void *field)
{
    struct load_request *request = field;
    request->has_body = true;
    request->content_type = GW_STR("multipart/form-data; boundary=" BOUNDARY);
    if (json_type(v) != JSON_ARRAY || !json_count(v)) {
        read_error(r, v, "must be a list of parts");
        return;
    }
    for (const struct json *part = json_first(v); part; part = json_next(part))
        read_part(r, part, request);
    template_literal(&request->body, GW_STR("--" BOUNDARY "--\r\n"));
}

/* ---- CSRF ---- */

struct csrf {
    struct gw_str cookie, header, origin;
};

/* The pairing of the team's app (spec/limiter.md a3): cookie and header carry the same token, and
 * Origin is the request's own. */
static void read_csrf(struct reader *r, const struct json *v, void *field)
{
    static const struct read_field csrf_fields[] = {
        {"cookie", read_value, offsetof(struct csrf, cookie), false},
        {"header", read_value, offsetof(struct csrf, header), false},
        {"origin", read_value, offsetof(struct csrf, origin), false},
        {0}};
    struct load_request *request = field;
    struct csrf csrf = {GW_STR("csrf_token"), GW_STR("X-CSRF-Token"), GW_STR_EMPTY};
    if (json_type(v) == JSON_BOOL && !json_bool(v))
        return;
    if (json_type(v) != JSON_BOOL)
        read_object(r, v, csrf_fields, &csrf);
    request->csrf_cookie = csrf.cookie;
    request->csrf_header = csrf.header;
    request->csrf_origin = csrf.origin;
}

/* ---- requests ---- */

static void read_method(struct reader *r, const struct json *v, void *field)
{
    struct load_request *request = field;
    read_text(r, v, &request->method);
    for (size_t i = 0; i < request->method.len; i++) {
        char c = request->method.ptr[i];
        if ((c >= 'A' && c <= 'Z') || c == '-' || c == '_')
            continue;
        read_error(r, v, "a method is written in capitals");
        return;
    }
    request->method_id = http_method_of(request->method);
    if (request->method_id == METHOD_CONNECT)
        read_error(r, v, "CONNECT is not for load tests");
}

static const struct read_field request_fields[] = {
    {"method", read_method, 0, false},
    {"path", read_path, offsetof(struct load_request, path), true},
    {"headers", read_headers, offsetof(struct load_request, headers), false},
    {"cookies", read_cookies, offsetof(struct load_request, cookies), false},
    {"content_type", read_value, offsetof(struct load_request, content_type), false},
    {"body", read_body, 0, false},
    {"body_file", read_body_file, 0, false},
    {"multipart", read_multipart, 0, false},
    {"csrf", read_csrf, 0, false},
    {0}};

static void check_name(struct reader *r, const struct json *v)
{
    struct gw_str name = json_key(v);
    bool fine = name.len > 0 && !gw_is_digit(name.ptr[0]);
    for (size_t i = 0; i < name.len; i++)
        fine = fine && ((gw_lower(name.ptr[i]) >= 'a' && gw_lower(name.ptr[i]) <= 'z') ||
                        gw_is_digit(name.ptr[i]) || strchr("_-./", name.ptr[i]));
    if (!fine)
        json_key_error(r->doc, v, r->diags,
                       "a name is made of letters, digits, \"_\", \"-\", \".\" and \"/\"");
}

static void read_request(struct reader *r, const struct json *v, struct load_request *request)
{
    struct gw_str name = json_key(v);
    check_name(r, v);
    request->name = gw_str(gw_arena_dupz(&r->plan->arena, name), name.len);
    template_init(&request->body, BODY_MAX);
    read_object(r, v, request_fields, request);
    if ((json_get(v, "body") != NULL) + (json_get(v, "body_file") != NULL) +
            (json_get(v, "multipart") != NULL) >
        1)
        read_error(r, v, "a request has one of \"body\", \"body_file\" and \"multipart\"");
    if (request->body.text.overflow)
        read_error(r, v, "the body is larger than 64MiB");
    if (request->method.len)
        return;
    request->method = request->has_body ? GW_STR("POST") : GW_STR("GET");
    request->method_id = http_method_of(request->method);
}

void scenario_requests(struct reader *r, const struct json *v, void *field)
{
    struct load_plan *plan = field;
    size_t count = json_type(v) == JSON_OBJECT ? json_count(v) : 0;
    if (!count || count > PLAN_REQUESTS_MAX) {
        read_error(r, v, "must be an object of 1 to %d requests by name", PLAN_REQUESTS_MAX);
        return;
    }
    plan->requests = gw_arena_zalloc(&plan->arena, count * sizeof(*plan->requests));
    for (const struct json *m = json_first(v); m; m = json_next(m))
        read_request(r, m, &plan->requests[plan->request_count++]);
}
