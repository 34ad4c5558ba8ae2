/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/base.h"

#include <stdio.h>

/* malloc(0) may answer NULL and have failed at nothing. */
static void *or_abort(void *ptr, size_t size)
{
    if (gw_unlikely(!ptr && size)) {
        fprintf(stderr, "nearedge: out of memory (%zu bytes)\n", size);
        abort();
    }
    return ptr;
}

void *gw_alloc(size_t size)
{
    return or_abort(malloc(size), size);
}

void *gw_zalloc(size_t size)
{
    return or_abort(calloc(1, size), size);
}

void *gw_realloc(void *ptr, size_t size)
{
    return or_abort(realloc(ptr, size), size);
}

char *gw_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(gw_alloc(size), text, size);
}
