"""`BreakerRegistry`: a breaker a key, never more than fit, and never an open one gone without a word."""

import asyncio
import logging
import sys
import threading

import pytest

from workbench.clock import VirtualClock
from workbench.reliability.errors import CircuitOpenError
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.breaker_registry import BreakerRegistry
from workbench.reliability.policy import PolicyError


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def make(clock):
    def make(**more):
        return BreakerRegistry(lambda _: CircuitBreaker.consecutive(1, clock=clock), clock=clock, **more)

    return make


def test_each_key_has_its_own(make):
    breakers = make()
    with pytest.raises(ZeroDivisionError):
        breakers.call("a", lambda: 1 / 0)
    with pytest.raises(CircuitOpenError, match="'a'"):
        breakers.call("a", lambda: 1)
    assert breakers.call("b", lambda: 2) == 2
    assert breakers.states() == {"a": "open", "b": "closed"}
    assert breakers["a"] is breakers["a"]
    assert repr(breakers) == "BreakerRegistry(2 of 1024 keys, 1 closed, 1 open)"
    assert ">a</td>" in breakers._repr_html_()


def test_the_least_recently_used_goes_first(make):
    breakers = make(max_keys=2)
    first = breakers["a"]
    breakers["b"]
    breakers["a"]
    breakers["c"]
    assert list(breakers) == ["a", "c"]
    assert breakers["a"] is first
    assert breakers.statistics.evicted == 1


def test_an_open_one_stays_where_a_closed_one_can_go(make):
    breakers = make(max_keys=2)
    breakers["a"].open()
    breakers["b"]
    breakers["c"]
    assert list(breakers) == ["a", "c"]
    assert breakers.statistics.evicted_open == 0


def test_an_open_one_that_has_to_go_is_counted_logged_and_told(make, caplog):
    breakers = make(max_keys=2)
    told = []
    end = breakers.listen(told.append)
    for key in "ab":
        breakers[key].force_open()
    with caplog.at_level(logging.WARNING):
        breakers["c"]
    assert list(breakers) == ["b", "c"]
    assert breakers.statistics.evicted_open == 1
    assert "circuit breaker of 'a' evicted while forced_open" in caplog.text
    assert [event.details for event in told] == [(("key", "a"), ("state", "forced_open"))]
    end()
    breakers["c"].open()
    breakers["d"]
    assert len(told) == 1


def test_idle_ones_go_but_not_while_they_are_open(make, clock):
    breakers = make(idle_s=10.0)
    breakers["closed"]
    breakers["open"].open()
    clock.advance(9.0)
    breakers["used"]
    clock.advance(1.0)
    breakers["new"]
    assert set(breakers) == {"open", "used", "new"}
    clock.advance(51.0)  # it would try again by now, and nobody came
    breakers["new"]
    assert set(breakers) == {"new"}


def test_functions_are_decorated_by_the_key_of_their_arguments(make):
    breakers = make()

    @breakers.by(lambda host, path="/": host)
    def fetch(host, path="/"):
        if host == "bad":
            raise OSError
        return host + path

    @breakers.by(lambda host: host)
    async def afetch(host):
        return host

    assert fetch("good", path="/a") == "good/a"
    with pytest.raises(OSError):
        fetch("bad")
    with pytest.raises(CircuitOpenError):
        asyncio.run(afetch("bad"))
    assert asyncio.run(afetch("good")) == "good"
    assert fetch.__name__ == "fetch"


def test_it_can_be_reset_and_keys_removed(make):
    breakers = make()
    breakers["a"].open()
    breakers.reset()
    assert breakers.states() == {"a": "closed"}
    breakers.remove("a")
    breakers.remove("a")
    assert "a" not in breakers
    assert len(breakers) == 0


def test_many_threads_get_the_same_breaker_for_a_key():
    breakers, seen, interval = BreakerRegistry(max_keys=50), [[] for _ in range(4)], sys.getswitchinterval()

    def work(mine):
        for turn in range(300):
            breaker = breakers[turn % 50]
            mine.append(breaker)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in seen]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert breakers.statistics.made == 50
    assert len({id(breaker) for mine in seen for breaker in mine}) == 50


@pytest.mark.parametrize("arguments", [{"max_keys": 0}, {"idle_s": 0.0}])
def test_arguments_out_of_range_are_named(arguments):
    with pytest.raises(PolicyError, match=next(iter(arguments))):
        BreakerRegistry(**arguments)
