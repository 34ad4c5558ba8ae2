/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* setresuid, setresgid */
#include "gateway/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "config/config.h"
#include "config/json.h"
#include "gateway/base/err.h"
#include "gateway/base/log.h"

/* ---- looking up ---- */

/* (uid_t)-1 means "leave as it is" to setresuid. */
static bool parse_id(const char *text, unsigned *id)
{
    uint64_t number;
    if (!gw_str_u64(gw_str_z(text), UINT32_MAX - 1, &number))
        return false;
    *id = (unsigned)number;
    return true;
}

static const char *find_group(const char *name, struct privilege *p)
{
    const struct group *group = getgrnam(name);
    if (group)
        p->gid = group->gr_gid;
    p->only_group = true;
    return group || parse_id(name, &p->gid) ? NULL : "there is no such group on this system";
}

static const char *find_user(const char *name, const char *group, struct privilege *p)
{
    const struct passwd *user = getpwnam(name);
    bool is_number = !user && parse_id(name, &p->uid);
    if (is_number)
        user = getpwuid(p->uid);
    if (user) {
        p->uid = user->pw_uid;
        p->gid = user->pw_gid;
    }
    if (!user && !is_number)
        return "there is no such user on this system";
    if (!user && !group)
        return "this number belongs to no user of this system: add a group, as in \"1000:1000\"";
    const char *why = group ? find_group(group, p) : NULL;
    if (!why && (p->uid == 0 || p->gid == 0))
        return "root is who the process ceases to be: name an ordinary user and group";
    return why;
}

/* The text is cut at its colon. */
static const char *find(struct gw_str text, struct privilege *p)
{
    char names[sizeof(p->name)];
    if (text.len >= sizeof(names))
        return "names are shorter than 64 characters";
    memcpy(p->name, text.ptr, text.len);
    p->name[text.len] = '\0';
    memcpy(names, p->name, sizeof(names));
    char *colon = strchr(names, ':');
    if (colon)
        *colon = '\0';
    return find_user(names, colon ? colon + 1 : NULL, p);
}

bool privilege_find(const struct config *config, const char *given, struct privilege *out,
                    struct gw_diags *diags)
{
    struct gw_str text = given ? gw_str_z(given) : config->user;
    *out = (struct privilege){.wanted = text.len > 0};
    const char *why = out->wanted ? find(text, out) : NULL;
    if (given && !out->wanted)
        why = "a user is missing: NAME or NAME:GROUP";
    if (why && given)
        gw_diag_file(diags, GW_DIAG_ERROR, NULL, "--user %s: %s", given, why);
    else if (why)
        json_error(config->doc, json_get(json_root(config->doc), "user"), diags, "%s", why);
    return !why;
}

/* ---- becoming ---- */

/* Groups first: the user may not change them any more. Then nothing that is executed may give back
 * what was given up (no_new_privs, which a filter of system calls wants too), and no other process
 * of that user may look into the memory with its keys (not dumpable: no core, no ptrace). */
static int become(const struct privilege *p)
{
    const struct passwd *user = p->only_group ? NULL : getpwuid(p->uid);
    if ((user ? initgroups(user->pw_name, p->gid) : setgroups(0, NULL)) != 0 ||
        setresgid(p->gid, p->gid, p->gid) != 0 || setresuid(p->uid, p->uid, p->uid) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return -errno;
    return 0;
}

/* A call that returned 0 proves nothing where securebits or a user namespace keep a way back: the
 * way back is tried. */
static bool can_return(void)
{
    return setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0;
}

bool privilege_drop(const struct privilege *p)
{
    bool is_root = geteuid() == 0;
    if (!p->wanted) {
        if (is_root)
            gw_log_warn("runs as root: name an ordinary user in \"user\" or --user, which it "
                        "becomes once its ports are bound");
        return true;
    }
    if (!is_root) {
        if (geteuid() != p->uid)
            gw_log_warn("only root can become user=%s: goes on as uid=%u", p->name,
                        (unsigned)geteuid());
        return true;
    }
    int err = become(p);
    if (err)
        gw_log_error("cannot become user=%s error=\"%s\"", p->name, gw_strerror(err));
    else if (can_return())
        gw_log_error("user=%s could become root again: it does not go on like this", p->name);
    else
        gw_log_info("runs as user=%s uid=%u gid=%u", p->name, p->uid, p->gid);
    return !err && geteuid() == p->uid;
}
