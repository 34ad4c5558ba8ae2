/* SPDX-License-Identifier: Apache-2.0 */
/* Scans and resets. A page of keys is a SCAN of one node; what is then done with each key is a
 * flight like any other, so that it follows a slot that moves meanwhile. In a cluster a scan visits
 * the nodes one after the other. */
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "limiter/backend_redis_flight.h"
#include "limiter/backend_redis_script.h"

#define JOB_DEADLINE_MS 2000
#define NEXT_NODE       UINT64_MAX /* as a cursor: begin with the next node */

/* Stands for a job in hiredis and in flights, which cannot forget a command: the job may be over
 * earlier, by cancelling, by its deadline or with the backend; what comes then finds job == NULL.
 */
struct redis_job_handle {
    struct gw_list link; /* in backend->jobs while the job lives */
    struct redis_backend *backend;
    struct redis_job *job;
    bool is_reset, failed;
    size_t open; /* answers to come */
};

/* What is done with one key. */
struct key_op {
    struct redis_op op; /* first: done gets it back */
    struct redis_job_handle *handle;
    size_t key_len;
    char key[];
};

/* ---- the end of a job ---- */

/* A job ends by its last answer, its deadline, a cancel or with the backend, whichever comes first;
 * the others then find no handle, or the handle no job. */
static void part(struct redis_job *job)
{
    gw_deadline_cancel(&job->deadline);
    if (!job->handle)
        return;
    gw_list_remove(&job->handle->link);
    job->handle->job = NULL;
    job->handle = NULL;
}

static void end(struct redis_job *job, int err)
{
    part(job);
    job->done(job, err);
}

void redis_job_cancel(struct redis_job *job)
{
    part(job);
}

void redis_jobs_fail(struct redis_backend *b)
{
    struct gw_list batch;
    gw_list_take(&batch, &b->jobs);
    for (struct gw_list *link; (link = gw_list_pop(&batch));)
        end(gw_list_entry(link, struct redis_job_handle, link)->job, GW_EUNAVAILABLE);
}

static void on_deadline(struct gw_deadline *deadline)
{
    end(gw_container_of(deadline, struct redis_job, deadline), GW_EUNAVAILABLE);
}

void redis_job_init(struct redis_job *job)
{
    *job = (struct redis_job){0};
    gw_deadline_init(&job->deadline, on_deadline);
}

/* An answer has come; after the last one the job is over. */
static void close_one(struct redis_job_handle *handle)
{
    if (--handle->open)
        return;
    struct redis_job *job = handle->job;
    int err = handle->failed ? GW_EUNAVAILABLE : 0;
    if (job)
        end(job, err);
    free(handle);
}

/* ---- one key ---- */

static void on_key(struct redis_op *op)
{
    struct key_op *k = (struct key_op *)op;
    struct redis_job_handle *handle = k->handle;
    struct redis_job *job = handle->job;
    handle->failed |= !op->answered;
    if (job && op->answered && handle->is_reset)
        job->removed += op->answer[0];
    else if (job && op->answered && op->answer[0])
        job->entry(job, gw_str(k->key, k->key_len),
                   &(struct window){op->answer[2], (uint32_t)op->answer[1]});
    free(k);
    close_one(handle);
}

static void start_key(struct redis_job_handle *handle, struct gw_str key)
{
    struct redis_backend *b = handle->backend;
    struct redis_flight *f = redis_flight_new(b, key, gw_loop_now(b->loop).wall_ms);
    if (!f) {
        handle->failed = true;
        return;
    }
    struct key_op *k = gw_alloc(sizeof(*k) + key.len);
    *k = (struct key_op){.op.done = on_key, .handle = handle, .key_len = key.len};
    memcpy(k->key, key.ptr, key.len);
    f->op = &k->op;
    f->script = handle->is_reset ? REDIS_SCRIPT_RESET : REDIS_SCRIPT_PEEK;
    f->args[0] = b->pool->db;
    f->arg_count = handle->is_reset ? 1 : 0;
    handle->open++;
}

/* ---- one page: {cursor, {key, ...}} ---- */

