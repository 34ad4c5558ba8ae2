# SPDX-License-Identifier: Apache-2.0
"""Measurements on a machine that others use too."""
import functools
import threading
import time

import pytest

TICK_S, LATE_S, LATE_SHARE = 0.002, 0.005, 0.01


class Metronome:
    """A thread that only sleeps: when even it wakes late, the machine is busy, whatever is being measured."""

    def __enter__(self):
        self.ticks, self.late, self.over = 0, 0, threading.Event()
        self.thread = threading.Thread(target=self._tick, daemon=True)
        self.thread.start()
        return self

    def _tick(self):
        while not self.over.is_set():
            due = time.monotonic() + TICK_S
            time.sleep(TICK_S)
            self.ticks += 1
            self.late += time.monotonic() - due > LATE_S

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def was_disturbed(self):
        return self.late > LATE_SHARE * self.ticks


def in_a_quiet_moment(attempts):
    """The best of so many attempts counts: other load makes an attempt worse and none better, so what measures
    wrongly fails all. Only if each attempt was disturbed, which a metronome beside it says, the test is skipped."""
    def decorate(test):
        @functools.wraps(test)
        def best(*arguments, **named):
            failures, disturbed = [], 0
            while len(failures) < attempts:
                with Metronome() as metronome:
                    try:
                        return test(*arguments, **named)
                    except AssertionError as failure:
                        failures.append(failure)
                disturbed += metronome.was_disturbed()
            if disturbed == attempts:
                pytest.skip(f"the machine was too busy in each of {attempts} attempts")
            raise failures[-1]
        return best
    return decorate
