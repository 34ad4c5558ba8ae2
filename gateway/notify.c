/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/notify.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/err.h"
#include "gateway/base/log.h"

#define MESSAGE_MAX 512

/* A path, or with '@' in front a name in the abstract namespace, whose length counts because it may
 * hold any byte. False: vsock and whatever else a manager may invent. */
static bool parse_address(const char *text, struct sockaddr_un *to, socklen_t *len)
{
    size_t n = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof(to->sun_path))
        return false;
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(to->sun_path, text, n);
    if (text[0] == '@')
        to->sun_path[0] = '\0';
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return true;
}

/* 0 or a negative errno. */
static int send_text(const char *address, const char *text)
{
    struct sockaddr_un to;
    socklen_t len;
    if (!parse_address(address, &to, &len))
        return -EAFNOSUPPORT;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval patience = {.tv_sec = NOTIFY_PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ssize_t sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, len);
    int err = sent < 0 ? -errno : 0;
    close(fd);
    return err;
}

void notify(enum notify_state state, const char *status)
{
    static const char *const states[] = {
        [NOTIFY_READY] = "READY=1",
        [NOTIFY_RELOADING] = "RELOADING=1",
        [NOTIFY_STOPPING] = "STOPPING=1",
    };
    const char *address = getenv("NOTIFY_SOCKET");
    if (!address || !*address)
        return;
    char text[MESSAGE_MAX], since[64] = "";
    if (state == NOTIFY_RELOADING)
        snprintf(since, sizeof(since), "\nMONOTONIC_USEC=%llu",
                 (unsigned long long)gw_kernel_mono_us());
    snprintf(text, sizeof(text), "%s%s%s%s", states[state], since, status ? "\nSTATUS=" : "",
             status ? status : "");
    int err = send_text(address, text);
    if (err)
        gw_log_warn("cannot tell the service manager state=%s error=\"%s\"", states[state],
                    gw_strerror(err));
}
