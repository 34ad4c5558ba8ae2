/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

#include "bench/load/compare.h"
#include "bench/load/matrix_fetch.h"
#include "bench/load/report.h"
#include "bench/load/target.h"
#include "bench/load/units.h"
#include "gateway/base/clock.h"
#include "gateway/base/err.h"
#include "gateway/net/tls.h"

#define REPORT_MAX ((size_t)64 << 20)
#define FILES_MORE 64 /* descriptors beside the connections */

enum { EXIT_RUN_TIME = 1, EXIT_PLAN = 3 };

struct session {
    const struct load_options *o;
    FILE *out, *err;
    struct load_plan *plan;
    struct tls_client *tls;     /* NULL: plain HTTP */
    struct load_admin_at admin; /* of a plan that names it; its tls is owned */
    struct run_result result;
    struct outcome outcome;
    struct report_environment environment;
    struct json_doc *matrix; /* or NULL */
    bool shows_progress;
};

/* ---- progress ---- */

static void on_progress(void *ctx, const struct run_progress *p)
{
    const struct session *s = ctx;
    const struct stats_group *g = &p->stats->whole;
    char space[256];
    struct gw_buf line = gw_buf_over(space, sizeof(space));
    const struct stats_interval *last =
        &p->stats->intervals[p->stats->interval_count > 1 ? p->stats->interval_count - 2 : 0];
    gw_buf_printf(&line, "\r\x1b[K%.1f s of %.4g s  ", (double)p->elapsed_us / 1e6,
                  (double)load_plan_duration_us(s->plan) / 1e6);
    if (p->doing)
        gw_buf_add(&line, gw_str_z(p->doing));
    else if (p->phase < s->plan->phase_count)
        gw_buf_printf(&line, "%.40s", s->plan->phases[p->phase].name.ptr);
    gw_buf_printf(&line,
                  "  %" PRIu64 " sent, %" PRIu64 " under way, %" PRIu64 " x 429, %" PRIu64
                  " x 5xx, %" PRIu64 " unanswered  p99 ",
                  p->stats->taken, p->under_way, g->status[429 - STATS_STATUS_MIN],
                  stats_status(g, 500, 599), g->requests - g->answers);
    units_add_us(&line, (double)last->p99_us);
    fprintf(s->err, "%.*s", GW_STR_ARG(gw_buf_str(&line)));
    fflush(s->err);
}

/* ---- reports ---- */

static void put(FILE *file, const struct gw_buf *text)
{
    if (text->len)
        fwrite(text->data, 1, text->len, file);
}

static int write_file(struct session *s, const char *path, const struct gw_buf *text)
{
    FILE *file = fopen(path, "we");
    bool fine = file && fwrite(text->data, 1, text->len, file) == text->len;
    fine = (file ? fclose(file) == 0 : false) && fine && !text->overflow;
    if (fine)
        return 0;
    fprintf(s->err, "nearedge load: %s: %s\n", path, strerror(errno));
    return EXIT_RUN_TIME;
}

static int write_reports(struct session *s)
{
    const struct report report = {s->plan, &s->result, &s->outcome, &s->environment,
                                  s->matrix ? json_root(s->matrix) : NULL};
    const struct {
        const char *path;
        void (*write)(const struct report *r, struct gw_buf *out);
    } forms[] = {{s->o->json, report_json},
                 {s->o->junit, report_junit},
                 {s->o->markdown, report_markdown},
                 {s->o->html, report_html}};
    struct gw_buf text;
    int code = 0;
    gw_buf_init(&text, REPORT_MAX);
    report_terminal(&report, &text, s->o->out_color);
    put(s->out, &text);
    for (size_t i = 0; i < GW_COUNT(forms); i++) {
        gw_buf_clear(&text);
        if (!forms[i].path)
            continue;
        forms[i].write(&report, &text);
        code = write_file(s, forms[i].path, &text) ? EXIT_RUN_TIME : code;
    }
    gw_buf_release(&text);
    return code;
}

