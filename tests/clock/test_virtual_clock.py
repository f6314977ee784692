"""One thread and a `VirtualClock`: nobody waits, sums are the floats' own, nonsense is refused."""

import math
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.clock import (
    SYSTEM_CLOCK,
    Clock,
    ClockError,
    InvalidDurationError,
    SystemClock,
    VirtualClock,
)
from workbench.errors import WorkbenchError

NONSENSE = [-1e-9, -1, -math.inf, math.inf, math.nan]


def test_a_clock_starts_where_it_is_told_and_moves_only_when_it_is_told():
    clock = VirtualClock(start_s=-5.5)
    assert [clock.now(), clock.now()] == [-5.5, -5.5]
    clock.advance(5.5)
    assert clock.now() == 0.0
    clock.advance(0)
    assert clock.now() == 0.0


def test_sleeping_alone_takes_no_real_time():
    clock, before_s = VirtualClock(), time.monotonic()
    clock.sleep(1e9)
    assert clock.now() == 1e9
    assert time.monotonic() - before_s < 100


@given(st.floats(-1e12, 1e12), st.lists(st.floats(0, 1e12), max_size=20))
def test_each_sleep_adds_once_and_time_never_goes_back(start_s, durations):
    clock, expected_s = VirtualClock(start_s), start_s
    for seconds in durations:
        before_s = clock.now()
        (clock.sleep if seconds % 2 else clock.advance)(seconds)
        expected_s += seconds
        assert clock.now() == expected_s
        assert clock.now() >= before_s


@pytest.mark.parametrize("seconds", NONSENSE)
@pytest.mark.parametrize("clock", [VirtualClock(), VirtualClock(auto=False), SYSTEM_CLOCK], ids=repr)
def test_negative_nan_and_infinite_durations_are_refused(clock, seconds):
    before_s = clock.now()
    with pytest.raises(InvalidDurationError, match="finite and at least 0"):
        clock.sleep(seconds)
    with pytest.raises(InvalidDurationError, match="finite and at least 0"):
        clock.asleep(seconds).send(None)
    if isinstance(clock, VirtualClock):
        with pytest.raises(InvalidDurationError, match="finite and at least 0"):
            clock.advance(seconds)
        with pytest.raises(InvalidDurationError, match="finite and at least 0"):
            clock.aadvance(seconds).send(None)
        assert clock.now() == before_s


def test_a_sleep_beyond_the_floats_is_refused():
    clock = VirtualClock(1e308)
    with pytest.raises(InvalidDurationError, match="largest float"):
        clock.advance(1e308)


@pytest.mark.parametrize("start_s", [math.nan, math.inf, -math.inf])
def test_a_start_that_is_not_finite_is_refused(start_s):
    with pytest.raises(InvalidDurationError, match="start_s must be a finite"):
        VirtualClock(start_s)


@pytest.mark.parametrize("option", ["io_grace_s", "patience_s"])
def test_negative_real_waits_are_refused(option):
    with pytest.raises(InvalidDurationError):
        VirtualClock(**{option: -1})


def test_what_is_no_number_is_a_type_error():
    with pytest.raises(TypeError):
        VirtualClock().sleep("1")


@pytest.mark.parametrize("seconds", [1, np.float32(1), np.int64(1), Fraction(1), True])
def test_any_real_number_is_a_duration_and_now_stays_a_float(seconds):
    clock = VirtualClock()
    clock.sleep(seconds)
    assert type(clock.now()) is float
    assert clock.now() == 1.0


def test_errors_belong_to_the_house():
    assert issubclass(InvalidDurationError, ValueError)
    assert issubclass(InvalidDurationError, ClockError)
    assert issubclass(ClockError, WorkbenchError)


def test_without_auto_a_sleeper_waits_until_somebody_advances():
    clock, woke = VirtualClock(auto=False), []

    def sleeper():
        clock.sleep(10)
        woke.append(clock.now())

    thread = threading.Thread(target=sleeper)
    thread.start()
    while "sleepers=1" not in repr(clock):
        time.sleep(0.001)
    clock.advance(9.5)
    assert (woke, thread.is_alive()) == ([], True)
    clock.advance(1)
    thread.join()
    assert woke == [10.5]  # a plain thread is not waited for: it may read a later instant than its deadline
    assert clock.now() == 10.5


def test_advance_waits_for_the_threads_that_it_woke_if_they_are_counted():
    clock, woke = VirtualClock(auto=False), []

    def sleeper():
        with clock.hold():
            for _ in range(3):
                clock.sleep(1)
                woke.append(clock.now())

    thread = threading.Thread(target=sleeper)
    thread.start()
    while "sleepers=1" not in repr(clock):
        time.sleep(0.001)
    clock.advance(2.5)
    assert woke == [1.0, 2.0]
    assert clock.now() == 2.5
    clock.advance(0.5)
    thread.join()
    assert woke == [1.0, 2.0, 3.0]


def test_time_stands_still_for_others_while_a_thread_holds_it():
    clock, held, release, woke = VirtualClock(), threading.Event(), threading.Event(), []

    def holder():
        with clock.hold():
            held.set()
            release.wait()
            woke.append(("holder", clock.now()))

    def sleeper():
        clock.sleep(1)
        woke.append(("sleeper", clock.now()))

    threads = [threading.Thread(target=holder), threading.Thread(target=sleeper)]
    threads[0].start()
    held.wait()
    threads[1].start()
    while "sleepers=1" not in repr(clock):
        time.sleep(0.001)
    assert clock.now() == 0.0
    release.set()
    for thread in threads:
        thread.join()
    assert woke == [("holder", 0.0), ("sleeper", 1.0)]


def test_holds_nest_and_their_holder_may_sleep():
    clock = VirtualClock()
    with clock.hold(), clock.hold():
        clock.sleep(2)
    clock.sleep(1)
    assert clock.now() == 3.0


def test_an_interrupted_sleep_leaves_the_clock_usable(monkeypatch):
    clock = VirtualClock(auto=False)

    class Interrupted:
        def set(self):
            """Nobody listens."""

        def wait(self):
            raise KeyboardInterrupt

    monkeypatch.setattr("workbench.clock._turns.threading.Event", Interrupted)
    with clock.hold(), pytest.raises(KeyboardInterrupt):
        clock.sleep(1)
    monkeypatch.undo()
    clock.advance(5)
    assert repr(clock) == "VirtualClock(now_s=5.0, auto=False, sleepers=0)"


def test_both_clocks_are_clocks_and_the_real_one_reads_as_fast_as_time():
    assert isinstance(VirtualClock(), Clock)
    assert isinstance(SYSTEM_CLOCK, Clock)
    assert SYSTEM_CLOCK.now is time.monotonic
    assert repr(SystemClock()) == "SystemClock()"
    before_s = SYSTEM_CLOCK.now()
    SYSTEM_CLOCK.sleep(0.002)
    assert SYSTEM_CLOCK.now() - before_s >= 0.002
