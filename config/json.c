/* SPDX-License-Identifier: Apache-2.0 */
#include "config/json.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "config/file.h"
#include "config/json_check.h"
#include "gateway/base/err.h"
#include "gateway/base/map.h"

#define TEXT_MAX  ((size_t)64 << 20)
#define EXACT_MAX 9007199254740992.0 /* 2^53: from here on doubles skip integers */
#define FEW_KEYS  16                 /* up to here comparing all pairs beats building a table */

struct json_doc {
    struct gw_source source; /* its own copies */
    cJSON *root;
};

static const cJSON *node(const struct json *v)
{
    return (const cJSON *)v;
}

static const struct json *value(const cJSON *n)
{
    return (const struct json *)n;
}

static bool same_key(const cJSON *a, const cJSON *b)
{
    return strcmp(a->string, b->string) == 0;
}

/* The member whose name already stood before it, or NULL. */
static const cJSON *repeated_in_few(const cJSON *object)
{
    for (const cJSON *a = object->child; a; a = a->next)
        for (const cJSON *b = object->child; b != a; b = b->next)
            if (same_key(a, b))
                return a;
    return NULL;
}

static const cJSON *repeated_in_many(const cJSON *object)
{
    struct gw_map seen;
    gw_map_init(&seen);
    const cJSON *member = object->child;
    while (member && !gw_map_put(&seen, gw_str_z(member->string), member->string))
        member = member->next;
    gw_map_release(&seen);
    return member;
}

/* Depth is bounded by json_check. cJSON answers the first of two members with one name and other
 * parsers the last: which one counted would be a guess. */
static void check_repeated(const struct json_doc *doc, const cJSON *n, struct gw_diags *diags)
{
    if (cJSON_IsObject(n)) {
        bool few = json_count(value(n)) <= FEW_KEYS;
        const cJSON *second = few ? repeated_in_few(n) : repeated_in_many(n);
        if (second)
            json_key_error(doc, value(second), diags, "the key \"%s\" stands twice in this object",
                           second->string);
    }
    for (const cJSON *child = n->child; child; child = child->next)
        check_repeated(doc, child, diags);
}

/* cJSON reports an error through a process-wide variable; nobody here reads it, because a text that
 * json_check took cannot fail. */
static void build(struct json_doc *doc, size_t values_max, struct gw_diags *diags)
{
    size_t len = doc->source.text.len;
    char *plain = gw_alloc(len + 1);
    memcpy(plain, doc->source.text.ptr, len + 1);
    if (json_check(&doc->source, plain, values_max, diags)) {
        /* With the NUL behind the text, which require_null_terminated wants to see: all of the text
         * is one value. */
        doc->root = cJSON_ParseWithLengthOpts(plain, len + 1, NULL, true);
        if (!doc->root) /* the text is JSON, so that memory is gone */
            abort();
        check_repeated(doc, doc->root, diags);
    }
    free(plain);
}

struct json_doc *json_parse_within(const struct gw_source *source, size_t values_max,
                                   struct gw_diags *diags)
{
    if (source->text.len > TEXT_MAX) {
        gw_diag_file(diags, GW_DIAG_ERROR, source->name, "the file is larger than 64 MiB");
        return NULL;
    }
    struct json_doc *doc = gw_zalloc(sizeof(*doc));
    doc->source.name = gw_strdup(source->name);
    doc->source.text = gw_str(gw_str_dupz(source->text), source->text.len);
    size_t before = diags->errors;
    build(doc, values_max, diags);
    if (diags->errors == before)
        return doc;
    json_doc_free(doc);
    return NULL;
}

struct json_doc *json_parse(const struct gw_source *source, struct gw_diags *diags)
{
    return json_parse_within(source, SIZE_MAX, diags);
}

struct json_doc *json_read(const char *path, const char *name, struct gw_diags *diags)
{
    struct gw_buf text;
    gw_buf_init(&text, TEXT_MAX);
    struct json_doc *doc = NULL;
    int err = file_read(path, &text);
    if (err)
        gw_diag_file(diags, GW_DIAG_ERROR, name, "cannot read the file: %s", gw_strerror(err));
    else
        doc = json_parse(&(struct gw_source){name, gw_buf_str(&text)}, diags);
    gw_buf_release(&text);
    return doc;
}

void json_doc_free(struct json_doc *doc)
{
    if (!doc)
        return;
    cJSON_Delete(doc->root);
    free((char *)doc->source.name);
    free((char *)doc->source.text.ptr);
    free(doc);
}

const struct json *json_root(const struct json_doc *doc)
{
    return value(doc->root);
}

const struct gw_source *json_source(const struct json_doc *doc)
{
    return &doc->source;
}

enum json_type json_type(const struct json *v)
{
    static const struct {
        int cjson;
        enum json_type type;
    } types[] = {{cJSON_False, JSON_BOOL},    {cJSON_True, JSON_BOOL},
                 {cJSON_Number, JSON_NUMBER}, {cJSON_String, JSON_STRING},
                 {cJSON_Array, JSON_ARRAY},   {cJSON_Object, JSON_OBJECT}};
    for (size_t i = 0; i < GW_COUNT(types); i++)
        if (node(v)->type & types[i].cjson)
            return types[i].type;
    return JSON_NULL;
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"null",     "true or false", "a number",
                                        "a string", "an array",      "an object"};
    return names[type];
}

/* As many stars as there were bytes, so that places stay true. */
void json_hide(struct json_doc *doc, const struct json *string)
{
    if (!string || json_type(string) != JSON_STRING ||
        gw_str_find(json_str(string), GW_STR("${")) != GW_NPOS)
        return;
    size_t offset, width;
    json_place(doc, string, &offset, &width);
    char *at = (char *)doc->source.text.ptr + offset + 1; /* behind the quote */
    struct gw_str inside = gw_str(at, width - 2);
    size_t from = gw_str_find(inside, GW_STR("://")), to = gw_str_rchr(inside, '@');
    if (from == GW_NPOS)
        memset(at, '*', inside.len);
    else if (to != GW_NPOS && to > from + 3)
        memset(at + from + 3, '*', to - from - 3);
}

const struct json *json_get(const struct json *v, const char *key)
{
    return value(cJSON_IsObject(node(v)) ? cJSON_GetObjectItemCaseSensitive(node(v), key) : NULL);
}

const struct json *json_first(const struct json *v)
{
    return v ? value(node(v)->child) : NULL;
}

const struct json *json_next(const struct json *child)
{
    return value(node(child)->next);
}

size_t json_count(const struct json *v)
{
    size_t n = 0;
    for (const struct json *child = json_first(v); child; child = json_next(child))
        n++;
    return n;
}

struct gw_str json_key(const struct json *member)
{
    return gw_str_z(node(member)->string);
}

bool json_bool(const struct json *v)
{
    return cJSON_IsTrue(node(v));
}

struct gw_str json_str(const struct json *v)
{
    return cJSON_IsString(node(v)) ? gw_str_z(node(v)->valuestring) : GW_STR_EMPTY;
}

double json_number(const struct json *v)
{
    return node(v)->valuedouble;
}

/* The range is checked before the cast: a double beyond int64_t would make it undefined. */
bool json_int(const struct json *v, int64_t min, int64_t max, int64_t *out)
{
    double number = json_type(v) == JSON_NUMBER ? json_number(v) : NAN;
    if (!(fabs(number) < EXACT_MAX))
        return false;
    int64_t integer = (int64_t)number;
    if ((double)integer != number)
        return false;
    if (integer < min || integer > max)
        return false;
    *out = integer;
    return true;
}
