# SPDX-License-Identifier: Apache-2.0
"""Whether the gateway under test was built with a sanitizer: their allocators keep what was freed, and everything takes longer."""
from .gateway import BINARY


def _is_sanitized():
    try:
        with open(BINARY, "rb") as program:
            code = program.read()
    except OSError:  # conftest says it once for all tests
        return False
    return b"__asan_init" in code or b"__tsan_init" in code


SANITIZED = _is_sanitized()
