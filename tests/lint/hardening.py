#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hardening.py BINARY BUILD_TYPE: what the linker made of cmake/flags.cmake, read off the program."""
import platform
import re
import subprocess
import sys

ENDBR64 = b"\xf3\x0f\x1e\xfa"


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True).stdout


def facts(path, optimised):
    header, segments = readelf("-h", path), readelf("-l", path)
    dynamic, symbols = readelf("-d", path), readelf("--dyn-syms", path)
    flags = re.findall(r"^  (LOAD|GNU_STACK) .* ([RWE ]{3}) 0x\w+$", segments, re.M)
    assert any(kind == "LOAD" for kind, _ in flags), "readelf's table of segments was not understood"
    yield "position independent", re.search(r"Type:\s+DYN", header) and re.search(r"FLAGS_1.*PIE", dynamic)
    yield "relocations read-only", "GNU_RELRO" in segments
    yield "all symbols bound at start", re.search(r"FLAGS.*BIND_NOW|FLAGS_1.*NOW", dynamic)
    yield "stack not executable", ("GNU_STACK", "RW ") in flags
    yield "nothing writable and executable", not any("W" in flag and "E" in flag for _, flag in flags)
    yield "no search path for libraries", "RPATH" not in dynamic and "RUNPATH" not in dynamic
    yield "stack protector", "__stack_chk_fail" in symbols
    if platform.machine() == "x86_64":  # the note is absent where the system's own start files lack it, so the code is asked
        with open(path, "rb") as file:
            yield "targets of indirect calls marked", file.read().count(ENDBR64) > 1000
    if optimised:
        yield "fortified calls", re.search(r"__mem\w+_chk|__v?sn?printf_chk", symbols)


def main():
    path, build = sys.argv[1:3]
    missing = 0
    for name, holds in facts(path, build in ("Release", "RelWithDebInfo")):
        print(f"{'yes' if holds else 'NO ':3}  {name}")
        missing += not holds
    return 1 if missing else 0


sys.exit(main())
