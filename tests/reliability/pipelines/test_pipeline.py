"""`Pipeline` itself: made of policies, looked at, and put around functions."""

import asyncio
import gc
import inspect
import sys
import threading
import weakref

import pytest

from workbench.backoff import Constant
from workbench.clock import DEFAULT_CLOCK, VirtualClock
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines.errors import PipelineError
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policy import PolicyError


def four(clock=None):
    return (
        Deadline(2.0, clock=clock),
        Retry(attempts=3, backoff=Constant(0.1), clock=clock),
        CircuitBreaker(window=10, minimum_calls=10, name="payments", clock=clock),
        RateLimiter.gcra(rate_hz=1000, burst=100, clock=clock),
    )


def test_the_first_policy_is_outermost():
    clock = VirtualClock()
    seen = []
    outer, inner = Retry(attempts=2, backoff=Constant(1.0), clock=clock), Bulkhead(1, clock=clock)

    def call():
        seen.append(inner.statistics.running)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Pipeline(outer, inner).call(call)
    assert seen == [1, 1]
    assert inner.statistics.running == 0


def test_pipelines_within_stand_for_their_policies_in_order():
    a, b, c, d = four()
    nested = Pipeline(a, Pipeline(b, Pipeline(), Pipeline(c)), d)
    assert nested.policies == (a, b, c, d)
    assert list(nested) == [a, b, c, d]
    assert len(nested) == 4


def test_a_pipeline_without_policies_calls():
    assert Pipeline().call(len, "abc") == 3
    assert Pipeline()
    assert repr(Pipeline()) == "Pipeline()"
    assert Pipeline().clock is DEFAULT_CLOCK


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((Retry(), len), r"policies\[1\] is <built-in function len>, expected a policy.*\.call\(function\)"),
        ((Retry,), r"policies\[0\] .*it is the class; make one, as Retry\(\.\.\.\)"),
        (([Retry()],), r"policies\[0\] .*one by one, as Pipeline\(\*policies\)"),
        ((None,), r"policies\[0\] is None, expected a policy or a pipeline$"),
    ],
)
def test_what_is_no_policy_is_refused_and_named(given, message):
    with pytest.raises(PipelineError, match=message):
        Pipeline(*given)
    assert issubclass(PipelineError, PolicyError)


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_is_a_text(name):
    with pytest.raises(PipelineError, match="name is"):
        Pipeline(name=name)


def test_what_cannot_be_decorated_is_refused_and_says_why():
    pipeline = Pipeline(Retry())
    with pytest.raises(PipelineError, match="cannot decorate 3: expected a function"):
        pipeline(3)

    def items():
        yield 1

    async def more():
        yield 1

    for each in (items, more):
        with pytest.raises(PipelineError, match=r"generator function .*Retry\.stream"):
            pipeline(each)


def test_decorated_functions_keep_signature_name_and_doc():
    @Pipeline(*four())
    def price(item: str, count: int = 1) -> float:
        """Return a price."""
        return float(count)

    assert (price.__name__, price.__doc__) == ("price", "Return a price.")
    assert list(inspect.signature(price).parameters) == ["item", "count"]
    assert price("tea", count=2) == 2.0


def test_all_ways_in_count_in_the_same_policies():
    policies = four()
    pipeline = Pipeline(*policies)

    async def double(x):
        return 2 * x

    assert pipeline.call(lambda x: 2 * x, 4) == 8
    assert pipeline(lambda x: 2 * x)(4) == 8
    assert asyncio.run(pipeline.acall(double, 4)) == 8
    assert asyncio.run(pipeline(double)(4)) == 8
    assert policies[3].statistics.taken == 4
    assert pipeline.statistics["limiter"].taken == 4


def test_a_cancelled_error_passes_with_its_identity():
    error = asyncio.CancelledError("enough")

    async def fail():
        raise error

    async def main():
        with pytest.raises(asyncio.CancelledError) as caught:
            await Pipeline(*four()).acall(fail)
        return caught.value

    assert asyncio.run(main()) is error


def test_statistics_and_reset_reach_every_policy():
    policies = four(VirtualClock())
    pipeline = Pipeline(*policies)
    with pytest.raises(ConnectionError):
        pipeline.call(fail)
    statistics = pipeline.statistics
    assert statistics[1].retries == 2
    assert statistics["payments"].failed == 3
    assert len(statistics) == len(list(statistics)) == 4
    with pytest.raises(KeyError):
        statistics["nobody"]
    table = statistics.to_pandas()
    assert table[(table.policy == "payments") & (table.statistic == "failed")].value.tolist() == ["3"]
    assert "payments" in repr(statistics)
    assert "<table>" in statistics._repr_html_()
    assert statistics.to_dict()[1]["retries"] == 2
    pipeline.reset()
    assert pipeline.statistics["payments"].failed == 0
    assert pipeline.statistics[1].retries == 0
    assert Pipeline().statistics.to_arrow().num_rows == 0


def test_policies_are_found_by_place_and_by_name():
    a, b, c, d = four()
    pipeline = Pipeline(a, b, c, d)
    assert pipeline[0] is a
    assert pipeline[-1] is d
    assert pipeline["payments"] is c
    with pytest.raises(
        KeyError, match="no policy is named 'cart'; there are deadline, retry, payments, limiter"
    ):
        pipeline["cart"]


def test_repr_and_picture_show_the_order():
    pipeline = Pipeline(*four(), name="checkout")
    assert repr(pipeline) == "Pipeline(deadline > retry > breaker 'payments' > limiter)"
    html = pipeline._repr_html_()
    assert html.startswith("<div")
    assert "graph of 6 nodes and 5 edges" in html


def test_the_picture_tells_layers_of_one_name_apart():
    assert "graph of 5 nodes" in Pipeline(Retry(), Retry(), Retry())._repr_html_()


def test_the_source_is_what_runs():
    pipeline = Pipeline(*four())
    source = pipeline.source()
    assert source.startswith("def make(function, link, q_0, q_1, q_2, q_3)")
    assert "async def call" not in source
    assert "async def call" in pipeline.source(asynchronous=True)
    compile(source, "shown", "exec")
    before = pipeline.source()
    end = pipeline["payments"].listen(lambda event: None)
    assert pipeline.source() != before
    end()
    assert pipeline.source() == before


def test_a_pipeline_and_what_it_decorates_can_be_collected():
    pipeline = Pipeline(*four())
    function = pipeline(lambda: 1)
    function()
    known = weakref.ref(pipeline), weakref.ref(function)
    del pipeline, function
    gc.collect()
    assert [each() for each in known] == [None, None]


def test_threads_that_call_and_change_policies_at_once_never_miss(switching):
    """A function that was fused with policies as they were is never kept for those that come later."""
    policies = four()
    pipeline = Pipeline(*policies)
    stop, errors = threading.Event(), []

    def call():
        try:
            while not stop.is_set():
                assert pipeline.call(lambda: 7) == 7
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        policies[2].listen(lambda event: None)()
    events = []
    policies[2].listen(events.append)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    events.clear()
    pipeline.call(lambda: 7)
    assert [event.kind for event in events] == ["success"]


@pytest.fixture
def switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def fail():
    raise ConnectionError
