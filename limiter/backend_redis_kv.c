/* SPDX-License-Identifier: Apache-2.0 */
/* Values of Workers KV in Redis. Unlike windows they are not merged: two writes are two writes. The
 * scripts travel whole with each call; a simulation has no hot path to save a hash's worth on. */
#include "limiter/backend_redis_flight.h"
#include "limiter/backend_redis_script.h"

static bool send(struct redis_flight *f, struct redis_op *op, const char *script,
                 const uint64_t *args, size_t count)
{
    if (!f)
        return false;
    f->op = op;
    f->script = script;
    f->arg_count = count;
    memcpy(f->args, args, count * sizeof(*args));
    return true;
}

bool redis_kv_read(struct redis_backend *b, struct redis_op *op, struct gw_str key, uint64_t place,
                   uint64_t at_ms)
{
    return send(redis_flight_new(b, key, at_ms), op, REDIS_SCRIPT_KV_READ, &place, 1);
}

bool redis_kv_write(struct redis_backend *b, struct redis_op *op, struct gw_str key,
                    const struct kv_settings *settings, const struct kv_write *write)
{
    const uint64_t args[] = {
        write->place,
        settings->write_limit,
        settings->writes_per_second,
        write->delay_ms,
        write->value.count,
        write->value.reset_at_ms,
        (uint64_t)write->ttl_s * 1000 + redis_margin_ms(b->pool),
        settings->propagation_ms / KV_SPANS,
        KV_VERSIONS,
        (uint64_t)KV_BURST_S * 1000000,
    };
    _Static_assert(GW_COUNT(args) <= FLIGHT_ARGS_MAX, "all arguments fit a flight");
    _Static_assert(CONFIG_KV_STRICT == 0 && CONFIG_KV_TOKEN_BUCKET == 1, "the script knows them");
    return send(redis_flight_new(b, key, write->at_ms), op, REDIS_SCRIPT_KV_WRITE, args,
                GW_COUNT(args));
}
