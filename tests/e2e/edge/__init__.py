# SPDX-License-Identifier: Apache-2.0
"""The parts of an end-to-end test: a gateway, a scripted origin, a raw client, a Redis of our own.

Ports are chosen by the kernel, tests wait for conditions and never for seconds, TTLs run on the
gateway's virtual clock, and only process ids started here are ever stopped."""
from .client import RawClient, Response, Truncated, fetch
from .gateway import Gateway
from .origin import Blocks, Origin, Reply
from .pressure import Burst, Pressure
from .redis import Redis
from .redis_cluster import RedisCluster
from .wait import in_parallel, wait_until

__all__ = ["Blocks", "Burst", "Gateway", "Origin", "Pressure", "RawClient", "Redis", "RedisCluster", "Reply", "Response", "Truncated",
           "fetch", "in_parallel", "wait_until"]
