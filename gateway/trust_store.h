/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Telling programs to trust the local authority, and to forget it: the system's store (OpenSSL,
 * GnuTLS, curl, Python …; needs root) and, through certutil, the stores of Chromium and Firefox,
 * which look at no other. Says on stderr what it did. Thread: the command line's; runs programs. */
#include "gateway/base/str.h"

enum trust_outcome { TRUST_DONE, TRUST_ABSENT, TRUST_FAILED };

/* `store`: the folder of the system's store, or NULL: the first known one that is there. */
enum trust_outcome trust_store_system(struct gw_str ca, const char *store, bool install);
/* ABSENT: no certutil, or no home. */
enum trust_outcome trust_store_browsers(struct gw_str ca, bool install);
