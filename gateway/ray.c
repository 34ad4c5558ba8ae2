/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ray.h"

#include <endian.h>

#include "gateway/base/hash.h"
#include "gateway/server.h"

/* Eight hexadecimal digits at once: each nibble gets a byte of its own, then what makes it one of
 * '0' to '9' or 'a' to 'f' is added to all of them. */
static void put_digits(char out[8], uint32_t value)
{
    uint64_t x = value;
    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
    uint64_t letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
    x = htobe64(x + 0x3030303030303030 + letters * ('a' - '0' - 10));
    memcpy(out, &x, sizeof(x));
}

void ray_next(struct worker *worker, char out[RAY_LENGTH + 1])
{
    /* SplitMix64 is a bijection of its state, so distinct counters give distinct ids. */
    uint64_t serial = worker->ray_counter++ * worker->server->worker_count + worker->index;
    struct gw_rng mixer = {worker->server->ray_seed + serial * 0x9e3779b97f4a7c15};
    uint64_t id = gw_rng_next(&mixer);
    put_digits(out, (uint32_t)(id >> 32));
    put_digits(out + 8, (uint32_t)id);
    out[RAY_LENGTH] = '\0';
}
