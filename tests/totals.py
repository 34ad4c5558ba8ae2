# SPDX-License-Identifier: Apache-2.0
"""Adds up JUnit files (ctest's and pytest's) into one line: N passed, N failed[, N skipped]."""
import argparse
import os
import sys
import xml.etree.ElementTree as xml


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    # ctest marks a test whose program is missing as skipped ("Unable to find executable"): that is a failure.
    not_run = case.get("status") == "notrun" and "SKIP" not in skipped.get("message", "")
    return "failed" if not_run else "skipped"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--extra-failures", type=int, default=0)
    arguments.add_argument("files", nargs="*")
    options = arguments.parse_args()
    totals = {"passed": 0, "failed": options.extra_failures, "skipped": 0}
    for path in options.files:
        if os.path.exists(path):  # an unmatched *.xml comes as it is
            for case in xml.parse(path).getroot().iter("testcase"):
                totals[outcome(case)] += 1
    line = f"{totals['passed']} passed, {totals['failed']} failed"
    print(line + (f", {totals['skipped']} skipped" if totals["skipped"] else ""))
    sys.exit(1 if totals["failed"] or not totals["passed"] else 0)


main()
