# SPDX-License-Identifier: Apache-2.0
"""What cache and limiter should do, as short as it can be said: written from spec/cache-behaviour.md and
spec/limiter.md, not from the code, and without regard to speed.

A clock of milliseconds is passed in; nothing here reads one."""
from dataclasses import dataclass


@dataclass
class Stored:
    body: str
    since_ms: int


@dataclass
class Page:
    """A URL: how long its answers are fresh at the edge, and whether the origin answers 304 to its tag."""
    path: str
    ttl_s: int          # None: never cached
    why: str = "BYPASS"  # …because the origin says so; DYNAMIC: because a rule does, before it is looked up (section 2.8)
    tagged: bool = False
    by_header: bool = False  # the cache key holds X-V


class Origin:
    """Counts its answers for each path, so that a body tells which fetch it came from."""

    def __init__(self):
        self.answers = {}

    def fetch(self, page):
        number = self.answers[page.path] = self.answers.get(page.path, 0) + 1
        return page.path if page.tagged else f"{page.path}@{number}"


class Cache:
    """Section 2: one store for each edge."""

    def __init__(self, origin):
        self.origin, self.stored = origin, {}

    def get(self, page, edge, variant, now_ms):
        """(status, age in seconds or None, body)"""
        if page.ttl_s is None:
            return page.why, None, self.origin.fetch(page)
        key = (page.path, edge, variant if page.by_header else "")
        old = self.stored.get(key)
        if old is None:
            self.stored[key] = Stored(self.origin.fetch(page), now_ms)
            return "MISS", None, self.stored[key].body
        age = (now_ms - old.since_ms) // 1000
        if now_ms - old.since_ms <= page.ttl_s * 1000:  # fresh at the very age of its lifetime
            return "HIT", age, old.body
        status = "REVALIDATED" if page.tagged else "EXPIRED"
        self.stored[key] = Stored(self.origin.fetch(page), now_ms)
        return status, None, self.stored[key].body

    def purge_path(self, path):
        """By URL, or by a success of an unsafe method: at every edge."""
        self.stored = {key: value for key, value in self.stored.items() if key[0] != path}

    def purge_everything(self):
        self.stored = {}


@dataclass
class Limit:
    name: str
    limit: int
    window_ms: int
    store: str  # "durable_object": one counter in the world; "memory": one for each isolate


class Limiter:
    """Section a1: a fixed window that starts with the key's first request; refused calls are not counted."""

    def __init__(self):
        self.windows = {}

    def ask(self, limit, who, place, now_ms):
        """None when admitted, else Retry-After in seconds."""
        key = (limit.name, who, place if limit.store == "memory" else None)
        count, reset_ms = self.windows.get(key, (0, now_ms))
        if reset_ms <= now_ms:
            self.windows[key] = (1, now_ms + limit.window_ms)
        elif count >= limit.limit:
            return -(-(reset_ms - now_ms) // 1000)
        else:
            self.windows[key] = (count + 1, reset_ms)
        return None

    def reset(self, limit, who):
        """Forgets it everywhere."""
        self.windows = {key: value for key, value in self.windows.items() if key[:2] != (limit.name, who)}
