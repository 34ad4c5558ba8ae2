/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/response_rules.h"

#include "gateway/base/buf.h"
#include "gateway/http/structured.h"

#define CONTROL_MAX  ((size_t)64 * 1024)
#define TAGS_MAX     ((size_t)16 * 1024) /* section 5.2 */
/* Nobody's directive: an empty field would be passed over and the next one asked (RFC 9213). */
#define NO_DIRECTIVE GW_STR("none")

/* What all matching rules together want. */
struct changes {
    struct ruleset_result result;
    const struct cache_directive_change *edge[CACHE_DIRECTIVE_COUNT];   /* NULL: as it is */
    const struct cache_directive_change *client[CACHE_DIRECTIVE_COUNT]; /* likewise */
    bool control; /* some directive changes … */
    bool visible; /* … for clients too … */
    bool hidden;  /* … or for the edge alone */
    bool tags;
    struct gw_buf tag_text;
};

static bool strips(const struct changes *c, enum cache_setting key)
{
    const struct cache_settings *s = cache_settings_get(&c->result.settings, key);
    switch (key) {
    case CACHE_SETTING_STRIP_ETAGS:
        return s && s->strip_etags;
    case CACHE_SETTING_STRIP_SET_COOKIE:
        return s && s->strip_set_cookie;
    case CACHE_SETTING_STRIP_LAST_MODIFIED:
        return s && s->strip_last_modified;
    default:
        return false;
    }
}

/* ---- tags ---- */

static void add_tag(struct gw_buf *text, struct gw_str tag)
{
    if (text->len)
        gw_buf_char(text, ',');
    gw_buf_add(text, tag);
}

static void remove_tag(struct gw_buf *text, struct gw_str tag)
{
    struct gw_buf kept;
    struct gw_str rest = gw_buf_str(text), item;
    gw_buf_init(&kept, TAGS_MAX);
    while (gw_str_next(&rest, ',', &item))
        if (!gw_str_ieq(gw_str_trim(item), tag))
            add_tag(&kept, item);
    gw_buf_release(text);
    *text = kept;
}

static void change_tag(struct gw_buf *text, enum cache_tags_operation operation, struct gw_str tag)
{
    struct gw_str item;
    while (gw_str_next(&tag, ',', &item)) {
        item = gw_str_trim(item);
        if (operation == CACHE_TAGS_REMOVE)
            remove_tag(text, item);
        else if (item.len)
            add_tag(text, item);
    }
}

/* What an expression gives: one text, or several. */
static void change_by_value(struct gw_buf *text, enum cache_tags_operation operation,
                            struct rules_value v)
{
    if (v.kind == RULES_VALUE_BYTES)
        change_tag(text, operation, v.s);
    for (uint32_t i = 0; v.kind == RULES_VALUE_ARRAY && i < v.count; i++)
        if (v.items[i].kind == RULES_VALUE_BYTES)
            change_tag(text, operation, v.items[i].s);
}

static void change_tags(struct changes *c, const struct cache_tags_change *change,
                        struct rules_request *facts)
{
    const struct gw_str *line;
    for (size_t at = 0;
         !c->tags && (line = headers_next(facts->response_headers, HEADER_CACHE_TAG, &at));)
        add_tag(&c->tag_text, *line);
    c->tags = true;
    if (change->operation == CACHE_TAGS_SET)
        gw_buf_clear(&c->tag_text);
    for (size_t i = 0; i < change->values.count; i++)
        change_tag(&c->tag_text, change->operation, change->values.items[i]);
    if (change->expression)
        change_by_value(&c->tag_text, change->operation, expr_value(change->expression, facts));
}

/* ---- directives ---- */

static void change_control(struct changes *c, const struct cache_directive_change *all)
{
    c->control = true;
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++) {
        if (!all[i].given)
            continue;
        c->edge[i] = &all[i];
        c->hidden |= all[i].cloudflare_only;
        c->visible |= !all[i].cloudflare_only;
        if (!all[i].cloudflare_only)
            c->client[i] = &all[i];
    }
}

