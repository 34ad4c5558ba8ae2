/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* flock */
#include "gateway/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "gateway/base/err.h"
#include "gateway/base/hash.h"
#include "gateway/base/log.h"
#include "gateway/base/map.h"
#include "gateway/net/tls_ca.h"

#define DAY_S    ((uint64_t)86400)
#define PATH_TOP ((size_t)4096)

/* ---- where ---- */

static struct gw_str join(struct gw_arena *arena, struct gw_str folder, const char *name,
                          const char *ending)
{
    struct gw_buf out;
    gw_buf_init(&out, PATH_TOP);
    gw_buf_printf(&out, "%.*s/%s%s", GW_STR_ARG(folder), name, ending);
    char *path = gw_arena_dupz(arena, gw_buf_str(&out));
    gw_buf_release(&out);
    return gw_str_z(path);
}

bool trust_default_folder(struct gw_arena *arena, struct gw_str *out)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && data[0] == '/') /* the specification: relative ones are ignored */
        *out = join(arena, gw_str_z(data), "nearedge", "");
    else if (home && home[0] == '/')
        *out = join(arena, gw_str_z(home), ".local/share/nearedge", "");
    else
        return false;
    return true;
}

struct trust_files trust_files(struct gw_arena *arena, struct gw_str folder,
                               const struct trust_names *names)
{
    struct trust_files f = {.folder = gw_str(gw_arena_dupz(arena, folder), folder.len),
                            .ca = join(arena, folder, "ca", ".pem"),
                            .ca_key = join(arena, folder, "ca", ".key")};
    if (!names->count)
        return f;
    struct gw_str certs = join(arena, folder, "certs", "");
    char *name = gw_arena_dupz(arena, names->items[0]);
    for (char *at = name; *at; at++)
        if (*at == '*' || *at == ':')
            *at = '_';
    f.certificate = join(arena, certs, name, ".pem");
    f.key = join(arena, certs, name, ".key");
    return f;
}

/* ---- for whom ---- */

static void add_name(struct trust_names *names, struct gw_map *seen, struct gw_str name)
{
    if (gw_str_starts(name, GW_STR("[")))
        name = gw_str(name.ptr + 1, name.len - 2); /* a zone's host may be an address */
    if (!name.len || gw_str_eq(name, GW_STR("*")) || names->count >= TRUST_NAMES_MAX ||
        gw_map_put(seen, name, names))
        return;
    names->items[names->count++] = name;
}

static void add_listener(struct trust_names *names, struct gw_map *seen,
                         const struct config_address *address, struct gw_arena *arena)
{
    static const struct gw_ip none = {0};
    char text[GW_IP_TEXT_MAX];
    const struct gw_ip *ip = &address->ip;
    if (ip->family == GW_IP_NONE || memcmp(ip->bytes, none.bytes, sizeof(ip->bytes)) == 0)
        return; /* every address of the machine: nobody knows which */
    add_name(names, seen, gw_arena_dup(arena, gw_str(text, gw_ip_format(ip, text))));
}

struct trust_names trust_names(const struct config *config, struct gw_arena *arena)
{
    static const struct gw_str own[] = {{"localhost", 9}, {"127.0.0.1", 9}, {"::1", 3}};
    struct gw_map seen;
    struct trust_names names = {gw_arena_alloc(arena, TRUST_NAMES_MAX * sizeof(struct gw_str)), 0};
    gw_map_init(&seen);
    for (size_t i = 0; i < config->zone_count; i++)
        for (size_t h = 0; h < config->zones[i].host_count; h++)
            add_name(&names, &seen, config->zones[i].hosts[h]);
    for (size_t i = 0; i < GW_COUNT(own); i++)
        add_name(&names, &seen, own[i]);
    for (size_t i = 0; i < config->listen_count; i++)
        add_listener(&names, &seen, &config->listen[i].address, arena);
    if (config->admin.tls_count) /* else its address would cost everybody a new certificate */
        add_listener(&names, &seen, &config->admin.address, arena);
    gw_map_release(&seen);
    return names;
}

/* ---- files ---- */

static bool fail(struct gw_diags *diags, struct gw_str path, const char *what)
{
    gw_diag_file(diags, GW_DIAG_ERROR, path.ptr, "%s: %s", what, gw_strerror(-errno));
    return false;
}

/* Like mkdir -p. */
static bool make_folder(struct gw_str path, struct gw_diags *diags)
{
    char *copy = gw_str_dupz(path);
    for (char *at = copy + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(copy, 0700);
        *at = '/';
    }
    free(copy);
    return mkdir(path.ptr, 0700) == 0 || errno == EEXIST || fail(diags, path, "cannot make it");
}

