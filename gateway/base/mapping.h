/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory that is the content of a file: a socket can take a stretch of it by reference (sendfile)
 * where send would copy it. What was given by reference may be on its way for as long as the peer
 * likes: its pages are never written again, whoever owns the memory sees to that.
 *
 * Thread: any, immutable. Owns: nothing here; who made it ends it after the last reader. */
#include "gateway/base/base.h"

struct gw_mapping {
    int fd;
    char *base;
    size_t size;
    size_t least; /* a shorter stretch may share its pages with bytes that will change: copy it */
};

/* Whether this stretch may go by reference; it then stands at *offset of the file. */
static inline bool gw_mapping_has(const struct gw_mapping *m, const void *at, size_t len,
                                  size_t *offset)
{
    *offset = (size_t)((const char *)at - m->base); /* huge for what stands before it */
    return len >= m->least && *offset < m->size && len <= m->size - *offset;
}
