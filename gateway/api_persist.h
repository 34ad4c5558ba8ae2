/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Writes a ruleset back to its file (admin.persist): what GET answers, without the envelope, one
 * rule a line, so that a review of the file shows the rules that changed. Ids and versions are
 * kept, so identities survive a restart. Comments in the file are lost.
 *
 * The new file is complete and on disk before it takes the old one's name; on any error the old one
 * is untouched. Blocking: the main thread's. Owns: nothing. */
#include "gateway/api_rulesets_store.h"

/* 0 or a negative errno. */
GW_MUST int api_persist(const char *path, const struct api_ruleset *rs,
                        const struct api_version *version);