/* Whoever can put files here can have an authority of his own trusted in our name. Root looks after
 * the folders of others (sudo nearedge trust --install). */
static bool is_ours(struct gw_str folder, struct gw_diags *diags)
{
    struct stat info;
    if (stat(folder.ptr, &info) != 0)
        return fail(diags, folder, "cannot look at it");
    bool foreign = geteuid() != 0 && info.st_uid != 0 && info.st_uid != geteuid();
    if (!foreign && !(info.st_mode & S_IWOTH))
        return true;
    gw_diag_file(diags, GW_DIAG_ERROR, folder.ptr, "%s; choose another folder",
                 foreign ? "it belongs to another user, whose authority would be taken for yours"
                         : "every user of this machine may write into it, and so put an authority "
                           "of his own there; chmod 700");
    return false;
}

/* Nobody ever sees half a file, and a key is never readable by others, not even for a moment. */
static bool replace(struct gw_str path, const struct gw_buf *text, mode_t mode,
                    struct gw_diags *diags)
{
    char *temporary = gw_alloc(path.len + 8);
    snprintf(temporary, path.len + 8, "%s.new", path.ptr);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool ok = fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len && fsync(fd) == 0;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = (ok && rename(temporary, path.ptr) == 0) || fail(diags, path, "cannot write it");
    if (!ok)
        unlink(temporary); /* a full disk may have taken half a key */
    free(temporary);
    return ok;
}

static bool read_text(struct gw_str path, struct gw_buf *out)
{
    gw_buf_init(out, TLS_CA_PEM_MAX);
    return file_read(path.ptr, out) == 0 && out->len > 0;
}

/* ---- making ---- */

static bool lasts(uint64_t until_s, uint64_t now_s)
{
    return until_s > now_s + TRUST_RENEW_DAYS * DAY_S;
}

/* Two authorities of one name with different keys confuse every store they are put into. */
static void name_ca(char out[64])
{
    char host[32] = "";
    uint32_t number;
    gw_random(&number, sizeof(number));
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    snprintf(out, 64, "nearedge CA %s %08x", host, number);
}

static bool create_ca(const struct trust_files *f, uint64_t now_s, struct gw_buf *ca,
                      struct gw_buf *key, struct gw_diags *diags)
{
    char name[64];
    name_ca(name);
    gw_buf_clear(ca);
    gw_buf_clear(key);
    if (tls_ca_create(name, now_s, ca, key))
        return replace(f->ca_key, key, 0600, diags) && replace(f->ca, ca, 0644, diags);
    gw_diag_file(diags, GW_DIAG_ERROR, f->ca.ptr, "OpenSSL cannot make an authority");
    return false;
}

/* An authority whose key is gone cannot sign, and a new one would silently be trusted by nobody:
 * that is for people to decide. One that has ended is of no use to anybody. */
static bool have_ca(const struct trust_files *f, uint64_t now_s, struct gw_buf *ca,
                    struct gw_buf *key, struct trust_report *report, struct gw_diags *diags)
{
    struct tls_ca_facts facts;
    bool has_ca = read_text(f->ca, ca), has_key = read_text(f->ca_key, key), ok = true;
    bool known = has_ca && tls_ca_read(gw_buf_str(ca), &facts);
    if ((has_ca && !known) || known != has_key) {
        gw_diag_file(diags, GW_DIAG_ERROR, f->folder.ptr,
                     "ca.pem and ca.key are not both there, or damaged: bring them back, or remove "
                     "both and trust the new authority");
        return false;
    }
    if (!known || !lasts(facts.not_after_s, now_s)) {
        ok = create_ca(f, now_s, ca, key, diags) && tls_ca_read(gw_buf_str(ca), &facts);
        report->made_ca = ok;
    }
    if (!ok)
        return false;
    memcpy(report->ca_name, facts.subject, sizeof(report->ca_name));
    memcpy(report->ca_sha256, facts.sha256, sizeof(report->ca_sha256));
    report->ca_until_s = facts.not_after_s;
    return true;
}

static bool keeps_certificate(const struct trust_files *f, const struct tls_ca_order *order,
                              struct gw_buf *certificate, struct gw_buf *key,
                              struct trust_report *report)
{
    struct tls_ca_facts facts;
    if (!read_text(f->certificate, certificate) || !read_text(f->key, key) ||
        !tls_ca_read(gw_buf_str(certificate), &facts))
        return false;
    report->certificate_until_s = facts.not_after_s;
    return lasts(facts.not_after_s, order->now_s) &&
           tls_ca_fits(order, gw_buf_str(certificate), gw_buf_str(key));
}

