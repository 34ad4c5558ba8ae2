/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One attempt to put bytes into a socket, by the cheapest way for what they are: little ones are
 * gathered and sent, large ones go by writev, and those that are the content of a file by reference
 * (nginx's and HAProxy's way with files and pipes). Internal to gateway/net. */
#include "gateway/net/conn_inside.h"

/* `bytes` are those of all parts. Returns bytes taken, from the first on, or a negative errno;
 * UV_EAGAIN and 0 both mean none now. Only for a connection with nothing queued. `hold` may be
 * NULL. Thread: the loop's. */
ssize_t conn_send(struct conn *c, const uv_buf_t *bufs, size_t count, size_t bytes,
                  const struct conn_hold *hold);