static int compare(struct session *s)
{
    const struct report report = {s->plan, &s->result, &s->outcome, &s->environment, NULL};
    struct gw_diags diags;
    struct gw_buf now, text;
    gw_diags_init(&diags);
    gw_buf_init(&now, REPORT_MAX);
    gw_buf_init(&text, REPORT_MAX);
    report_json(&report, &now);
    bool fine = compare_reports(s->o->compare, gw_buf_str(&now), &text, &diags);
    put(s->out, &text);
    gw_diags_print(&diags, s->err, s->o->err_color);
    gw_diags_release(&diags);
    gw_buf_release(&now);
    gw_buf_release(&text);
    return fine ? 0 : EXIT_RUN_TIME;
}

/* ---- the test ---- */

/* A connection is a descriptor, and the usual soft limit of 1024 is soon reached. */
static void raise_files(uint32_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= connections + FILES_MORE)
        return;
    limit.rlim_cur = gw_min_u64(limit.rlim_max, connections + FILES_MORE);
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Whoever is asked for by Host must prove to be that host, wherever the target's address is: a
 * gateway on this machine shows the certificate of the host it stands for. */
static bool prepare_tls(struct session *s)
{
    struct gw_diags diags;
    struct load_target name;
    char url[300];
    if (!s->plan->tls)
        return true;
    gw_diags_init(&diags);
    struct gw_buf text = gw_buf_over(url, sizeof(url) - 1);
    gw_buf_printf(&text, "https://%.*s", GW_STR_ARG(s->plan->host_header));
    const char *why;
    bool fine = !text.overflow && load_target_parse(gw_buf_str(&text), &name, &why) &&
                gw_str_chr(name.host, '$') == GW_NPOS;
    char *host = gw_str_dupz(fine ? name.host : s->plan->host);
    const struct tls_client_options options = {
        .ca = s->o->cacert, .name = host, .verify = !s->o->insecure};
    s->tls = tls_client_load(&options, &diags);
    gw_diags_print(&diags, s->err, s->o->err_color);
    gw_diags_release(&diags);
    free(host);
    return s->tls != NULL;
}

/* --insecure is for the target: the admin's token goes to whoever has proved to be the admin. */
static bool prepare_admin(struct session *s)
{
    struct gw_diags diags;
    struct gw_str host;
    if (!s->plan->admin.len)
        return true;
    s->admin.token = s->plan->admin_token;
    gw_diags_init(&diags);
    bool fine = net_address_parse_https(s->plan->admin, &s->admin.address, &host);
    if (!fine)
        gw_diag_file(&diags, GW_DIAG_ERROR, NULL,
                     "\"%.*s\" is no address of an admin listener; write 127.0.0.1:8081, "
                     "unix:/path or https://127.0.0.1:8081",
                     GW_STR_ARG(s->plan->admin));
    if (fine && host.ptr) {
        s->admin.tls = tls_client_for(host, s->o->cacert, &diags);
        fine = s->admin.tls != NULL;
    }
    gw_diags_print(&diags, s->err, s->o->err_color);
    gw_diags_release(&diags);
    return fine;
}

static const struct load_admin_at *admin_of(const struct session *s)
{
    return s->plan->admin.len ? &s->admin : NULL;
}

static int find_target(struct session *s, struct net_address *to)
{
    const char *why;
    int err = load_target_reach(s->plan->host, s->plan->port, s->tls, to, &why);
    if (!err)
        return 0;
    fprintf(s->err, "nearedge load: %.*s port %u: %s%s%s%s\n", GW_STR_ARG(s->plan->host),
            s->plan->port, gw_strerror(err), why ? " (" : "", why ? why : "", why ? ")" : "");
    if (err == GW_ECERT)
        fputs("  --cacert FILE says whom to trust, --insecure does not look at certificates\n",
              s->err);
    return EXIT_RUN_TIME;
}

