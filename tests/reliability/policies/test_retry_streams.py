"""Generators and async generators: tried again until the first item has come."""

import inspect

import pytest

from workbench.backoff import Constant
from workbench.clock import VirtualClock
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policy import PolicyError


def to_async(function):
    """Return an async generator function that yields what a generator function yields."""

    async def stream(*args, **kwargs):
        for item in function(*args, **kwargs):
            yield item

    return stream


@pytest.fixture(params=["sync", "async"])
def collect(request):
    """Return what a retried stream yields, the error that ended it, and the clock's reading."""

    def collect(function, *args, resume=None, **more):
        clock, items = VirtualClock(), []
        retry = Retry(clock=clock, **({"attempts": 3, "backoff": Constant(1.0)} | more))
        if request.param == "async":
            function = to_async(function)
            resume = resume and to_async(resume)

        async def main():
            async for item in retry.stream(resume=resume)(function)(*args):
                items.append(item)  # noqa: PERF401 - items are noted as they come, errors or not

        error = None
        try:
            if request.param == "async":
                clock.run(main())
            else:
                items.extend(iter_into(items, retry.stream(resume=resume)(function)(*args)))
        except Exception as raised:  # noqa: BLE001 - it is what is asked for
            error = raised
        return items, error, clock.now(), retry

    return collect


def iter_into(items, stream):
    for item in stream:
        items.append(item)
    return ()


class Lines:
    """A source that fails on chosen openings: before an item of that number comes."""

    def __init__(self, *fail_at):
        self.fail_at = list(fail_at)
        self.opened = 0

    def read(self, count, start=0):
        self.opened += 1
        fails = self.fail_at.pop(0) if self.fail_at else None
        for number in range(start, count):
            if number == fails:
                raise ConnectionError(number)
            yield number


def test_a_stream_that_fails_before_its_first_item_is_opened_again(collect):
    lines = Lines(0, 0)
    items, error, now, retry = collect(lines.read, 4)
    assert (items, error, lines.opened, now) == ([0, 1, 2, 3], None, 3, 2.0)
    assert (retry.statistics.retries, retry.statistics.recovered) == (2, 1)


def test_what_was_yielded_is_never_yielded_twice(collect):
    lines = Lines(2)
    items, error, _, _ = collect(lines.read, 4)
    assert (items, lines.opened) == ([0, 1], 1)
    assert isinstance(error, ConnectionError)


def test_it_goes_on_where_somebody_knows_how(collect):
    lines = Lines(2, 3)
    items, error, _, retry = collect(
        lines.read, 5, resume=lambda progress, count: lines.read(count, progress.last + 1)
    )
    assert (items, error, lines.opened) == ([0, 1, 2, 3, 4], None, 3)
    assert retry.statistics.recovered == 1


def test_failures_of_what_goes_on_count_as_attempts(collect):
    lines = Lines(1, 1, 1, 1)
    items, error, _, _ = collect(
        lines.read, 5, resume=lambda progress, count: lines.read(count, progress.count)
    )
    assert (items, lines.opened) == ([0], 3)
    assert isinstance(error, ConnectionError)


def test_attempts_end(collect):
    lines = Lines(0, 0, 0, 0)
    items, error, _, _ = collect(lines.read, 4)
    assert (items, lines.opened, error.args) == ([], 3, (0,))


def test_an_empty_stream_is_no_failure(collect):
    lines = Lines()
    assert collect(lines.read, 0)[:2] == ([], None)
    assert lines.opened == 1


def test_a_stream_pays_once(collect):
    budget = RetryBudget()
    collect(Lines(0).read, 3, budget=budget)
    assert budget.statistics.calls == 1


def test_decorating_a_generator_function_is_enough():
    lines = Lines(0)
    retried = Retry(backoff=Constant(0.0))(lines.read)
    assert inspect.isgeneratorfunction(retried)
    assert list(retried(3)) == [0, 1, 2]

    async def main():
        return [item async for item in Retry(backoff=Constant(0.0))(to_async(Lines(0).read))(3)]

    assert VirtualClock().run(main()) == [0, 1, 2]


def test_what_is_sent_and_returned_reaches_the_one_that_runs():
    failed = []

    @Retry(backoff=Constant(0.0))
    def echo():
        if not failed:
            failed.append(1)
            raise OSError
        heard = yield "ready"
        try:
            heard = yield f"heard {heard}"
        except KeyError:
            heard = yield "caught"
        return f"at last {heard}"

    stream = echo()
    assert next(stream) == "ready"
    assert stream.send("hello") == "heard hello"
    assert stream.throw(KeyError()) == "caught"
    with pytest.raises(StopIteration, match="at last 7"):
        stream.send(7)


def test_what_the_consumer_throws_is_not_tried_again():
    opened = []

    @Retry(backoff=Constant(0.0)).stream(resume=lambda progress: iter(()))
    def numbers():
        opened.append(1)
        yield from range(5)

    stream = numbers()
    next(stream)
    thrown = OSError("thrown")
    with pytest.raises(OSError) as caught:
        stream.throw(thrown)
    assert caught.value is thrown
    assert opened == [1]


def test_a_stream_that_is_closed_closes_the_one_that_runs():
    closed = []

    def numbers():
        try:
            yield from range(5)
        finally:
            closed.append(1)

    stream = Retry()(numbers)()
    next(stream)
    stream.close()
    assert closed == [1]

    async def main():
        stream = Retry()(to_async(numbers))()
        await anext(stream)
        await stream.aclose()

    VirtualClock().run(main())


def test_only_generator_functions_are_streams():
    with pytest.raises(PolicyError, match="generator"):
        Retry().stream()(len)
