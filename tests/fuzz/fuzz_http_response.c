/* SPDX-License-Identifier: Apache-2.0 */
/* Responses, whole against in pieces. Byte 0: size of the pieces, and the method asked; the rest is
 * the message. */
#include "tests/fuzz/fuzz_http_h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum http_method asked[] = {METHOD_GET, METHOD_HEAD, METHOD_CONNECT};
    if (size)
        fuzz_h1(H1_RESPONSE, asked[data[0] % 3], gw_str((const char *)data + 1, size - 1), data[0]);
    return 0;
}
