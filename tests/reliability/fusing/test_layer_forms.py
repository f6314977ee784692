# ruff: noqa: F841, RET504, SIM108 - the forms that are fused
"""The forms that layers may be written in: arguments, functions within, readings of the clock in branches."""

import asyncio

from workbench.reliability.fusing.chain import Chain
from workbench.reliability.fusing.layers import Layer, entry_time, in_world, with_call

machine = "a global name of this module"


class Ticking:
    def __init__(self):
        self.readings = 0

    def now(self):
        self.readings += 1
        return float(self.readings)


class Around:
    """A policy in the least that the compiler needs."""

    def __init__(self, template, clock=None, **taken):
        self.template, self.clock = template, clock or Ticking()
        vars(self).update(taken)

    def layer(self):
        return Layer(self.template)


def through(function, *templates_and_policies):
    return Chain(tuple(templates_and_policies)).wrap(function)


def seeing(q, proceed):
    see = q.see
    seen = with_call(see)
    if seen:
        result = proceed()
    else:
        result = seen


def repeating(q, proceed):
    times = q.times

    def again():
        result = proceed()
        return result

    first = in_world(call_it, await_it)(again)
    for _ in range(times - 1):
        in_world(call_it, await_it)(again)
    result = first


def call_it(function):
    return function()


async def await_it(function):
    return await function()


def reading_at_times(q, proceed):
    clock, wanted = q.clock, q.wanted
    if wanted:
        entered = entry_time(clock)
        q.read.append(entered)
    result = proceed()


def reading(q, proceed):
    clock = q.clock
    entered = entry_time(clock)
    q.read.append(entered)
    result = proceed()


def trying(q, proceed):
    known = q.known
    try:
        if known == machine:
            result = proceed()
    except ZeroDivisionError:
        result = machine


def test_a_layer_sees_the_function_and_all_arguments():
    seen = []
    around = Around(seeing, see=lambda *args, **kwargs: seen.append((args, kwargs)) or True)

    def add(a, b):
        return a + b

    assert through(add, around)(1, b=2) == 3
    assert seen == [((add, 1, 2), {})]

    def spread(a, *rest, **named):
        return a, rest, named

    assert through(spread, around)(1, 2, c=3) == (1, (2,), {"c": 3})
    assert seen[1] == ((spread, 1, 2), {"c": 3})


def test_a_function_within_can_proceed_many_times_and_nests():
    calls = []

    def call(x):
        calls.append(x)
        return len(calls)

    assert through(call, Around(repeating, times=2), Around(repeating, times=3))("x") == 1
    assert calls == ["x"] * 6


def test_a_function_within_is_async_in_the_async_world():
    calls = []

    async def call(x):
        await asyncio.sleep(0)
        calls.append(x)
        return len(calls)

    assert asyncio.run(through(call, Around(repeating, times=2), Around(repeating, times=3))("x")) == 1
    assert len(calls) == 6


def test_a_reading_of_the_clock_in_a_branch_is_not_reused_outside_of_it():
    clock, read = Ticking(), []
    for wanted, readings in ((False, [1.0]), (True, [2.0, 3.0])):
        outer = Around(reading_at_times, clock, wanted=wanted, read=read)
        assert through(lambda: "done", outer, Around(reading, clock, read=read))() == "done"
        assert read == readings
        read.clear()


def test_a_reading_before_a_branch_is_reused_within_it():
    clock, read = Ticking(), []
    inner = Around(reading_at_times, clock, wanted=True, read=read)
    through(lambda: "done", Around(reading, clock, read=read), inner)()
    assert read == [1.0, 1.0]


def test_arguments_may_be_called_like_globals_of_a_layer():
    def show(machine, entry_time, trying):
        return machine, entry_time, trying

    assert through(show, Around(trying, known=machine))(1, 2, 3) == (1, 2, 3)

    def fail(machine):
        return 1 / machine

    assert through(fail, Around(trying, known=machine))(0) == machine
