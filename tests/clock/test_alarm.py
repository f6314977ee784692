"""`Alarm`: waits that end early when somebody says so, on real and on virtual time."""

import math
import threading

import pytest

from workbench.clock import (
    DEFAULT_CLOCK,
    SYSTEM_CLOCK,
    Alarm,
    VirtualClock,
    VirtualDeadlockError,
    virtual_time,
)


@pytest.mark.parametrize("clock", [SYSTEM_CLOCK, DEFAULT_CLOCK], ids=["system", "default"])
def test_on_real_time_it_rings_by_itself(clock):
    before_s = clock.now()
    Alarm(clock, 0.01).wait()
    assert clock.now() - before_s >= 0.01


@pytest.mark.parametrize("seconds", [60.0, math.inf])
def test_on_real_time_it_is_called(seconds):
    alarm = Alarm(SYSTEM_CLOCK, seconds)
    caller = threading.Thread(target=alarm.call)
    before_s = SYSTEM_CLOCK.now()
    caller.start()
    alarm.wait()
    caller.join()
    assert SYSTEM_CLOCK.now() - before_s < 30.0


def test_one_that_was_called_before_does_not_wait():
    clock = VirtualClock()
    for alarm in (Alarm(SYSTEM_CLOCK, 60.0), Alarm(clock, 60.0)):
        alarm.call()
        alarm.wait()
    assert clock.now() == 0.0


def test_alone_on_virtual_time_it_rings_at_once():
    with virtual_time() as clock:
        Alarm(DEFAULT_CLOCK, 2.5).wait()
        assert clock.now() == 2.5


def test_alone_on_virtual_time_it_does_not_wait_for_ever():
    with pytest.raises(VirtualDeadlockError, match="give it a limit"):
        Alarm(VirtualClock(), math.inf).wait()


def test_beside_a_thread_that_does_nothing_it_does_not_wait_for_ever():
    """As under a test runner that has threads of its own."""
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        with pytest.raises(VirtualDeadlockError, match="give it a limit"):
            Alarm(VirtualClock(patience_s=0.01), math.inf).wait()
    finally:
        over.set()
        other.join()


def test_a_thread_that_is_not_counted_may_end_a_wait_within_the_patience():
    clock = VirtualClock(3.0, patience_s=30.0)
    alarm = Alarm(clock, math.inf)
    other = threading.Timer(0.02, alarm.call)
    other.start()
    alarm.wait()
    other.join()
    assert clock.now() == 3.0


def test_counted_threads_wait_until_they_are_called_at_the_instant_of_the_call():
    clock, log, alarms = VirtualClock(), [], []

    def waits(name, seconds):
        alarms.append(alarm := Alarm(clock, seconds))
        alarm.wait()
        log.append((clock.now(), name))

    def calls():
        clock.sleep(1.5)
        alarms[0].call()
        alarms[2].call()
        log.append((clock.now(), "called"))
        clock.sleep(1)

    clock.run_threads(lambda: waits("a", 10.0), lambda: waits("b", 2.0), lambda: waits("c", math.inf), calls)
    assert log == [(1.5, "called"), (1.5, "a"), (1.5, "c"), (2.0, "b")]
    assert clock._turns.sleepers == 0


def test_a_call_in_the_very_instant_of_its_end_is_no_second_one():
    clock, log = VirtualClock(), []
    alarm = []

    def waits():
        alarm.append(Alarm(clock, 1.0))
        alarm[0].wait()
        log.append(clock.now())
        clock.sleep(5.0)
        log.append(clock.now())

    def calls():
        clock.sleep(1.0)
        alarm[0].call()
        alarm[0].call()

    clock.run_threads(waits, calls)
    assert log == [1.0, 6.0]


def test_a_thread_that_is_not_counted_is_called_without_time_passing():
    clock = VirtualClock(auto=False)
    alarm = Alarm(clock, 60.0)
    waiter = threading.Thread(target=alarm.wait)
    waiter.start()
    alarm.call()
    waiter.join(30)
    assert not waiter.is_alive()
    assert clock.now() == 0.0


def test_other_clocks_sleep_the_whole_wait():
    class Stepping:
        at_s = 0.0

        def now(self):
            return self.at_s

        def sleep(self, seconds):
            self.at_s += seconds

    clock = Stepping()
    Alarm(clock, 3.0).wait()
    assert clock.now() == 3.0
    called = Alarm(clock, 3.0)
    called.call()
    called.wait()
    assert clock.now() == 3.0
