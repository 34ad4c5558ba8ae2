/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* environ */
#include "gateway/trust_store.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/file.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define NAME     "nearedge-local-ca.crt"
#define NICKNAME "nearedge local CA"
#define PATH_TOP 4096
#define FILE_TOP ((size_t)1 << 20)

/* Debian and its kin, Fedora and its kin, Arch. */
static const struct {
    const char *folder;
    const char *command[3];
} stores[] = {
    {"/usr/local/share/ca-certificates", {"update-ca-certificates", NULL}},
    {"/etc/pki/ca-trust/source/anchors", {"update-ca-trust", "extract", NULL}},
    {"/etc/ca-certificates/trust-source/anchors", {"trust", "extract-compat", NULL}},
};

/* ---- running programs ---- */

/* The exit code, or -1 when it could not run; quiet: without its output. */
static int run(const char *const *argv, bool quiet)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && quiet; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    int err = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the system's ---- */

static bool copy_file(const char *from, const char *to)
{
    struct gw_buf text;
    gw_buf_init(&text, FILE_TOP);
    int err = file_read(from, &text);
    int fd = err ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    /* For all users, also when root's umask is a careful one. */
    bool ok =
        fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len && fchmod(fd, 0644) == 0;
    if (!ok)
        fprintf(stderr, "nearedge trust: cannot write %s: %s\n", to,
                gw_strerror(err ? err : -errno));
    if (fd >= 0)
        close(fd);
    gw_buf_release(&text);
    return ok;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool remove_file(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    fprintf(stderr, "nearedge trust: cannot remove %s: %s\n", path, gw_strerror(-errno));
    return false;
}

enum trust_outcome trust_store_system(struct gw_str ca, const char *store, bool install)
{
    size_t kind = 0;
    while (!store && kind < GW_COUNT(stores) && !is_folder(stores[kind].folder))
        kind++;
    if (kind == GW_COUNT(stores))
        return TRUST_ABSENT;
    const char *const *command = stores[kind].command;
    char path[PATH_TOP];
    snprintf(path, sizeof(path), "%s/%s", store ? store : stores[kind].folder, NAME);
    if (install ? !copy_file(ca.ptr, path) : !remove_file(path))
        return TRUST_FAILED;
    fprintf(stderr, "%s %s\n", install ? "wrote    " : "removed  ", path);
    int code = run(command, true);
    if (code == 0) {
        fprintf(stderr, "ran       %s\n", command[0]);
        return TRUST_DONE;
    }
    fprintf(stderr, "nearedge trust: %s %s\n", command[0],
            code < 0 ? "cannot be run: install ca-certificates" : "failed");
    return TRUST_FAILED;
}

/* ---- the browsers' ---- */

static bool has_certutil(void)
{
    static const char *const argv[] = {"certutil", "-H", NULL};
    return run(argv, true) >= 0;
}

static bool tell(const char *folder, struct gw_str ca, bool install)
{
    char database[PATH_TOP];
    snprintf(database, sizeof(database), "sql:%s", folder);
    const char *const forget[] = {"certutil", "-d", database, "-D", "-n", NICKNAME, NULL};
    const char *const trust[] = {"certutil", "-d",     database, "-A",   "-t", "C,,",
                                 "-n",       NICKNAME, "-i",     ca.ptr, NULL};
    run(forget, true); /* an older one of this name would stay beside it */
    bool ok = !install || run(trust, true) == 0;
    fprintf(stderr, "%s %s\n", !ok ? "FAILED   " : install ? "told     " : "untold   ", folder);
    return ok;
}

/* Chromium makes its database when it first starts and takes one that is there. */
static void make_database(const char *folder)
{
    char database[PATH_TOP + 4], parent[PATH_TOP];
    snprintf(parent, sizeof(parent), "%s", folder);
    *strrchr(parent, '/') = '\0';
    mkdir(parent, 0700);
    mkdir(folder, 0700);
    snprintf(database, sizeof(database), "sql:%s", folder);
    const char *const argv[] = {"certutil", "-N", "-d", database, "--empty-password", NULL};
    run(argv, true);
}

static bool tell_firefox(const char *home, struct gw_str ca, bool install)
{
    static const char *const homes[] = {"", "/snap/firefox/common"};
    bool ok = true;
    for (size_t i = 0; i < GW_COUNT(homes); i++) {
        char pattern[PATH_TOP];
        glob_t found;
        snprintf(pattern, sizeof(pattern), "%s%s/.mozilla/firefox/*/cert9.db", home, homes[i]);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++) {
            *strrchr(found.gl_pathv[k], '/') = '\0';
            ok &= tell(found.gl_pathv[k], ca, install);
        }
        globfree(&found);
    }
    return ok;
}

enum trust_outcome trust_store_browsers(struct gw_str ca, bool install)
{
    const char *home = getenv("HOME");
    char folder[PATH_TOP];
    if (!home || strlen(home) > PATH_TOP / 2 || !has_certutil())
        return TRUST_ABSENT;
    snprintf(folder, sizeof(folder), "%s/.pki/nssdb", home);
    if (install && !is_folder(folder))
        make_database(folder);
    bool ok = !is_folder(folder) || tell(folder, ca, install);
    ok &= tell_firefox(home, ca, install);
    return ok ? TRUST_DONE : TRUST_FAILED;
}
