"""`Pipeline.reload`: other policies while calls run; each call sees the old ones or the new ones."""

import asyncio
import gc
import sys
import threading
import weakref
from contextlib import suppress

import pytest
from hypothesis import given
from reliability.pipelines.specs import specs

from workbench.clock import VirtualClock
from workbench.reliability.errors import BulkheadFullError, CircuitOpenError, RateLimitedError
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines.errors import ConfigError
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout


def of(*layers, **more):
    return {"layers": [{"kind": kind, **values} for kind, values in layers], **more}


def fail():
    raise ConnectionError


def fates(reloaded):
    return dict(reloaded.layers)


def test_layers_that_say_the_same_stay_the_same_objects():
    spec = of(("deadline", {"timeout_s": 2}), ("retry", {"attempts": 3}), ("breaker", {}))
    pipeline = Pipeline.from_dict(spec, clock=VirtualClock())
    before = pipeline.policies
    reloaded = pipeline.reload(spec)
    assert pipeline.policies == before
    assert not reloaded.changed
    assert fates(reloaded) == {"deadline": "unchanged", "retry": "unchanged", "breaker": "unchanged"}


def test_the_fate_of_each_layer_is_told():
    pipeline = Pipeline.from_dict(
        of(("deadline", {"timeout_s": 2}), ("retry", {}), ("limiter.gcra", {"rate_hz": 5}), ("bulkhead", {})),
    )
    reloaded = pipeline.reload(
        of(("retry", {"attempts": 9}), ("limiter.gcra", {"rate_hz": 6}), ("bulkhead", {}), ("cache", {}))
    )
    assert reloaded.changed
    assert reloaded.layers == (
        ("retry", "kept"),
        ("limiter", "anew"),
        ("bulkhead", "unchanged"),
        ("cache", "new"),
        ("deadline", "gone"),
    )
    assert repr(reloaded).startswith("Reloaded(retry: kept, limiter: anew")
    assert "begins anew" in reloaded._repr_html_()


def test_an_open_breaker_stays_open_and_goes_on_counting():
    clock = VirtualClock()
    pipeline = Pipeline.from_dict(of(("breaker", {"consecutive": 2, "open_s": 30})), clock=clock)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            pipeline.call(fail)
    pipeline.reload(of(("breaker", {"consecutive": 3, "open_s": 10})))
    with pytest.raises(CircuitOpenError):
        pipeline.call(fail)
    clock.advance(10.0)
    assert pipeline.call(lambda: "fine") == "fine"
    assert pipeline.statistics[0].opened == 1


def test_a_breaker_with_another_window_keeps_its_state_only():
    clock = VirtualClock()
    pipeline = Pipeline.from_dict(
        of(("breaker", {"window": 2, "minimum_calls": 2, "open_s": 30})), clock=clock
    )
    for _ in range(2):
        with pytest.raises(ConnectionError):
            pipeline.call(fail)
    clock.advance(20.0)
    pipeline.reload(of(("breaker", {"window": 50, "open_s": 30})))
    with pytest.raises(CircuitOpenError):
        pipeline.call(fail)
    clock.advance(10.0)
    assert pipeline.call(lambda: "fine") == "fine"


def test_a_limiter_remembers_who_has_had_what():
    clock = VirtualClock()
    limiter = RateLimiter.gcra(rate_hz=1, burst=2, key=str, clock=clock)
    pipeline = Pipeline(limiter)
    pipeline.call(str, "ann")
    pipeline.call(str, "ann")
    same = {"kind": "limiter.gcra", "rate_hz": 1.0, "burst": 2.0, "key": "builtins:str"}
    reloaded = pipeline.reload({"layers": [{**same, "wait_s": 0.5}]})
    assert fates(reloaded) == {"limiter": "kept"}
    with pytest.raises(RateLimitedError):
        pipeline.call(str, "ann")
    assert pipeline.call(str, "bob") == "bob"
    assert not pipeline[0].try_acquire("ann")
    assert pipeline.statistics[0].taken == 3
    clock.advance(0.6)
    assert pipeline.call(str, "ann") == "ann"
    assert clock.now() == pytest.approx(1.0)


