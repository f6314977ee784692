"""`virtual_time` makes its clock everybody's, nests, belongs to one thread, and puts all back."""

import asyncio
import threading
import time

import pytest

from workbench.clock import (
    DEFAULT_CLOCK,
    SYSTEM_CLOCK,
    Clock,
    InvalidDurationError,
    VirtualClock,
    VirtualTimeActiveError,
    current_clock,
    virtual_time,
)


def in_a_thread(function):
    outcome = []

    def work():
        try:
            outcome.append(function())
        except Exception as error:  # noqa: BLE001
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return outcome[0]


@pytest.fixture(autouse=True)
def _all_is_put_back():
    before = (asyncio.new_event_loop, asyncio.events.new_event_loop)
    yield
    assert (asyncio.new_event_loop, asyncio.events.new_event_loop) == before
    assert current_clock() is SYSTEM_CLOCK
    assert DEFAULT_CLOCK.now is time.monotonic


class Pause:
    """A policy made at import time."""

    def __init__(self, clock: Clock = DEFAULT_CLOCK) -> None:
        self.clock = clock

    def __call__(self):
        self.clock.sleep(10)
        return self.clock.now()


PAUSE = Pause()


def test_a_policy_made_before_runs_on_virtual_time():
    with virtual_time(start_s=3.0) as clock:
        assert PAUSE() == 13.0
        assert clock.now() == 13.0
    with virtual_time() as clock:
        assert PAUSE() == 10.0


def test_the_default_clock_is_the_real_one_outside():
    assert isinstance(DEFAULT_CLOCK, Clock)
    assert abs(DEFAULT_CLOCK.now() - time.monotonic()) < 60
    DEFAULT_CLOCK.sleep(0)
    asyncio.run(DEFAULT_CLOCK.asleep(0))
    assert repr(DEFAULT_CLOCK) == "DEFAULT_CLOCK(SystemClock())"


def test_the_default_clock_sleeps_tasks_on_virtual_time():
    with virtual_time() as clock:
        asyncio.run(DEFAULT_CLOCK.asleep(7))
    assert clock.now() == 7.0


def test_blocks_nest_and_each_has_its_own_time():
    with virtual_time() as outer:
        DEFAULT_CLOCK.sleep(1)
        with virtual_time(100) as inner:
            assert current_clock() is inner
            asyncio.run(asyncio.sleep(5))
        assert current_clock() is outer
        asyncio.run(asyncio.sleep(2))
    assert (outer.now(), inner.now()) == (3.0, 105.0)


def test_all_is_put_back_when_the_block_fails():
    with pytest.raises(ZeroDivisionError), virtual_time():
        raise ZeroDivisionError
    with asyncio.Runner() as runner:
        assert type(runner.get_loop()).__name__ != "VirtualEventLoop"


def test_nothing_is_changed_when_the_start_is_nonsense():
    with pytest.raises(InvalidDurationError), virtual_time(float("nan")):
        pytest.fail("entered")


def test_what_others_put_in_place_meanwhile_is_left_alone(monkeypatch):
    def other():
        raise AssertionError

    real = asyncio.new_event_loop
    monkeypatch.setattr(asyncio, "new_event_loop", real)
    with virtual_time():
        asyncio.new_event_loop = other
    assert asyncio.new_event_loop is other


def test_a_stand_in_that_others_put_back_too_late_makes_real_loops(monkeypatch):
    real = asyncio.new_event_loop
    monkeypatch.setattr(asyncio, "new_event_loop", real)
    with virtual_time():
        stand_in = asyncio.new_event_loop
    asyncio.new_event_loop = stand_in
    for _ in range(2):
        loop = asyncio.new_event_loop()
        assert type(loop).__name__ != "VirtualEventLoop"
        loop.close()
        with virtual_time() as clock:
            asyncio.run(asyncio.sleep(9))
        assert clock.now() == 9.0


def test_a_second_thread_is_refused_while_one_is_inside():
    def enter():
        with virtual_time():
            return "entered"

    with virtual_time():
        error = in_a_thread(enter)
        assert isinstance(error, VirtualTimeActiveError)
        assert "pass clock=VirtualClock()" in str(error)
    assert in_a_thread(enter) == "entered"


def test_all_threads_read_the_default_clock_but_only_counted_ones_get_virtual_loops():
    async def loop_name():
        return type(asyncio.get_running_loop()).__name__

    with virtual_time(42) as clock:
        assert in_a_thread(DEFAULT_CLOCK.now) == 42.0
        assert asyncio.run(loop_name()) == "VirtualEventLoop"
        assert in_a_thread(lambda: asyncio.run(loop_name())) != "VirtualEventLoop"
        assert clock.run_threads(lambda: asyncio.run(loop_name())) == ["VirtualEventLoop"]


def test_blocks_that_end_out_of_order_leave_the_last_one_current():
    first, second = virtual_time(), virtual_time()
    first.__enter__()
    inner = second.__enter__()
    first.__exit__(None, None, None)
    assert current_clock() is inner
    second.__exit__(None, None, None)


def test_it_decorates_functions():
    @virtual_time(start_s=1)
    def pause():
        DEFAULT_CLOCK.sleep(1)
        return DEFAULT_CLOCK.now()

    assert [pause(), pause()] == [2.0, 2.0]


def test_options_reach_the_clock():
    with virtual_time(auto=False) as clock:
        assert not clock.auto
    assert VirtualClock().auto
