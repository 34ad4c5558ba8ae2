/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which names stand for secrets: cookies, credentials, tokens. By their words, since every product
 * has headers of its own for them ("X-Vault-Token", "Api-Key"); one too many hides a value, one too
 * few shows a password. Thread: any. */
#include "gateway/base/str.h"

/* Of a header, or of any text that names one. */
bool is_secret_name(struct gw_str name);