def test_budgets_and_counts_go_on():
    clock = VirtualClock()

    def spec(attempts, burst):
        retry = {"attempts": attempts, "budget": "b", "backoff": {"kind": "constant"}}
        return of(("retry", retry), budgets={"b": {"ratio": 0.0, "minimum_hz": 0.0, "burst": burst}})

    pipeline = Pipeline.from_dict(spec(3, 5), clock=clock)
    with pytest.raises(ConnectionError):
        pipeline.call(fail)
    budget = pipeline[0].budget
    pipeline.reload(spec(4, 5))
    assert pipeline[0].budget is budget
    assert pipeline[0].budget.left() == 3.0
    assert pipeline.statistics[0].retries == 2
    with pytest.raises(ConnectionError):
        pipeline.call(fail)
    assert pipeline[0].budget.left() == 0.0
    assert pipeline.statistics[0].retries == 5
    pipeline.reload(spec(4, 6))
    assert pipeline[0].budget is not budget
    assert pipeline[0].budget.left() == 1.0


def test_answers_of_a_cache_and_other_knowledge_go_on():
    clock = VirtualClock()
    pipeline = Pipeline.from_dict(
        of(
            ("cache", {"ttl_s": 60}),
            ("hedge", {"minimum_calls": 100}),
            ("client_throttle", {}),
            ("adaptive_limit", {"algorithm": "aimd", "initial": 50}),
            ("chaos.error", {"rate": 0.0}),
        ),
        clock=clock,
    )
    for number in range(3):
        pipeline.call(str, number)
    seed = pipeline[4].seed
    pipeline.reload(
        of(
            ("cache", {"ttl_s": 90}),
            ("hedge", {"minimum_calls": 100, "quantile": 0.9}),
            ("client_throttle", {"ratio": 3}),
            ("adaptive_limit", {"algorithm": "aimd", "maximum": 40}),
            ("chaos.error", {"rate": 0.5}),
        )
    )
    cache, hedge, throttle, limit, chaos = pipeline
    assert (len(cache), cache.statistics.misses) == (3, 3)
    assert hedge.learnt.observed == 3
    assert throttle.statistics.requests == 3
    assert limit.limit == 40
    assert (chaos.seed, chaos.statistics.calls) == (seed, 3)


def test_a_bulkhead_is_resized_and_those_that_wait_get_the_places():
    clock = VirtualClock()
    pipeline = Pipeline.from_dict(of(("bulkhead", {"limit": 1, "queue": 2})), clock=clock)
    running = []

    async def call(number):
        running.append(number)
        await clock.asleep(10.0)

    async def main():
        tasks = [asyncio.ensure_future(pipeline.acall(call, number)) for number in range(3)]
        await clock.asleep(1.0)
        assert running == [0]
        pipeline.reload(of(("bulkhead", {"limit": 3, "queue": 2})))
        await clock.asleep(1.0)
        assert running == [0, 1, 2]
        pipeline.reload(of(("bulkhead", {"limit": 1})))
        with pytest.raises(BulkheadFullError):
            await pipeline.acall(call, 3)
        await asyncio.gather(*tasks)

    clock.run(main())
    assert pipeline.statistics[0].running == 0
    assert pipeline.call(len, "abc") == 3


def test_calls_in_flight_end_through_the_policies_they_began_with():
    clock = VirtualClock()
    pipeline = Pipeline.from_dict(
        of(("retry", {"attempts": 3, "backoff": {"kind": "constant"}})), clock=clock
    )
    attempts = {"old": 0, "new": 0}

    @pipeline
    async def call(which):
        attempts[which] += 1
        raise ConnectionError

    async def main():
        old = asyncio.ensure_future(call("old"))
        await clock.asleep(0.5)
        pipeline.reload(of(("retry", {"attempts": 5, "backoff": {"kind": "constant"}})))
        new = asyncio.ensure_future(call("new"))
        await asyncio.gather(old, new, return_exceptions=True)

    clock.run(main())
    assert attempts == {"old": 3, "new": 5}


