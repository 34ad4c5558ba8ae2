/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/route.h"

/* A pattern that ends at a node, or at a `*` behind it. */
struct end {
    struct gw_str prefix; /* of a `*`: what the rest of the path must begin with */
    uint32_t methods, number;
};

struct ends {
    struct end *items; /* by rising number */
    size_t count;
};

struct node {
    struct gw_str segment;  /* empty for parameters and the root */
    struct node **children; /* literal segments, by length and then bytes once sealed */
    size_t child_count;
    struct node *parameter;
    struct ends here, stars;
    uint32_t lowest; /* number in this subtree: below what was found, or it is not entered */
};

struct route_tree {
    struct node root;
};

/* ---- patterns ---- */

const char *route_pattern_error(struct gw_str pattern, size_t *at)
{
    *at = 0;
    if (pattern.len == 0 || pattern.ptr[0] != '/')
        return "a path begins with \"/\"";
    struct gw_str rest = gw_str_from(pattern, 1), segment;
    size_t segments = 0;
    while (gw_str_next(&rest, '/', &segment)) {
        *at = (size_t)(segment.ptr - pattern.ptr);
        size_t star = gw_str_chr(segment, '*');
        if (++segments > LIMITER_SEGMENTS_MAX)
            return "too many segments";
        if (star != GW_NPOS && *at + star + 1 != pattern.len)
            return "\"*\" stands only at the end of a path";
        if (segment.len && segment.ptr[0] == ':' && (segment.len == 1 || star != GW_NPOS))
            return "a parameter is \":\" and a name";
        size_t stop = gw_min_size(gw_str_chr(segment, '?'), gw_str_chr(segment, '#'));
        if (stop != GW_NPOS) {
            *at += stop;
            return "a path has no query and no fragment";
        }
    }
    return NULL;
}

static bool is_parameter(struct gw_str segment)
{
    return segment.len && segment.ptr[0] == ':';
}

/* Cuts the first segment off *rest, which stands behind a "/"; *last says that no other follows. */
static struct gw_str take_segment(struct gw_str *rest, bool *last)
{
    struct gw_str segment = GW_STR_EMPTY;
    *last = !gw_str_next(rest, '/', &segment) || !rest->ptr;
    return segment;
}

bool route_covers(struct gw_str outer, struct gw_str inner)
{
    outer = gw_str_from(outer, 1), inner = gw_str_from(inner, 1);
    for (;;) {
        bool outer_last, inner_last;
        struct gw_str inner_rest = inner;
        struct gw_str a = take_segment(&outer, &outer_last), b = take_segment(&inner, &inner_last);
        if (gw_str_ends(a, GW_STR("*"))) {
            struct gw_str prefix = gw_str_first(a, a.len - 1);
            return prefix.len == 0 || (!is_parameter(b) && gw_str_starts(inner_rest, prefix));
        }
        if (gw_str_ends(b, GW_STR("*")) || outer_last != inner_last)
            return false;
        if (is_parameter(a) ? b.len == 0 : !gw_str_eq(a, b))
            return false;
        if (outer_last)
            return true;
    }
}

/* ---- building ---- */

static struct node *node_new(struct gw_str segment)
{
    struct node *node = gw_zalloc(sizeof(*node));
    node->segment = segment;
    node->lowest = LIMITER_NO_ROUTE;
    return node;
}

static void node_release(struct node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        node_release(node->children[i]);
        free(node->children[i]);
    }
    if (node->parameter) {
        node_release(node->parameter);
        free(node->parameter);
    }
    free(node->children);
    free(node->here.items);
    free(node->stars.items);
}

struct route_tree *route_tree_new(void)
{
    struct route_tree *tree = gw_zalloc(sizeof(*tree));
    tree->root.lowest = LIMITER_NO_ROUTE;
    return tree;
}

void route_tree_free(struct route_tree *tree)
{
    if (tree)
        node_release(&tree->root);
    free(tree);
}

