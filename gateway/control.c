/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* kill */
#include "gateway/control.h"

#include <unistd.h>

void control_init(struct control *c)
{
    c->closed = false;
    pthread_mutex_init(&c->lock, NULL);
    gw_list_init(&c->jobs);
}

void control_release(struct control *c)
{
    pthread_mutex_destroy(&c->lock);
}

/* The signal stays pending until the main thread waits for it, so none is lost; several jobs may
 * share one. */
bool control_submit(struct control *c, struct control_job *job)
{
    pthread_mutex_lock(&c->lock);
    bool closed = c->closed;
    if (!closed)
        gw_list_push(&c->jobs, &job->link);
    pthread_mutex_unlock(&c->lock);
    if (!closed)
        kill(getpid(), CONTROL_SIGNAL);
    return !closed;
}

void control_run(struct control *c)
{
    struct gw_list batch;
    pthread_mutex_lock(&c->lock);
    gw_list_take(&batch, &c->jobs);
    pthread_mutex_unlock(&c->lock);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct control_job *job = gw_list_entry(link, struct control_job, link);
        job->run(job);
    }
}

/* What was taken before the door shut is still run: each job's owner waits for its answer. */
void control_close(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_mutex_unlock(&c->lock);
    control_run(c);
}