def test_listeners_stay_with_the_layer_until_they_end():
    pipeline = Pipeline.from_dict(of(("breaker", {"consecutive": 9})))
    heard = []
    end = pipeline[0].listen(heard.append)
    pipeline.reload(of(("breaker", {"consecutive": 8})))
    pipeline.call(len, "abc")
    assert [event.kind for event in heard] == ["success"]
    end()
    pipeline.call(len, "abc")
    assert len(heard) == 1
    assert not pipeline[0].listening


def test_policies_that_come_back_are_listened_to_once():
    one, two = CircuitBreaker.consecutive(9), CircuitBreaker.consecutive(8)
    pipeline = Pipeline(one)
    heard = []
    end = one.listen(heard.append)
    for policy in (two, one, two, one):
        pipeline.reload(Pipeline(policy))
        pipeline.call(len, "abc")
    assert [event.kind for event in heard] == ["success"] * 4
    end()
    pipeline.call(len, "abc")
    pipeline.reload(Pipeline(two))
    assert len(heard) == 4


def test_from_a_file_a_mapping_and_a_pipeline(tmp_path):
    (tmp_path / "a.yaml").write_text("{name: shop, layers: [{kind: timeout, timeout_s: 1s}]}")
    pipeline = Pipeline(name="cart")
    assert fates(pipeline.reload(tmp_path / "a.yaml")) == {"timeout": "new"}
    assert (repr(pipeline), pipeline.name) == ("Pipeline(timeout)", "shop")
    assert fates(pipeline.reload(str(tmp_path / "a.yaml"))) == {"timeout": "unchanged"}
    retry = Retry()
    pipeline.reload(Pipeline(retry, *pipeline.policies, name="other"))
    assert (pipeline[0], pipeline.name) == (retry, "other")
    pipeline.reload({"layers": []})
    assert (len(pipeline), pipeline.name) == (0, "other")
    assert pipeline.call(len, "abc") == 3


@pytest.mark.parametrize("spec", [3, None, {"layers": [{"kind": "oops"}]}, {"layers": [{"kind": "timeout"}]}])
def test_what_is_wrong_changes_nothing(spec):
    pipeline = Pipeline(Retry(), Timeout(1.0))
    before, source = pipeline.policies, pipeline.source()
    with pytest.raises(ConfigError):
        pipeline.reload(spec)
    assert (pipeline.policies, pipeline.source()) == (before, source)


def test_layers_of_one_kind_and_name_are_told_apart_by_their_order():
    pipeline = Pipeline(Cache(ttl_s=5.0), Cache(ttl_s=6.0))
    first, second = pipeline
    pipeline.reload(of(("cache", {"ttl_s": 5.0}), ("cache", {"ttl_s": 6.0}), ("cache", {"ttl_s": 6.0})))
    assert pipeline.policies[:2] == (first, second)


def test_a_policy_that_was_used_by_itself_before_goes_on_with_what_was_learnt_too():
    pipeline, other = Pipeline(CircuitBreaker.consecutive(3)), Pipeline(CircuitBreaker.consecutive(2))
    with suppress(ConnectionError):
        pipeline.call(fail)
    assert other[0].call(len, "abc") == other.call(len, "abc") == 3
    assert fates(pipeline.reload(other)) == {"breaker": "kept"}
    for way_in in (other[0].call, other.call):
        with pytest.raises((ConnectionError, CircuitOpenError)):
            way_in(fail)
    assert pipeline[0].state == "open"


def test_a_policy_of_ones_own_says_what_it_takes_over():
    class Counting(CircuitBreaker):
        kind = "counting"

        def adopt(self, old):
            self.total = old.total
            return True

    first, second = Counting(), Counting(window=5)
    first.total = 7
    pipeline = Pipeline(first)
    pipeline.reload(Pipeline(second))
    assert pipeline[0] is second
    assert second.total == 7


