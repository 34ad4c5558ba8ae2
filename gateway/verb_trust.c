/* SPDX-License-Identifier: Apache-2.0 */
/* The local authority: made once, certificates for the hosts of a configuration or of --host. */
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/json_out.h"
#include "gateway/cli.h"
#include "gateway/trust.h"
#include "gateway/trust_store.h"

#define OUT_MAX ((size_t)1 << 20)

struct arguments {
    const char *config_path, *folder, *store;
    const char **hosts; /* as many as there are arguments at most */
    size_t host_count;
    bool install, uninstall, print, json;
};

struct trust_run {
    struct arguments a;
    struct gw_arena arena;
    struct config *config;
    struct trust_names names;
    struct trust_files files;
    struct trust_report report;
};

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"host", required_argument, NULL, 'h'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"store", required_argument, NULL, 's'},
                                            {"install", no_argument, NULL, 'i'},
                                            {"uninstall", no_argument, NULL, 'u'},
                                            {"print", no_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    for (int o; (o = cli_option(argc, argv, "c:", options)) != -1;) {
        if (o == '?')
            return EXIT_USAGE;
        if (o == 'h')
            a->hosts[a->host_count++] = optarg;
        a->config_path = o == 'c' ? optarg : a->config_path;
        a->folder = o == 'd' ? optarg : a->folder;
        a->store = o == 's' ? optarg : a->store;
        a->install |= o == 'i';
        a->uninstall |= o == 'u';
        a->print |= o == 'p';
        a->json |= o == 'j';
    }
    if (a->install + a->uninstall + a->print > 1)
        return cli_usage("trust", "--install, --uninstall and --print exclude each other");
    return cli_operands("trust", argc, 0, 0);
}

/* ---- names and place ---- */

/* The hosts of --host are checked like those of a file: a flag is the file it stands for. */
static struct config *read_config(const struct arguments *a, struct gw_diags *diags)
{
    const struct config_overrides overrides = {.lenient_secrets = true};
    const struct config_flags flags = {.origin = "http://127.0.0.1", .hosts = a->hosts};
    if (a->config_path)
        return config_load(a->config_path, &overrides, diags);
    return config_from_flags(&flags, diags);
}

/* Where the listeners of the configuration look for it, unless --dir says otherwise. */
static bool find_folder(struct trust_run *t, struct gw_str *folder)
{
    if (t->a.folder) {
        *folder = gw_str_z(t->a.folder);
        return folder->len > 0;
    }
    for (size_t i = 0; t->config && i <= t->config->listen_count; i++) {
        struct config_certificates certificates = config_certificates(t->config, i);
        for (size_t k = 0; k < certificates.count; k++)
            if (certificates.items[k].local_ca_dir.len) {
                *folder = certificates.items[k].local_ca_dir;
                return true;
            }
    }
    return trust_default_folder(&t->arena, folder);
}

static int prepare(struct trust_run *t, struct gw_diags *diags)
{
    struct gw_str folder;
    if (t->a.config_path || t->a.host_count) {
        t->config = read_config(&t->a, diags);
        if (!t->config)
            return EXIT_CONFIG;
        t->names = trust_names(t->config, &t->arena);
    }
    if (!find_folder(t, &folder))
        return cli_usage("trust", "HOME is not set: --dir DIR is needed");
    t->files = trust_files(&t->arena, folder, &t->names);
    if (t->a.uninstall)
        return 0; /* what is there is forgotten, nothing is made */
    return trust_make(&t->files, &t->names, gw_kernel_wall_ms(), &t->report, diags)
               ? 0
               : EXIT_FAILED_RUN;
}

/* ---- what it says ---- */

static void date_text(uint64_t seconds, char out[16])
{
    time_t time = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&time, &tm) || !strftime(out, 16, "%Y-%m-%d", &tm))
        snprintf(out, 16, "?");
}

static void print_text(const struct trust_run *t)
{
    char until[16];
    date_text(t->report.ca_until_s, until);
    printf("authority    %s\n             %s, until %s%s\n             SHA-256 %s\n",
           t->files.ca.ptr, t->report.ca_name, until, t->report.made_ca ? ", made now" : "",
           t->report.ca_sha256);
    if (t->names.count) {
        date_text(t->report.certificate_until_s, until);
        printf("certificate  %s\nkey          %s\n             until %s%s, for ",
               t->files.certificate.ptr, t->files.key.ptr, until,
               t->report.made_certificate ? ", made now" : "");
        for (size_t i = 0; i < t->names.count; i++)
            printf("%s%.*s", i ? ", " : "", GW_STR_ARG(t->names.items[i]));
        printf("\n");
    }
    printf("\nOne command trusts it:       curl --cacert %s https://...\n"
           "This machine trusts it:      sudo nearedge trust --install --dir %s\n"
           "A listener uses it:          \"tls\": { \"local_ca\": true }\n",
           t->files.ca.ptr, t->files.folder.ptr);
}

