# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions, and doing several things at once."""
import threading
import time

PATIENCE_S = 20.0  # only ever spent by a test that fails


def wait_until(condition, what="the condition", seconds=PATIENCE_S):
    """The first truthy value of condition()."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.005)


def in_parallel(*jobs):
    """Runs the callables in threads; their results in order, or the first exception."""
    results, errors = [None] * len(jobs), []

    def run(index, job):
        try:
            results[index] = job()
        except BaseException as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "a parallel job never ended"
    return results