def test_a_policy_that_is_gone_is_forgotten():
    pipeline = Pipeline(Retry(), CircuitBreaker())
    pipeline.call(len, "abc")
    gone = weakref.ref(pipeline.policies[1])
    pipeline.reload(of(("retry", {})))
    gc.collect()
    assert gone() is None


@given(specs(), specs())
def test_any_pipeline_becomes_any_other(one, two):
    pipeline = Pipeline.from_dict(one)
    wanted = Pipeline.from_dict(two)
    pipeline.reload(two)
    assert pipeline.to_dict()["layers"] == wanted.to_dict()["layers"]
    assert [policy.layer() for policy in pipeline] == [policy.layer() for policy in wanted]
    assert [repr(policy.parameters) for policy in pipeline if policy.kind != "adaptive limit"] == [
        repr(policy.parameters) for policy in wanted if policy.kind != "adaptive limit"
    ]


@pytest.fixture
def switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Tag:
    """A function of a configuration, which notes that a call passed by it."""

    here = threading.local()


def odd(_result):
    Tag.here.seen = [*getattr(Tag.here, "seen", []), "odd"]
    return False


def even(_result):
    Tag.here.seen = [*getattr(Tag.here, "seen", []), "even"]
    return False


ODD = of(*(("retry", {"name": f"r{number}", "on_result": f"{__name__}:odd"}) for number in range(4)))
EVEN = of(*(("retry", {"name": f"r{number}", "on_result": f"{__name__}:even"}) for number in range(3)))


@pytest.mark.usefixtures("switching")
def test_no_call_of_eight_threads_sees_a_mix():
    """A call passes by four layers of one kind, or by three of the other; never by some of both."""
    pipeline = Pipeline.from_dict(ODD)
    stop, mixed, counts, errors = threading.Event(), [], {"odd": 0, "even": 0}, []

    @pipeline
    def decorated(x):
        return x

    def hammer(number):
        try:
            while not stop.is_set():
                Tag.here.seen = []
                found = decorated(number) if number % 2 else pipeline.call(int, number)
                seen = tuple(Tag.here.seen)
                if found != number or seen not in {("odd",) * 4, ("even",) * 3}:
                    mixed.append(seen)
                counts[seen[0]] += 1
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for number in range(24):
        pipeline.reload(EVEN if number % 2 == 0 else ODD)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert mixed == []
    assert counts["odd"] > 0
    assert counts["even"] > 0


@pytest.mark.usefixtures("switching")
def test_what_a_limiter_lets_through_is_exact_across_reloads():
    """No permit is given twice, and none is lost, however often the layer is replaced."""
    clock = VirtualClock()
    pipeline = Pipeline.from_dict(of(("limiter.token_bucket", {"rate_hz": 1, "burst": 300})), clock=clock)
    passed = []

    def hammer():
        for _ in range(100):
            with suppress(RateLimitedError):
                pipeline.call(passed.append, 1)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(20):
        pipeline.reload(of(("limiter.token_bucket", {"rate_hz": 1, "burst": 300, "max_keys": 1000 + number})))
    for thread in threads:
        thread.join()
    assert len(passed) == 300
    assert (pipeline.statistics[0].taken, pipeline.statistics[0].refused) == (300, 500)


@pytest.mark.usefixtures("switching")
def test_two_threads_that_reload_at_once_leave_one_of_both():
    pipeline = Pipeline.from_dict(of(("retry", {"attempts": 2})))
    errors = []

    def reload(attempts):
        try:
            for _ in range(20):
                pipeline.reload(of(("retry", {"attempts": attempts}), ("cache", {"max_entries": attempts})))
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=reload, args=(number,)) for number in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert pipeline[0].attempts == pipeline[1].max_entries
    assert pipeline.call(len, "abc") == 3