static void print_json(const struct trust_run *t)
{
    struct gw_buf out;
    gw_buf_init(&out, OUT_MAX);
    gw_json_object(&out, NULL);
    gw_json_text(&out, "ca", t->files.ca);
    gw_json_text(&out, "ca_name", gw_str_z(t->report.ca_name));
    gw_json_text(&out, "ca_sha256", gw_str_z(t->report.ca_sha256));
    gw_json_u64(&out, "ca_until", t->report.ca_until_s);
    gw_json_bool(&out, "ca_made", t->report.made_ca);
    if (t->names.count) {
        gw_json_text(&out, "certificate", t->files.certificate);
        gw_json_text(&out, "key", t->files.key);
        gw_json_u64(&out, "certificate_until", t->report.certificate_until_s);
        gw_json_bool(&out, "certificate_made", t->report.made_certificate);
        gw_json_list(&out, "names");
        for (size_t i = 0; i < t->names.count; i++)
            gw_json_text(&out, NULL, t->names.items[i]);
        gw_buf_char(&out, ']');
    }
    gw_buf_add(&out, GW_STR("}\n"));
    fwrite(out.data, 1, out.len, stdout);
    gw_buf_release(&out);
}

static int print_pem(const struct trust_run *t)
{
    FILE *f = fopen(t->files.ca.ptr, "r");
    char text[4096];
    for (size_t n; f && (n = fread(text, 1, sizeof(text), f)) > 0;)
        fwrite(text, 1, n, stdout);
    if (f)
        fclose(f);
    return f ? 0 : EXIT_FAILED_RUN;
}

/* ---- stores ---- */

static int change_stores(const struct trust_run *t)
{
    bool install = t->a.install;
    enum trust_outcome browsers = trust_store_browsers(t->files.ca, install);
    if (browsers == TRUST_ABSENT)
        fprintf(stderr,
                "skipped   Chromium and Firefox, which have stores of their own: their tool is "
                "certutil (package libnss3-tools)\n");
    if (browsers == TRUST_DONE && geteuid() == 0 && getenv("SUDO_USER"))
        fprintf(stderr, "note      these were root's browsers; yours: the same without sudo\n");
    if (!t->a.store && geteuid() != 0) {
        fprintf(stderr,
                "nearedge trust: the system's store needs root: sudo nearedge trust %s --dir %s\n",
                install ? "--install" : "--uninstall", t->files.folder.ptr);
        return EXIT_FAILED_RUN;
    }
    enum trust_outcome system = trust_store_system(t->files.ca, t->a.store, install);
    if (system == TRUST_ABSENT)
        fprintf(stderr, "nearedge trust: this system keeps its authorities in no known place; say "
                        "where with --store DIR\n");
    return system == TRUST_DONE && browsers != TRUST_FAILED ? 0 : EXIT_FAILED_RUN;
}

static int act(const struct trust_run *t)
{
    if (t->a.print)
        return print_pem(t);
    if (t->a.install || t->a.uninstall)
        return change_stores(t);
    if (t->a.json)
        print_json(t);
    else
        print_text(t);
    return 0;
}

static int trust(int argc, char **argv)
{
    struct trust_run t = {.config = NULL};
    struct gw_diags diags;
    t.a.hosts = gw_zalloc((size_t)(argc + 1) * sizeof(*t.a.hosts));
    gw_arena_init(&t.arena, NULL, 0, 0);
    gw_diags_init(&diags);
    int code = read_arguments(&t.a, argc, argv);
    if (!code)
        code = prepare(&t, &diags);
    if (code)
        cli_print_diags(&diags);
    else
        code = act(&t);
    gw_diags_release(&diags);
    config_free(t.config);
    gw_arena_clear(&t.arena);
    free(t.a.hosts);
    return code;
}

const struct verb verb_trust = {
    .name = "trust",
    .run = trust,
    .summary = "make a local certificate authority and certificates for https",
    .manual =
        "usage: nearedge trust [-c FILE | --host HOST[,HOST]...] [--dir DIR] [--json]\n"
        "       nearedge trust --print | --install | --uninstall [--dir DIR] [--store DIR]\n"
        "\n"
        "Makes a certificate authority for this machine, once, and with hosts a certificate for\n"
        "them, for localhost and for the listeners' addresses. Running it again changes nothing\n"
        "until the hosts change or the certificate has less than 30 days left. Listeners with\n"
        "\"tls\": { \"local_ca\": true } do the same when they start. Without --install nobody\n"
        "trusts it.\n"
        "\n"
        "  -c, --config FILE   the hosts of all zones of this configuration\n"
        "  --host HOST         these hosts; several times, or with commas; \"*.HOST\" does not "
        "exist\n"
        "                      here: each host is named\n"
        "  --dir DIR           where the authority lives [$XDG_DATA_HOME/nearedge, or\n"
        "                      ~/.local/share/nearedge]; its key never leaves this folder\n"
        "  --print             the authority's certificate on standard output\n"
        "  --install           trust it: the system's store (needs root) and, if certutil is\n"
        "                      there, Chromium's and Firefox's of who runs it (without sudo)\n"
        "  --uninstall         forget it; the folder stays\n"
        "  --store DIR         the system's store [the one of Debian, Fedora or Arch]\n"
        "  --json              the paths, dates and names as JSON\n"
        "\n"
        "exit codes: 0 ok, 1 failure, 2 usage, 3 configuration invalid.\n"
        "\n"
        "example: nearedge trust --host staging.example.test\n"};
