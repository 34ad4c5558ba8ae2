/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a request goes when the edge has no answer of its own: the zone's origin, or that of the
 * first origin rule that fits. The steps, purges by URL and explain ask here. Pure but for the
 * facts' scratch. Thread: any. Owns: nothing. */
#include "gateway/snapshot.h"
#include "gateway/upstream/servers.h"

struct visit;

struct destination {
    const struct snapshot_origin *origin;
    const struct snapshot_origin_rule *rule; /* NULL: the zone's own */
    struct gw_str host_header;               /* empty: the visitor's Host */
};

/* Facts are read only when the zone has origin rules; without rules they may be NULL. */
struct destination destination_of(const struct snapshot *s, const struct snapshot_zone *zone,
                                  struct rules_request *facts);
/* The same for a visit whose facts nobody has made; the scratch outlives the answer. */
struct destination destination_of_visit(const struct snapshot *s, const struct visit *v,
                                        struct gw_arena *scratch);
/* How it is spoken to, for a visitor who came by TLS or did not, if its URL leaves that open. */
enum servers_speech destination_speech(const struct config_zone *zone, bool https);
/* `origin http://a:1`, or `origin http://a:1 and 2 more by origin rule "Images"`. */
void destination_describe(const struct destination *d, struct gw_buf *out);
