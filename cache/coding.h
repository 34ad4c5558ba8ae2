/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which content coding a client gets, whatever the origin has chosen (spec/cache-behaviour.md
 * sections 2.10 and 7.3). An object is stored as the origin sent it; what a client cannot read, or
 * what is worth compressing for it, is recoded on delivery.
 *
 *     client takes   origin sent   strong ETags respected   else
 *     gzip, br       gzip          gzip                     br (Enterprise prefers gzip)
 *     gzip, br       br            br                       br
 *     br             gzip          identity, weak           br, weak
 *     gzip           br            identity, weak           gzip, weak
 *     gzip           identity      identity                 gzip, weak
 *
 * Pure. Thread: any. */
#include "cache/request.h"

enum cache_coding {
    CACHE_CODING_IDENTITY,
    CACHE_CODING_GZIP,
    CACHE_CODING_BROTLI,
    CACHE_CODING_OTHER, /* several, or one that is not ours: never touched */
};

/* What a response says about its coding; kept with a stored head, so that a hit reads no text. */
struct cache_content {
    uint8_t coding;    /* enum cache_coding */
    bool compressible; /* by type and status */
    bool fixed;        /* the bytes go out as they came: no-transform, a part, an event stream */
};
struct cache_content cache_content_of(uint16_t status, const struct headers *response);

#define CACHE_LENGTH_UNKNOWN UINT64_MAX

/* from == to: as it is. Otherwise the body is recoded, its length is not known before and its ETag
 * is weak. */
struct cache_recoding {
    enum cache_coding from, to;
};
struct cache_recoding cache_recoding_for(const struct cache_content *content, uint64_t length,
                                         const struct headers *request,
                                         const struct cache_policy *policy);
static inline bool cache_is_recoded(struct cache_recoding r)
{
    return r.from != r.to;
}

/* True when a rule lets strong ETags stand: then nothing is compressed here and the origin sees the
 * visitor's own Accept-Encoding. */
bool cache_respects_strong_etags(const struct cache_policy *policy);
/* "gzip", "br"; empty for the others. */
struct gw_str cache_coding_name(enum cache_coding coding);

/* What a client takes, from all its Accept-Encoding lines; quality in thousandths, 0: refused. */
struct cache_accepted {
    unsigned gzip, brotli;
};
struct cache_accepted cache_accepted_codings(const struct headers *request);