static bool sets_ttl(const struct changes *c)
{
    static const enum cache_directive deciding[] = {
        CACHE_DIRECTIVE_MAX_AGE, CACHE_DIRECTIVE_S_MAXAGE, CACHE_DIRECTIVE_NO_STORE,
        CACHE_DIRECTIVE_NO_CACHE, CACHE_DIRECTIVE_PRIVATE};
    for (size_t i = 0; i < GW_COUNT(deciding); i++)
        if (c->edge[deciding[i]] && !c->edge[deciding[i]]->remove)
            return true;
    return false;
}

static void write_directive(struct gw_buf *out, enum cache_directive directive,
                            const struct cache_directive_change *change)
{
    gw_buf_add(out, out->len ? GW_STR(", ") : GW_STR_EMPTY);
    gw_buf_add(out, cache_directives[directive].name);
    if (cache_directives[directive].argument == CACHE_ARGUMENT_SECONDS) {
        gw_buf_char(out, '=');
        gw_buf_u64(out, change->seconds);
    }
    for (size_t i = 0; i < change->fields.count; i++) {
        gw_buf_add(out, i ? GW_STR(", ") : GW_STR("=\""));
        gw_buf_add(out, change->fields.items[i]);
    }
    if (change->fields.count)
        gw_buf_char(out, '"');
}

/* The end of the first directive: a comma inside quotes separates nothing. */
static size_t directive_end(struct gw_str list)
{
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        quoted ^= list.ptr[i] == '"';
        if (list.ptr[i] == ',' && !quoted)
            return i;
    }
    return list.len;
}

static bool is_changed(struct gw_str item,
                       const struct cache_directive_change *const changes[CACHE_DIRECTIVE_COUNT])
{
    struct gw_str name = gw_str_trim(gw_str_first(item, gw_str_chr(item, '=')));
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++)
        if (changes[i] && gw_str_ieq(name, cache_directives[i].name))
            return true;
    return false;
}

/* The origin's Cache-Control with these changes, in the arena. `strict`: what would make the whole
 * unreadable as a structured field is left out. */
static struct gw_str
rewrite(const struct headers *fields,
        const struct cache_directive_change *const changes[CACHE_DIRECTIVE_COUNT], bool strict)
{
    struct gw_buf out;
    const struct gw_str *line;
    gw_buf_init(&out, CONTROL_MAX);
    for (size_t at = 0; (line = headers_next(fields, HEADER_CACHE_CONTROL, &at));) {
        for (struct gw_str rest = *line; rest.len;) {
            size_t end = directive_end(rest);
            struct gw_str item = gw_str_trim(gw_str_first(rest, end));
            rest = gw_str_from(rest, end + 1);
            if (!item.len || is_changed(item, changes) || (strict && !structured_is_member(item)))
                continue;
            gw_buf_add(&out, out.len ? GW_STR(", ") : GW_STR_EMPTY);
            gw_buf_add(&out, item);
        }
    }
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++)
        if (changes[i] && !changes[i]->remove)
            write_directive(&out, (enum cache_directive)i, changes[i]);
    struct gw_str text = gw_arena_dup(fields->arena, gw_buf_str(&out));
    gw_buf_release(&out);
    return text;
}

/* ---- the new list ---- */

static void collect(const struct ruleset *rules, struct rules_request *facts, struct changes *c)
{
    for (size_t i = 0; i < ruleset_count(rules); i++) {
        const struct cache_response_action *action = ruleset_rule(rules, i)->response;
        if (!action || !ruleset_matched(&c->result, i))
            continue;
        if (action->control)
            change_control(c, action->control);
        else
            change_tags(c, action->tags, facts);
    }
}