static void ends_add(struct ends *ends, struct end end)
{
    ends->items = gw_realloc(ends->items, (ends->count + 1) * sizeof(*ends->items));
    ends->items[ends->count++] = end;
}

static struct node *child_for(struct node *node, struct gw_str segment)
{
    if (is_parameter(segment)) {
        if (!node->parameter)
            node->parameter = node_new(GW_STR_EMPTY);
        return node->parameter;
    }
    for (size_t i = 0; i < node->child_count; i++)
        if (gw_str_eq(node->children[i]->segment, segment))
            return node->children[i];
    node->children = gw_realloc(node->children, (node->child_count + 1) * sizeof(struct node *));
    return node->children[node->child_count++] = node_new(segment);
}

void route_tree_add(struct route_tree *tree, struct gw_str pattern, uint32_t methods,
                    uint32_t number)
{
    struct node *node = &tree->root;
    struct gw_str rest = gw_str_from(pattern, 1);
    for (bool last = false; !last;) {
        struct gw_str segment = take_segment(&rest, &last);
        if (number < node->lowest)
            node->lowest = number;
        if (gw_str_ends(segment, GW_STR("*"))) {
            struct gw_str prefix = gw_str_first(segment, segment.len - 1);
            ends_add(&node->stars, (struct end){prefix, methods, number});
            return;
        }
        node = child_for(node, segment);
    }
    if (number < node->lowest)
        node->lowest = number;
    ends_add(&node->here, (struct end){GW_STR_EMPTY, methods, number});
}

/* Length first: most comparisons are then one of integers. */
static int segment_cmp(struct gw_str a, struct gw_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

static int child_cmp(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;
    return segment_cmp((*x)->segment, (*y)->segment);
}

static void node_seal(struct node *node)
{
    if (node->child_count)
        qsort(node->children, node->child_count, sizeof(struct node *), child_cmp);
    for (size_t i = 0; i < node->child_count; i++)
        node_seal(node->children[i]);
    if (node->parameter)
        node_seal(node->parameter);
}

void route_tree_seal(struct route_tree *tree)
{
    node_seal(&tree->root);
}

/* ---- looking up ---- */

struct search {
    uint32_t method_bit;
    uint32_t best;
};

static const struct node *literal_child(const struct node *node, struct gw_str segment)
{
    size_t low = 0, high = node->child_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = segment_cmp(segment, node->children[middle]->segment);
        if (order == 0)
            return node->children[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void try_ends(struct search *s, const struct ends *ends, struct gw_str rest)
{
    for (size_t i = 0; i < ends->count && ends->items[i].number < s->best; i++)
        if (ends->items[i].methods & s->method_bit && gw_str_starts(rest, ends->items[i].prefix))
            s->best = ends->items[i].number;
}

/* `rest` stands behind the "/" that follows the node. Both ways are followed, since a parameter's
 * pattern may stand earlier in the file than a literal's that fits, too; `best` cuts off what
 * cannot win any more. */
static void search(struct search *s, const struct node *node, struct gw_str rest)
{
    try_ends(s, &node->stars, rest);
    bool last;
    struct gw_str segment = take_segment(&rest, &last);
    const struct node *next[] = {literal_child(node, segment),
                                 segment.len ? node->parameter : NULL};
    for (size_t i = 0; i < GW_COUNT(next); i++) {
        if (!next[i] || next[i]->lowest >= s->best)
            continue;
        if (last)
            try_ends(s, &next[i]->here, GW_STR_EMPTY);
        else
            search(s, next[i], rest);
    }
}

uint32_t route_tree_find(const struct route_tree *tree, enum http_method method, struct gw_str path)
{
    struct search s = {UINT32_C(1) << method, LIMITER_NO_ROUTE};
    if (path.len && path.ptr[0] == '/')
        search(&s, &tree->root, gw_str_from(path, 1));
    return s.best;
}