static bool have_certificate(const struct trust_files *f, const struct tls_ca_order *order,
                             struct trust_report *report, struct gw_diags *diags)
{
    struct gw_buf certificate = {0}, key = {0};
    struct gw_str certs = gw_str_first(f->certificate, gw_str_rchr(f->certificate, '/'));
    char *folder = gw_str_dupz(certs);
    bool ok = make_folder(gw_str_z(folder), diags);
    free(folder);
    if (ok && !keeps_certificate(f, order, &certificate, &key, report)) {
        gw_buf_release(&certificate);
        gw_buf_release(&key);
        gw_buf_init(&certificate, TLS_CA_PEM_MAX);
        gw_buf_init(&key, TLS_CA_PEM_MAX);
        ok = tls_ca_issue(order, &certificate, &key);
        if (!ok)
            gw_diag_file(diags, GW_DIAG_ERROR, f->ca_key.ptr,
                         "this is not the key of ca.pem, or damaged");
        ok = ok && replace(f->key, &key, 0600, diags) &&
             replace(f->certificate, &certificate, 0644, diags);
        report->made_certificate = ok;
        report->certificate_until_s = order->now_s + TLS_CA_SERVER_DAYS * DAY_S;
    }
    gw_buf_release(&certificate);
    gw_buf_release(&key);
    return ok;
}

/* Two processes that start at once (a test suite) would make two authorities, and the second would
 * replace the one that the first has signed with. The lock goes with the descriptor, so that nobody
 * has to clean up after a crash. */
static int lock_folder(const struct trust_files *f, struct gw_arena *arena)
{
    int fd = open(join(arena, f->folder, "lock", "").ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        flock(fd, LOCK_EX);
    return fd;
}

bool trust_make(const struct trust_files *files, const struct trust_names *names, uint64_t wall_ms,
                struct trust_report *report, struct gw_diags *diags)
{
    struct gw_buf ca = {0}, key = {0};
    struct gw_arena arena;
    *report = (struct trust_report){0};
    if (!make_folder(files->folder, diags) || !is_ours(files->folder, diags))
        return false;
    gw_arena_init(&arena, NULL, 0, 0);
    int lock = lock_folder(files, &arena);
    uint64_t now_s = wall_ms / 1000;
    bool ok = lock >= 0 ? have_ca(files, now_s, &ca, &key, report, diags)
                        : fail(diags, files->folder, "cannot write into it");
    const struct tls_ca_order order = {gw_buf_str(&ca), gw_buf_str(&key), names->items,
                                       names->count, now_s};
    if (ok && names->count)
        ok = have_certificate(files, &order, report, diags);
    if (lock >= 0)
        close(lock);
    gw_buf_release(&ca);
    gw_buf_release(&key);
    gw_arena_clear(&arena);
    return ok;
}

/* ---- for a configuration ---- */

bool trust_find(const struct config *config, const struct config_certificate *c,
                struct gw_arena *arena, struct trust_files *out, struct gw_diags *diags)
{
    struct gw_str folder = c->local_ca_dir;
    if (!folder.len && !trust_default_folder(arena, &folder)) {
        gw_diag_file(diags, GW_DIAG_ERROR, config->path.ptr,
                     "\"local_ca\" needs a folder: set HOME or write \"local_ca_dir\"");
        return false;
    }
    const struct trust_names names = trust_names(config, arena);
    *out = trust_files(arena, folder, &names);
    return true;
}

static bool prepare(const struct config *config, const struct config_certificate *c,
                    uint64_t wall_ms, struct gw_diags *diags)
{
    struct gw_arena arena;
    struct trust_files files;
    struct trust_report report;
    gw_arena_init(&arena, NULL, 0, 0);
    bool ok = trust_find(config, c, &arena, &files, diags);
    if (ok) {
        const struct trust_names names = trust_names(config, &arena);
        ok = trust_make(&files, &names, wall_ms, &report, diags);
    }
    if (ok && report.made_ca)
        gw_log_info("local authority made file=%s: nobody trusts it yet, see `nearedge trust`",
                    files.ca.ptr);
    if (ok && report.made_certificate)
        gw_log_info("certificate made file=%s", files.certificate.ptr);
    gw_arena_clear(&arena);
    return ok;
}

bool trust_prepare(const struct config *config, uint64_t wall_ms, struct gw_diags *diags)
{
    bool ok = true;
    for (size_t i = 0; i <= config->listen_count; i++) {
        struct config_certificates certificates = config_certificates(config, i);
        for (size_t k = 0; k < certificates.count; k++)
            if (certificates.items[k].local_ca)
                ok &= prepare(config, &certificates.items[k], wall_ms, diags);
    }
    return ok;
}
