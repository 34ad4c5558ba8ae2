/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* That the gateway serves, and where: the line in the log for people, and `run --ready-file FILE`
 * for scripts that let the kernel choose ports, JSON with the bound addresses and the pid
 * (design/interface.md section 3). The file appears whole or not at all: written beside and
 * renamed. Thread: main. */
#include "gateway/server.h"

void ready_log(const struct server *s);
/* False with errno set. */
GW_MUST bool ready_file_write(const struct server *s);
