"""`Fallback`: what replaces a failure, and that what is hidden is still seen."""

import asyncio
import inspect
import sys
import threading

import pytest

from workbench.clock import VirtualClock
from workbench.reliability.errors import ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.fallback import Fallback, RefusedResultError
from workbench.reliability.policy import PolicyError


def raising(error):
    def call():
        raise error

    return call


def araising(error):
    async def call():
        await asyncio.sleep(0)
        raise error

    return call


@pytest.fixture(params=["sync", "async"])
def through(request):
    """Call a fallback around a function that raises."""
    if request.param == "sync":
        return lambda fallback, error: fallback.call(raising(error))
    return lambda fallback, error: asyncio.run(fallback.acall(araising(error)))


def test_a_success_passes():
    fallback = Fallback("other")
    assert fallback.call(lambda: "mine") == "mine"
    assert fallback.statistics.succeeded == 1


@pytest.mark.parametrize("value", ["other", None, {}, {"a": 1}, 0])
def test_a_value_replaces_a_failure(through, value):
    assert through(Fallback(value), OSError()) == value


def test_a_function_of_the_exception_replaces_it(through):
    error = OSError("gone")
    assert through(Fallback(lambda raised: (raised is error, str(raised))), error) == (True, "gone")


def test_a_function_of_nothing_or_a_class_makes_a_new_value(through):
    assert through(Fallback(lambda: "made"), OSError()) == "made"
    fallback = Fallback(list)
    assert through(fallback, OSError()) == []
    assert through(fallback, OSError()) is not through(fallback, OSError())


def test_a_callable_can_be_the_value(through):
    assert through(Fallback.value(len), OSError()) is len


def test_an_async_function_is_awaited():
    async def other(error):
        await asyncio.sleep(0)
        return type(error)

    assert asyncio.run(Fallback(other).acall(araising(KeyError()))) is KeyError
    assert asyncio.run(Fallback(by_type={KeyError: other}).acall(araising(KeyError()))) is KeyError


def test_an_async_function_around_a_sync_call_is_an_error():
    async def other(_):
        return "never"

    fallback = Fallback(other)
    with pytest.raises(PolicyError, match="the replacement is async, the call is not") as caught:
        fallback.call(raising(KeyError("why")))
    assert repr(caught.value.__context__) == "KeyError('why')"
    assert fallback.statistics.failed == 1


def test_the_nearest_type_decides(through):
    fallback = Fallback("any", by_type={LookupError: "lookup", KeyError: lambda error: error.args[0]})
    errors = [KeyError("key"), IndexError(), OSError()]
    assert [through(fallback, error) for error in errors] == ["key", "lookup", "any"]


def test_without_another_replacement_only_the_types_are_replaced(through):
    fallback, error = Fallback(by_type={LookupError: "lookup"}), OSError()
    assert through(fallback, KeyError()) == "lookup"
    with pytest.raises(OSError) as caught:
        through(fallback, error)
    assert caught.value is error


def test_an_exception_that_is_meant_but_has_no_replacement_passes(through):
    with pytest.raises(OSError):
        through(Fallback(by_type={KeyError: 1}, on=Exception), OSError())


@pytest.mark.parametrize(
    ("arguments", "replaced"),
    [
        ({"on": OSError}, [True, False, False]),
        ({"on": ErrorClass.TIMEOUT}, [False, True, False]),
        ({"on": lambda error: isinstance(error, KeyError)}, [False, False, True]),
        ({"ignore": TimeoutError, "on": (OSError, KeyError)}, [True, False, True]),
    ],
)
def test_only_what_is_meant_is_replaced(through, arguments, replaced):
    fallback = Fallback("other", **arguments)
    errors = [PermissionError(), TimeoutError(), KeyError()]
    if arguments.get("on") is OSError:
        errors[1] = ValueError()  # a TimeoutError is an OSError
    for error, is_replaced in zip(errors, replaced, strict=True):
        if is_replaced:
            assert through(fallback, error) == "other"
        else:
            with pytest.raises(type(error)):
                through(fallback, error)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), asyncio.CancelledError("why")])
def test_cancellation_always_passes_with_its_identity(error):
    fallback = Fallback("other")
    with pytest.raises(type(error)) as caught:
        fallback.call(raising(error))
    assert caught.value is error
    if isinstance(error, asyncio.CancelledError):
        with pytest.raises(asyncio.CancelledError, match="why"):
            asyncio.run(fallback.acall(araising(error)))


def test_results_can_be_refused():
    fallback = Fallback(
        lambda refused: ("instead of", refused.result), on_result=lambda result: result is None
    )
    assert fallback.call(lambda: None) == ("instead of", None)
    assert fallback.call(lambda: 1) == 1
    assert fallback.statistics.refused == 1
    assert str(RefusedResultError("mine", 3)) == "fallback 'mine' refused the result 3"


def test_what_a_replacement_raises_comes_with_what_it_should_have_replaced(through):
    fallback, error = Fallback(lambda _: 1 / 0), OSError("first")
    with pytest.raises(ZeroDivisionError) as caught:
        through(fallback, error)
    assert caught.value.__context__ is error
    assert (fallback.statistics.failed, fallback.statistics.hidden) == (1, 0)


def test_what_is_hidden_is_counted_by_type_and_told(through):
    clock = VirtualClock(5.0)
    fallback, heard, error = Fallback("other", clock=clock), [], KeyError("k")
    end = fallback.listen(heard.append)
    through(fallback, error)
    through(fallback, KeyError())
    through(fallback, OSError())
    assert fallback.statistics.by_type == {"KeyError": 2, "OSError": 1}
    assert [event.kind for event in heard] == ["hidden"] * 3
    assert (heard[0].at_s, dict(heard[0].details)["error"]) == (5.0, error)
    assert repr(fallback.statistics) == (
        "FallbackStatistics(succeeded=0, hidden=3, refused=0, failed=0, hidden KeyError=2, hidden OSError=1)"
    )
    assert fallback.statistics.to_pandas().loc[0, "hidden KeyError"] == 2
    end()
    fallback.reset()
    through(fallback, KeyError())
    assert (len(heard), fallback.statistics.hidden) == (3, 1)


def test_one_around_another_replaces_what_the_inner_lets_pass():
    call = Pipeline(Fallback("outer"), Fallback("inner", on=KeyError))
    assert call.call(raising(KeyError())) == "inner"
    assert call.call(raising(OSError())) == "outer"


def test_threads_lose_no_count():
    fallback, interval = Fallback("other", on=ZeroDivisionError), sys.getswitchinterval()
    call = fallback(lambda number: 1 // (number % 2))

    def work():
        for number in range(2000):
            call(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert (fallback.statistics.succeeded, fallback.statistics.hidden) == (4000, 4000)


def test_decorated_functions_keep_their_signature():
    @Fallback(0.0)
    def price(item: str) -> float:
        """Ask for a price."""
        raise OSError

    assert price("tea") == 0.0
    assert (price.__name__, str(inspect.signature(price))) == ("price", "(item: str) -> float")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "nothing to fall back to"),
        ({"by_type": {}}, "nothing to fall back to: give"),
        ({"by_type": {int: 1}}, "no type of exceptions"),
        ({"replacement": 1, "on": KeyboardInterrupt}, "KeyboardInterrupt is not an Exception"),
        ({"replacement": 1, "on": 3}, "on: 3 is no exception type"),
        ({"replacement": 1, "on_result": 3}, "on_result needs a function"),
        ({"by_type": {KeyError: 1}, "on_result": bool}, "and a replacement for those"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(PolicyError, match=message):
        Fallback(**arguments)
