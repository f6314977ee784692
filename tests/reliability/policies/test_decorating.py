"""What any policy can be put around, and what it makes of it."""

import asyncio
import functools
import inspect

import pytest
from reliability.policies.every_policy import MAKERS

from workbench.reliability.fusing.decorated import AsyncFunctionError
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.breaker_registry import BreakerRegistry
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.policy import PolicyError


@pytest.fixture(params=MAKERS)
def policy(request):
    return MAKERS[request.param]()


def double(number):
    """Double it."""
    return 2 * number


async def adouble(number):
    return 2 * number


class Doubling:
    def __call__(self, number):
        return 2 * number


class AsyncDoubling:
    async def __call__(self, number):
        return 2 * number


@pytest.mark.parametrize("given", [double, Doubling(), functools.partial(double), Doubling().__call__])
def test_what_can_be_called_can_be_decorated(policy, given):
    found = policy(given)
    assert not inspect.iscoroutinefunction(found)
    assert found(4) == policy.call(given, 4) == 8


@pytest.mark.parametrize(
    "given", [adouble, AsyncDoubling(), functools.partial(adouble), functools.partial(AsyncDoubling())]
)
def test_what_is_awaited_is_async_however_it_comes(policy, given):
    found = policy(given)
    assert inspect.iscoroutinefunction(found)
    assert asyncio.run(found(4)) == 8
    assert asyncio.run(policy.acall(given, 4)) == 8


def test_an_async_object_that_fails_is_tried_again():
    class Flaky:
        calls = 0

        async def __call__(self):
            self.calls += 1
            if self.calls < 3:
                raise ConnectionError
            return self.calls

    assert asyncio.run(MAKERS["retry"]()(Flaky())()) == 3


def test_methods_of_all_kinds_can_be_decorated_from_within_and_from_outside(policy):
    class Shop:
        factor = 2

        @policy
        def own(self, number, *, more=0):
            return self.factor * number + more

        @policy
        async def later(self, number):
            return self.factor * number

        @policy
        @classmethod
        def of_class(cls, number):
            return cls.factor * number

        @classmethod
        @policy
        def of_class_within(cls, number):
            return cls.factor * number

        @policy
        @staticmethod
        def static(number):
            return 2 * number

    shop = Shop()
    assert (shop.own(4), shop.own(number=4, more=1), asyncio.run(shop.later(4))) == (8, 9, 8)
    assert (shop.of_class(4), Shop.of_class(4), Shop.of_class_within(4)) == (8, 8, 8)
    assert (shop.static(4), Shop.static(4)) == (8, 8)


def test_what_has_no_name_of_its_own_is_called_like_what_it_stands_for(policy):
    assert policy(functools.partial(double, 2)).__name__ == "double"
    assert policy(Doubling()).__qualname__ == "Doubling"
    assert policy(double).__doc__ == "Double it."


@pytest.mark.parametrize("given", [None, 3, "double"])
def test_what_cannot_be_called_is_refused_at_once(policy, given):
    with pytest.raises(PolicyError, match="expected a function"):
        policy(given)


def items():
    yield 1


async def more_items():
    yield 1


class Items:
    def __call__(self):
        yield 1


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"retry"}))
@pytest.mark.parametrize("given", [items, more_items, functools.partial(items), Items()])
def test_a_generator_function_is_refused_as_it_returns_before_it_works(name, given):
    policy = MAKERS[name]()
    with pytest.raises(PolicyError, match=r"generator function (items|more_items|Items).*Retry\.stream"):
        policy(given)


def test_a_time_limit_does_not_pretend_to_hold_while_a_generator_works():
    with pytest.raises(PolicyError, match="no limit would hold while it works"):
        Timeout(1.0)(items)


@pytest.mark.parametrize("given", [functools.partial(items), Items(), functools.partial(Items())])
def test_a_retry_opens_streams_again_however_they_come(given):
    assert list(Retry()(given)()) == [1]


def test_a_registry_knows_what_it_decorates_as_policies_do():
    breakers = BreakerRegistry(lambda _: CircuitBreaker())
    by_number = breakers.by(lambda number: number)
    assert asyncio.run(by_number(AsyncDoubling())(4)) == 8
    assert by_number(functools.partial(double))(4) == 8
    with pytest.raises(PolicyError, match="generator function items"):
        by_number(items)


def test_an_async_function_that_nobody_awaits_is_an_error_that_says_what_to_write(policy):
    with pytest.raises(AsyncFunctionError, match=r"adouble is async: use `await \.\.\.acall"):
        policy.call(adouble, 4)


@pytest.mark.parametrize("name", ["max", "min", "len", "type", "Exception", "BaseException", "id"])
def test_parameters_may_be_named_like_builtins(policy, name):
    scope = {}
    exec(f"def function({name}): return {name}", scope)
    assert policy(scope["function"])(4) == 4
