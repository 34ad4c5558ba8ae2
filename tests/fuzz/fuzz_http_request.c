/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, whole against in pieces. Byte 0: size of the pieces; the rest is the message. */
#include "tests/fuzz/fuzz_http_h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size)
        fuzz_h1(H1_REQUEST, METHOD_OTHER, gw_str((const char *)data + 1, size - 1), data[0]);
    return 0;
}