/* Written anew behind the others. */
static bool is_replaced(const struct changes *c, bool edge_control, enum header_id id)
{
    switch (id) {
    case HEADER_ETAG:
        return strips(c, CACHE_SETTING_STRIP_ETAGS);
    case HEADER_LAST_MODIFIED:
        return strips(c, CACHE_SETTING_STRIP_LAST_MODIFIED);
    case HEADER_SET_COOKIE:
        return strips(c, CACHE_SETTING_STRIP_SET_COOKIE);
    case HEADER_CACHE_TAG:
        return c->tags;
    case HEADER_CACHE_CONTROL:
        return c->visible;
    case HEADER_CLOUDFLARE_CDN_CACHE_CONTROL:
        return edge_control;
    default:
        return false;
    }
}

/* The edge needs a view of its own when clients must not see it, or when the origin's own word to
 * CDNs would outrank the result. Otherwise Cache-Control is the view, and Expires counts on. */
static bool needs_edge_control(const struct changes *c, const struct headers *fields)
{
    return c->control && (c->hidden || headers_has(fields, HEADER_CDN_CACHE_CONTROL) ||
                          headers_has(fields, HEADER_CLOUDFLARE_CDN_CACHE_CONTROL) ||
                          headers_has(fields, HEADER_SURROGATE_CONTROL));
}

/* An empty value needs no field, or another text; one without memory (NULL) must not look like it.
 */
static bool add_text(struct headers *out, enum header_id id, struct gw_str text,
                     struct gw_str if_empty)
{
    if (!text.ptr)
        return false;
    text = text.len ? text : if_empty;
    return !text.len || headers_add_id(out, id, text);
}

static bool add_new(const struct changes *c, const struct headers *fields, bool edge_control,
                    struct headers *out)
{
    return (!c->visible ||
            add_text(out, HEADER_CACHE_CONTROL, rewrite(fields, c->client, false), GW_STR_EMPTY)) &&
           (!c->tags ||
            add_text(out, HEADER_CACHE_TAG, gw_arena_dup(fields->arena, gw_buf_str(&c->tag_text)),
                     GW_STR_EMPTY)) &&
           (!edge_control || add_text(out, HEADER_CLOUDFLARE_CDN_CACHE_CONTROL,
                                      rewrite(fields, c->edge, true), NO_DIRECTIVE));
}

static bool write_fields(const struct changes *c, const struct headers *fields, struct headers *out)
{
    bool edge_control = needs_edge_control(c, fields);
    headers_init(out, fields->arena, fields->count + 3); /* all that add_new may add */
    for (size_t i = 0; i < fields->count; i++) {
        const struct header *field = &fields->items[i];
        if (!is_replaced(c, edge_control, field->id) &&
            !headers_add(out, field->name, field->value))
            return false;
    }
    return add_new(c, fields, edge_control, out);
}

struct cache_ruled cache_rule_response(const struct ruleset *rules, struct rules_request *facts,
                                       uint16_t status, const struct headers **fields)
{
    struct changes c = {0};
    struct cache_ruled ruled = {0};
    gw_buf_init(&c.tag_text, TAGS_MAX);
    rules_request_response(facts, status, *fields);
    ruleset_match(rules, facts, &c.result);
    for (size_t i = 0; i < GW_COUNT(c.result.matched); i++)
        ruled.matched |= c.result.matched[i] != 0;
    collect(rules, facts, &c);
    struct headers *out = ruled.matched ? gw_arena_alloc((*fields)->arena, sizeof(*out)) : NULL;
    if (out && write_fields(&c, *fields, out)) {
        ruled.sets_ttl = sets_ttl(&c);
        ruled.no_validators =
            strips(&c, CACHE_SETTING_STRIP_ETAGS) || strips(&c, CACHE_SETTING_STRIP_LAST_MODIFIED);
        *fields = out;
    }
    gw_buf_release(&c.tag_text);
    return ruled;
}
