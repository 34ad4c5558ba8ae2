/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What fuzz targets share: a check that no build type compiles away. */
#include <stddef.h>
#include <stdint.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
