/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `run --ready-file FILE`: JSON with the bound addresses and the pid, for scripts that let the
 * kernel choose ports (design/interface.md section 3). The file appears whole or not at all:
 * written beside and renamed. Thread: main. */
#include "gateway/server.h"

/* False with errno set. */
GW_MUST bool ready_file_write(const struct server *s);