static int run(struct session *s)
{
    struct run_options options = {.stop = s->o->stop, .ctx = s};
    if (!prepare_tls(s) || !prepare_admin(s))
        return EXIT_PLAN;
    options.admin = admin_of(s);
    int err = find_target(s, &options.to);
    if (err)
        return err;
    options.tls = s->tls;
    raise_files(s->plan->connections);
    options.progress = s->o->err_tty ? on_progress : NULL;
    s->environment.started_ms = gw_kernel_wall_ms();
    err = load_run(s->plan, &options, &s->result);
    if (s->o->err_tty)
        fprintf(s->err, "\r\x1b[K");
    if (!err)
        return 0;
    fprintf(s->err, "nearedge load: %s\n", gw_strerror(err));
    return EXIT_RUN_TIME;
}

static int judge(struct session *s)
{
    s->environment.version = gw_str_z(s->o->version);
    s->environment.command = gw_str_z(s->o->command);
    report_environment_read(&s->environment);
    outcome_init(&s->outcome, s->plan, &s->result);
    s->matrix = matrix_fetch(admin_of(s));
    int code = write_reports(s);
    if (!code && s->o->compare)
        code = compare(s);
    code = code ? code : load_verdict_exit(s->outcome.verdict);
    outcome_release(&s->outcome);
    json_doc_free(s->matrix);
    return code;
}

/* What would be done, for people: --dry-run. */
static void describe(const struct session *s)
{
    const struct load_plan *p = s->plan;
    fprintf(s->out, "%.*s\n  target %s://%.*s port %u, Host %.*s\n", GW_STR_ARG(p->name),
            load_plan_scheme(p), GW_STR_ARG(p->host), p->port, GW_STR_ARG(p->host_header));
    fprintf(s->out, "  %" PRIu32 " identities, at most %" PRIu32 " connections, seed %" PRIu64 "\n",
            p->identities, p->connections, p->seed);
    for (size_t i = 0; i < p->phase_count; i++)
        fprintf(s->out, "  phase %-28.*s %8.4g s  %8.0f requests\n", GW_STR_ARG(p->phases[i].name),
                p->phases[i].schedule.duration_s, schedule_expected(&p->phases[i].schedule));
    for (size_t i = 0; i < p->expectation_count; i++) {
        const struct expectation *e = &p->expectations[i];
        fprintf(s->out, "  expect %.*s%s%.*s\n",
                GW_STR_ARG(e->phase == EXPECT_NONE ? GW_STR_EMPTY : p->phases[e->phase].name),
                e->phase == EXPECT_NONE ? "" : ": ", GW_STR_ARG(e->text));
    }
    for (size_t i = 0; i < p->note_count; i++)
        fprintf(s->out, "  note %.*s\n", GW_STR_ARG(p->notes[i]));
}

static int show_scenario(struct session *s, struct gw_diags *diags)
{
    struct gw_buf text;
    gw_buf_init(&text, REPORT_MAX);
    bool fine = load_scenario_text(s->o, &text, diags);
    if (fine)
        put(s->out, &text);
    gw_buf_release(&text);
    return fine ? 0 : EXIT_PLAN;
}

int load_test(const struct load_options *o, FILE *out, FILE *err)
{
    struct session s = {.o = o, .out = out, .err = err};
    struct gw_diags diags;
    gw_diags_init(&diags);
    int code = o->convert ? show_scenario(&s, &diags) : 0;
    if (!o->convert) {
        s.plan = load_prepare(o, &diags);
        code = s.plan ? 0 : EXIT_PLAN;
    }
    gw_diags_print(&diags, err, o->err_color);
    gw_diags_release(&diags);
    if (!s.plan)
        return code;
    if (o->dry_run)
        describe(&s);
    else
        code = run(&s);
    if (!code && !o->dry_run)
        code = judge(&s);
    /* In every end, also when the run never began: a result of zeros is released like any other.
     * The plan is last, the result points into it. */
    run_result_release(&s.result);
    tls_client_unref(s.tls);
    tls_client_unref(s.admin.tls);
    load_plan_free(s.plan);
    return code;
}
