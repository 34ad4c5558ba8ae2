/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "limiter/backend_redis_inside.h"
#include "limiter/backend_redis_script.h"

#define JOB_DEADLINE_MS 2000

/* Stands for a job in hiredis, which cannot forget a command: the job may be over earlier, by
 * cancelling, by its deadline or with the backend; the reply then finds job == NULL. */
struct redis_job_handle {
    struct gw_list link; /* in backend->jobs while the job lives */
    struct redis_job *job;
};

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

/* ---- replies: {cursor, {key, count, reset, ...}} or {cursor, removed} ---- */

static void read_entries(struct redis_job *job, const redisReply *list)
{
    for (size_t i = 0; i + 2 < list->elements && job->handle; i += 3) {
        const redisReply *key = list->element[i], *count = list->element[i + 1],
                         *reset = list->element[i + 2];
        if (key->type != REDIS_REPLY_STRING || count->type != REDIS_REPLY_INTEGER ||
            reset->type != REDIS_REPLY_INTEGER || count->integer < 0 || reset->integer < 0)
            continue;
        uint64_t n = gw_min_u64((uint64_t)count->integer, UINT32_MAX);
        struct window w = {(uint64_t)reset->integer, (uint32_t)n};
        job->entry(job, gw_str(key->str, key->len), &w);
    }
}

static void on_reply(redisAsyncContext *ac, void *reply, void *ctx)
{
    (void)ac;
    struct redis_job_handle *handle = ctx;
    struct redis_job *job = handle->job;
    const redisReply *r = reply;
    if (job) {
        bool good =
            r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
            r->element[0]->type == REDIS_REPLY_STRING &&
            gw_str_u64(gw_str(r->element[0]->str, r->element[0]->len), UINT64_MAX, &job->cursor);
        if (good && r->element[1]->type == REDIS_REPLY_ARRAY)
            read_entries(job, r->element[1]);
        else if (good && r->element[1]->type == REDIS_REPLY_INTEGER)
            job->removed += (uint64_t)r->element[1]->integer;
        end(job, good ? 0 : GW_EUNAVAILABLE);
    }
    free(handle);
}

/* ---- commands ---- */

struct command {
    const char *script;
    struct gw_str args[3];
    size_t count;
};

static void start(struct redis_backend *b, struct redis_job *job, const struct command *command)
{
    const char *argv[6] = {"EVAL", command->script, "0"};
    size_t lens[6] = {4, strlen(command->script), 1};
    for (size_t i = 0; i < command->count; i++) {
        argv[3 + i] = command->args[i].ptr;
        lens[3 + i] = command->args[i].len;
    }
    job->handle = gw_zalloc(sizeof(*job->handle));
    job->handle->job = job;
    gw_list_init(&job->handle->link);
    redisAsyncContext *ac = b->phase == REDIS_UP ? redis_link_cork(b->commands) : NULL;
    if (!ac || redisAsyncCommandArgv(ac, on_reply, job->handle, 3 + (int)command->count, argv,
                                     lens) != REDIS_OK) {
        free(job->handle);
        job->handle = NULL;
        gw_deadline_set(b->loop, &job->deadline, 0); /* refused, but in a later turn */
        return;
    }
    gw_list_push(&b->jobs, &job->handle->link);
    gw_deadline_set(b->loop, &job->deadline, JOB_DEADLINE_MS);
    redis_flights_go(b); /* takes the command along when it uncorks */
}

void redis_scan(struct redis_backend *b, struct redis_job *job, struct gw_str pattern)
{
    char cursor[20];
    size_t len = gw_u64_digits(cursor, job->cursor);
    start(b, job, &(struct command){REDIS_SCRIPT_SCAN, {gw_str(cursor, len), pattern}, 2});
}

void redis_reset(struct redis_backend *b, struct redis_job *job, struct gw_str key, bool is_pattern)
{
    char cursor[20];
    size_t len = gw_u64_digits(cursor, job->cursor);
    struct gw_str channel = gw_str_z(b->pool->channel);
    if (!is_pattern)
        redis_forget(b, key);
    start(b, job,
          &(struct command){is_pattern ? REDIS_SCRIPT_RESET_PAGE : REDIS_SCRIPT_RESET,
                            {key, channel, gw_str(cursor, len)},
                            is_pattern ? 3 : 2});
}
