"""`Pipeline.explain`: what happened to one call, by the pipeline's clock; the call is what it always is."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.backoff import Constant
from workbench.clock import VirtualClock
from workbench.reliability.errors import CircuitOpenError
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines.explanation import Step, with_waits
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout


class Callee:
    """Takes 0.2 s by a clock, fails so often, then answers."""

    def __init__(self, clock, failures=0, error=ConnectionError):
        self.clock, self.failures, self.error = clock, failures, error
        self.calls = 0

    def call(self):
        self.calls += 1
        self.clock.sleep(0.2)
        return self.answer()

    async def acall(self):
        self.calls += 1
        await self.clock.asleep(0.2)
        return self.answer()

    def answer(self):
        if self.calls <= self.failures:
            raise self.error
        return "fine"


class World:
    def __init__(self, name):
        self.name, self.clock = name, VirtualClock()

    def explain(self, pipeline, callee):
        if self.name == "sync":
            return pipeline.explain(callee.call)
        return self.clock.run(pipeline.aexplain(callee.acall))

    def call(self, pipeline, callee):
        if self.name == "sync":
            return pipeline.call(callee.call)
        return self.clock.run(pipeline.acall(callee.acall))


@pytest.fixture(params=["sync", "async"])
def world(request):
    return World(request.param)


def layers(clock, **more):
    return (
        Deadline(5.0, clock=clock),
        RateLimiter.gcra(rate_hz=2, wait_s=3.0, clock=clock),
        Retry(attempts=4, backoff=Constant(0.5), clock=clock, **more),
        CircuitBreaker.consecutive(9, clock=clock),
        Timeout(1.0, clock=clock),
    )


def rows(explanation, *kinds):
    return [
        (step.name, round(step.start_s, 6), round(step.end_s, 6))
        for step in explanation.steps
        if step.kind in kinds
    ]


def test_attempts_waits_and_decisions_have_their_times(world):
    pipeline = Pipeline(*layers(world.clock), name="checkout")
    pipeline.policies[1].try_acquire()
    found = world.explain(pipeline, Callee(world.clock, failures=2))
    assert (found.outcome, found.get(), found.error) == ("returned", "fine", None)
    assert rows(found, "attempt") == [
        ("attempt 1", 0.5, 0.7),
        ("attempt 2", 1.2, 1.4),
        ("attempt 3", 1.9, 2.1),
    ]
    assert rows(found, "wait") == [("wait", 0.0, 0.5), ("wait", 0.7, 1.2), ("wait", 1.4, 1.9)]
    assert [step.policy for step in found.waits] == ["limiter", "retry", "retry"]
    said = [(step.policy, step.name, round(step.start_s, 6)) for step in found.events]
    assert [each for each in said if each[0] != "breaker"] == [
        ("limiter", "waits", 0.0),
        ("retry", "retry", 0.7),
        ("retry", "retry", 1.4),
        ("retry", "recovered", 2.1),
    ]
    assert [each[1] for each in said if each[0] == "breaker"] == ["failure", "failure", "success"]
    assert found.duration_s == pytest.approx(2.1)
    assert repr(found) == "Explanation(checkout returned after 3 attempts, 2.10 s)"


def test_layers_form_a_tree_in_their_order(world):
    found = world.explain(Pipeline(*layers(world.clock)), Callee(world.clock, failures=1))
    (deadline, limiter, retry), rest = found.steps[:3], found.steps[3:]
    assert [step.name for step in (deadline, limiter, retry)] == ["deadline", "limiter", "retry"]
    assert [step.parent for step in (deadline, limiter, retry)] == [-1, 0, 1]
    breakers = [step for step in rest if step.name == "breaker"]
    assert [found.steps[step.parent].name for step in breakers] == ["retry", "retry"]
    assert [type(step.error) for step in breakers] == [ConnectionError, type(None)]
    for step in found.steps:
        if step.parent >= 0:
            around = found.steps[step.parent]
            assert around.start_s <= step.start_s <= step.end_s <= around.end_s


def test_what_a_call_raises_is_explained_and_kept(world):
    pipeline = Pipeline(*layers(world.clock))
    error = ValueError("no such item")
    found = world.explain(pipeline, Callee(world.clock, failures=9, error=error))
    assert found.outcome == "raised"
    assert found.error is error
    assert len(found.attempts) == 4
    with pytest.raises(ValueError, match="no such item"):
        found.get()
    assert "raised ValueError after 4 attempts" in repr(found)
    assert str(found).count("raised ValueError") >= 4


def test_a_call_that_is_refused_has_no_attempts(world):
    breaker = CircuitBreaker.consecutive(1, clock=world.clock)
    breaker.force_open()
    found = world.explain(Pipeline(breaker), Callee(world.clock))
    assert isinstance(found.error, CircuitOpenError)
    assert found.attempts == ()
    assert [step.name for step in found.events] == ["rejected"]


@given(failures=st.integers(0, 5), asynchronous=st.booleans())
def test_an_explained_call_does_what_the_call_does(failures, asynchronous):
    """The result, the time, the statistics and what policies have learnt are the same."""
    outcomes = []
    for explained in (False, True):
        world = World("async" if asynchronous else "sync")
        pipeline = Pipeline(
            Fallback.value("none", clock=world.clock), *layers(world.clock), Bulkhead(1, clock=world.clock)
        )
        callee = Callee(world.clock, failures)
        result = world.explain(pipeline, callee).result if explained else world.call(pipeline, callee)
        memories = [policy.memory for policy in pipeline]
        outcomes.append((result, callee.calls, world.clock.now(), repr(pipeline.statistics), memories))
    assert outcomes[0] == outcomes[1]


def test_the_function_of_other_calls_is_left_alone():
    clock = VirtualClock()
    pipeline = Pipeline(*layers(clock))
    before = pipeline.source(), pipeline.source(asynchronous=True)
    pipeline.explain(Callee(clock, failures=2).call)
    assert (pipeline.source(), pipeline.source(asynchronous=True)) == before
    assert not any(policy.listening for policy in pipeline)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_listeners_are_gone_when_the_program_is_told_to_end(error):
    clock = VirtualClock()
    pipeline = Pipeline(*layers(clock))
    with pytest.raises(error):
        pipeline.explain(Callee(clock, failures=9, error=error).call)
    assert not any(policy.listening for policy in pipeline)


def test_listeners_are_gone_when_the_task_is_cancelled():
    clock = VirtualClock()
    pipeline = Pipeline(*layers(clock), Bulkhead(1, clock=clock))

    async def main():
        task = asyncio.ensure_future(pipeline.aexplain(clock.asleep, 100.0))
        await clock.asleep(0.1)
        assert all(policy.listening for policy in pipeline)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task

    clock.run(main())
    assert not any(policy.listening for policy in pipeline)
    assert pipeline.policies[-1].statistics.running == 0


def test_events_of_other_calls_are_not_told():
    clock = VirtualClock()
    retry = Retry(attempts=2, backoff=Constant(0.0), clock=clock)
    pipeline = Pipeline(retry)
    heard = []

    def fail():
        raise ConnectionError

    def call_in_vain():
        with pytest.raises(ConnectionError):
            pipeline.call(fail)

    def call():
        end = retry.listen(heard.append)
        thread = threading.Thread(target=call_in_vain)
        thread.start()
        thread.join()
        end()
        return 1

    found = pipeline.explain(call)
    assert [event.kind for event in heard] == ["retry", "gave_up"]
    assert found.events == ()
    assert len(found.attempts) == 1


def test_attempts_of_a_hedge_run_beside_each_other():
    clock = VirtualClock()
    durations = iter([1.0, 0.2])

    async def call():
        await clock.asleep(next(durations))
        return "fine"

    found = clock.run(Pipeline(Hedge(0.3, clock=clock)).aexplain(call))
    assert rows(found, "attempt") == [("attempt 1", 0.0, 0.5), ("attempt 2", 0.3, 0.5)]
    assert isinstance(found.attempts[0].error, asyncio.CancelledError)
    assert [step.name for step in found.events] == ["hedge", "hedge_won"]
    assert found.waits == ()
    assert {step.parent for step in found.attempts} == {0}


def test_an_abandoned_attempt_is_still_at_work():
    release, started = threading.Event(), threading.Event()
    numbers = iter([1, 2])

    def call():
        if next(numbers) == 1:
            started.set()
            release.wait()
        return "fine"

    found = Pipeline(Hedge(0.01)).explain(call)
    release.set()
    assert started.is_set()
    assert found.result == "fine"
    assert [step.ended for step in found.attempts] == [False, True]
    assert "still at work" in str(found)


def test_a_cached_answer_has_no_attempt():
    clock = VirtualClock()
    pipeline = Pipeline(Cache(clock=clock))
    callee = Callee(clock)
    call = callee.call
    assert len(pipeline.explain(call).attempts) == 1
    assert len(pipeline.explain(call).attempts) == 0
    assert pipeline.call(call) == "fine"
    assert callee.calls == 1


def test_a_decorated_function_is_called_through_the_pipeline_once():
    clock = VirtualClock()
    limiter = RateLimiter.gcra(rate_hz=1, burst=5, clock=clock)
    pipeline = Pipeline(limiter)

    @pipeline
    def double(x, times=2):
        return times * x

    class Shop:
        @pipeline
        def price(self, item):
            return self, item

    assert pipeline.explain(double, 4, times=3).result == 12
    shop = Shop()
    assert pipeline.explain(shop.price, "tea").result == (shop, "tea")
    assert pipeline.explain(len, "abc").result == 3
    assert limiter.statistics.taken == 3


def test_explanations_within_each_other_are_apart():
    clock = VirtualClock()
    inner, outer = Pipeline(Retry(clock=clock)), Pipeline(Retry(clock=clock, name="outer"))
    callee = Callee(clock, failures=1)
    found = outer.explain(lambda: inner.explain(callee.call))
    assert len(found.attempts) == 1
    assert len(found.result.attempts) == 2
    assert found.result.steps[0].parent == -1


def test_pictures_tables_and_text():
    clock = VirtualClock()
    found = Pipeline(*layers(clock), name="checkout").explain(Callee(clock, failures=1).call)
    bundle = found._repr_mimebundle_()
    assert bundle["text/plain"] == str(found)
    assert bundle["text/html"].startswith("<div")
    assert "<title>" not in str(found)
    shown = [
        step for step in found.steps if not (step.kind == "event" and step.name in {"success", "failure"})
    ]
    assert repr(found.picture).startswith(f"timeline of {len(shown)} spans")
    assert "attempt 1, raised ConnectionError" in found.picture.svg
    assert len(str(found).splitlines()) == len(shown) + 1
    table = found.to_pandas()
    assert table.kind.tolist() == [step.kind for step in found.steps]
    assert table[table.kind == "wait"].policy.tolist() == ["retry"]
    assert table.error.dropna().unique().tolist() == ["ConnectionError"]


def test_a_pipeline_without_policies_is_explained():
    found = Pipeline().explain(len, "abc")
    assert (found.result, len(found.steps)) == (3, 1)
    assert "pipeline returned after 1 attempt" in str(found)


def test_a_function_that_cannot_be_called_so_is_explained():
    assert isinstance(Pipeline(Retry(attempts=1)).explain(len).error, TypeError)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), max_size=6))
def test_waits_are_the_time_of_a_layer_that_nothing_covers(spans):
    inner = [Step("attempt", "a", "attempt", min(each), max(each), 0) for each in spans]
    steps = with_waits([Step("layer", "l", "l", 0.0, 10.0, -1), *inner])
    waits = [step for step in steps if step.kind == "wait"]
    grid = [number / 500 for number in range(1, 5000)]
    for moment in grid:
        covered = any(step.start_s <= moment <= step.end_s for step in inner)
        waited = any(step.start_s <= moment <= step.end_s for step in waits)
        near = any(abs(moment - edge) < 2e-3 for step in inner for edge in (step.start_s, step.end_s))
        assert near or covered != waited