/* A node that is away is passed over only if no key can be there. */
static struct redis_node *node_to_scan(const struct redis_backend *b, size_t *at)
{
    struct redis_node *node;
    while ((node = redis_node_from(b, at)) && b->shape == REDIS_CLUSTER &&
           node->phase != REDIS_UP && !redis_slots_has(&b->slots, node->index))
        (*at)++;
    return node;
}

static bool read_page(struct redis_job_handle *handle, const redisReply *r)
{
    struct redis_job *job = handle->job;
    char own[WIRE_KEY_MAX];
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
        r->element[0]->type != REDIS_REPLY_STRING || r->element[1]->type != REDIS_REPLY_ARRAY ||
        !gw_str_u64(gw_str(r->element[0]->str, r->element[0]->len), NEXT_NODE - 1, &job->cursor))
        return false;
    for (size_t i = 0; i < r->element[1]->elements; i++) {
        const redisReply *key = r->element[1]->element[i];
        if (key->type == REDIS_REPLY_STRING && key->len <= WIRE_KEY_MAX)
            start_key(handle, redis_own_key(handle->backend, gw_str(key->str, key->len), own));
    }
    if (job->cursor == 0) {
        job->node++;
        job->cursor = node_to_scan(handle->backend, &job->node) ? NEXT_NODE : 0;
    }
    return true;
}

static void on_page(redisAsyncContext *ac, void *reply, void *ctx)
{
    (void)ac;
    struct redis_job_handle *handle = ctx;
    if (!reply || (handle->job && !read_page(handle, reply)))
        handle->failed = true;
    close_one(handle);
}

/* ---- starting ---- */

static struct redis_job_handle *begin(struct redis_backend *b, struct redis_job *job, bool is_reset)
{
    struct redis_job_handle *handle = gw_zalloc(sizeof(*handle));
    handle->backend = b;
    handle->job = job;
    handle->is_reset = is_reset;
    job->handle = handle;
    gw_list_init(&handle->link);
    gw_list_push(&b->jobs, &handle->link);
    gw_deadline_set(b->loop, &job->deadline, JOB_DEADLINE_MS);
    return handle;
}

/* Nothing was sent: refused, but in a later turn. */
static void refuse(struct redis_backend *b, struct redis_job *job)
{
    gw_list_remove(&job->handle->link);
    free(job->handle);
    job->handle = NULL;
    gw_deadline_set(b->loop, &job->deadline, 0);
}

static void start_page(struct redis_backend *b, struct redis_job *job, struct gw_str pattern,
                       bool is_reset)
{
    struct redis_job_handle *handle = begin(b, job, is_reset);
    if (job->cursor == 0)
        job->node = 0;
    struct redis_node *node = node_to_scan(b, &job->node);
    redisAsyncContext *ac =
        node && node->phase == REDIS_UP ? redis_link_cork(node->commands) : NULL;
    char cursor[20], tagged[2 * WIRE_KEY_MAX];
    struct gw_str match = redis_wire_key(b, pattern, tagged);
    const char *argv[] = {"SCAN", cursor, "MATCH", match.ptr, "COUNT", "1000", "TYPE", "hash"};
    uint64_t from = job->cursor == NEXT_NODE ? 0 : job->cursor;
    size_t lens[] = {4, gw_u64_digits(cursor, from), 5, match.len, 5, 4, 4, 4};
    if (!ac || redisAsyncCommandArgv(ac, on_page, handle, GW_COUNT(argv), argv, lens) != REDIS_OK) {
        refuse(b, job);
        return;
    }
    handle->open++;
    redis_link_uncork(node->commands);
}

void redis_scan(struct redis_backend *b, struct redis_job *job, struct gw_str pattern)
{
    start_page(b, job, pattern, false);
}

void redis_reset(struct redis_backend *b, struct redis_job *job, struct gw_str key, bool is_pattern)
{
    if (is_pattern) {
        start_page(b, job, key, true);
        return;
    }
    redis_forget(b, key);
    struct redis_job_handle *handle = begin(b, job, true);
    start_key(handle, key);
    if (handle->failed)
        refuse(b, job);
}
