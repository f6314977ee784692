"""`instrument`: spans and metrics of a pipeline's calls while somebody wants them, and nothing else."""

import asyncio
import random
import subprocess
import sys
import threading

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from workbench import otlp
from workbench.backoff import Constant
from workbench.clock import VirtualClock
from workbench.reliability.errors import CircuitOpenError
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines.errors import PipelineError
from workbench.reliability.pipelines.telemetry import instrument
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry


class Sdk:
    """The official SDK, which keeps everything in memory."""

    def __init__(self):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.traces = TracerProvider()
        self.traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.metrics = MeterProvider([self.reader])

    def instrument(self, pipeline, **more):
        return instrument(pipeline, self.traces, self.metrics, **more)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def points(self, name):
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def close(self):
        self.traces.shutdown()
        self.metrics.shutdown()


@pytest.fixture
def sdk():
    found = Sdk()
    yield found
    found.close()


def made(clock):
    retry = Retry(attempts=4, backoff=Constant(0.5), clock=clock, rng=random.Random(1))
    return Pipeline(retry, CircuitBreaker.consecutive(3, clock=clock, name="payments"), name="checkout")


def failing(times, error=ConnectionError):
    left = iter([error] * times)

    def call():
        raised = next(left, None)
        if raised is not None:
            raise raised
        return "fine"

    return call


def test_a_call_is_a_span_and_its_attempts_are_children(sdk):
    pipeline = made(VirtualClock())
    stop = sdk.instrument(pipeline)
    assert pipeline.call(failing(2)) == "fine"
    *attempts, call = sdk.spans
    assert call.name == "checkout"
    assert [span.name for span in attempts] == ["checkout attempt"] * 3
    assert {span.parent.span_id for span in attempts} == {call.context.span_id}
    assert {span.context.trace_id for span in attempts} == {call.context.trace_id}
    assert [span.attributes["workbench.policy.attempt"] for span in attempts] == [1, 2, 3]
    assert [span.status.status_code for span in attempts] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert [span.attributes.get("error.type") for span in attempts] == [
        "ConnectionError",
        "ConnectionError",
        None,
    ]
    assert call.status.status_code is StatusCode.UNSET
    assert call.attributes["code.function.name"].endswith("failing.<locals>.call")
    assert not any("http" in name for span in sdk.spans for name in span.attributes)
    stop()


def test_repeated_http_requests_say_how_often(sdk):
    pipeline = made(VirtualClock())
    sdk.instrument(pipeline, http=True)
    pipeline.call(failing(2))
    assert [span.attributes.get("http.request.resend_count") for span in sdk.spans] == [None, 1, 2, None]


def test_retries_rejections_and_changes_of_state_are_span_events(sdk):
    pipeline = made(VirtualClock())
    sdk.instrument(pipeline)
    with pytest.raises(CircuitOpenError):
        pipeline.call(failing(9))
    call = sdk.spans[-1]
    events = [(event.name, dict(event.attributes)) for event in call.events if event.name != "exception"]
    assert [name for name, _ in events] == [
        "workbench.policy.retry",
        "workbench.policy.retry",
        "workbench.policy.state",
        "workbench.policy.retry",
        "workbench.policy.rejected",
        "workbench.policy.gave_up",
    ]
    assert events[0][1] == {
        "workbench.pipeline.name": "checkout",
        "workbench.policy.name": "retry",
        "workbench.policy.kind": "retry",
        "workbench.policy.delay_s": 0.5,
        "workbench.policy.attempt": 1,
        "error.type": "ConnectionError",
    }
    assert events[2][1]["workbench.policy.name"] == "payments"
    assert events[2][1]["workbench.policy.state"] == "open"
    assert call.attributes["error.type"].endswith(".CircuitOpenError")
    assert call.status.status_code is StatusCode.ERROR


def test_metrics_count_events_time_calls_and_show_breakers(sdk):
    clock = VirtualClock()
    pipeline = made(clock)
    sdk.instrument(pipeline)
    with pytest.raises(CircuitOpenError):
        pipeline.call(failing(9))
    counts = {
        (point.attributes["workbench.policy.name"], point.attributes["workbench.policy.event"]): point.value
        for point in sdk.points("workbench.policy.events")
    }
    assert counts == {
        ("retry", "retry"): 3,
        ("retry", "gave_up"): 1,
        ("payments", "failure"): 3,
        ("payments", "state"): 1,
        ("payments", "rejected"): 1,
    }
    (duration,) = sdk.points("workbench.pipeline.call.duration")
    assert (duration.count, duration.sum) == (1, pytest.approx(1.5))
    assert duration.attributes["error.type"].endswith("CircuitOpenError")
    states = {
        point.attributes["workbench.policy.state"]: point.value
        for point in sdk.points("workbench.policy.breaker.state")
    }
    assert states == {"closed": 0, "open": 1, "half_open": 0, "forced_open": 0, "disabled": 0}


def test_nothing_is_left_when_it_stops(sdk):
    clock = VirtualClock()
    pipeline = made(clock)

    @pipeline
    def decorated():
        return 1

    before = pipeline.source(), pipeline.source(asynchronous=True)
    stop = sdk.instrument(pipeline)
    assert pipeline.source() != before[0]
    decorated()
    seen = len(sdk.spans)
    assert seen == 2
    stop()
    stop()
    assert (pipeline.source(), pipeline.source(asynchronous=True)) == before
    assert not any(policy.listening for policy in pipeline)
    decorated()
    pipeline.call(decorated)
    assert len(sdk.spans) == seen
    assert sdk.points("workbench.policy.breaker.state") == []


def test_two_at_once_are_apart(sdk):
    other = Sdk()
    pipeline = made(VirtualClock())
    source = pipeline.source()
    stop, stop_other = sdk.instrument(pipeline), other.instrument(pipeline)
    pipeline.call(failing(1))
    stop()
    pipeline.call(failing(0))
    stop_other()
    assert (len(sdk.spans), len(other.spans)) == (3, 5)
    for each in (sdk, other):
        assert [span.attributes.get("workbench.policy.attempt") for span in each.spans[:3]] == [1, 2, None]
        names = [event.name for event in each.spans[2].events]
        assert names == ["workbench.policy.retry", "workbench.policy.recovered"]
    assert pipeline.source() == source
    other.close()


def test_what_is_reloaded_is_observed(sdk):
    pipeline = made(VirtualClock())
    stop = sdk.instrument(pipeline)
    gone = pipeline["payments"]
    pipeline.reload({"layers": [{"kind": "retry", "attempts": 2, "backoff": {"kind": "constant"}}]})
    assert not gone.listening
    with pytest.raises(ConnectionError):
        pipeline.call(failing(9))
    assert [span.name for span in sdk.spans] == ["checkout attempt", "checkout attempt", "checkout"]
    names = [event.name for event in sdk.spans[-1].events]
    assert names.count("workbench.policy.retry") == 1
    stop()
    assert not any(policy.listening for policy in pipeline)


def test_an_explained_call_is_seen_as_always(sdk):
    pipeline = made(VirtualClock())
    sdk.instrument(pipeline)
    pipeline.explain(failing(1))
    assert [span.name for span in sdk.spans] == ["checkout attempt", "checkout attempt", "checkout"]
    assert [event.name for event in sdk.spans[-1].events] == [
        "workbench.policy.retry",
        "workbench.policy.recovered",
    ]


def test_tasks_have_spans_of_their_own(sdk):
    clock = VirtualClock()
    pipeline = made(clock)
    sdk.instrument(pipeline)

    async def call(number):
        await clock.asleep(0.1 * number)

    async def main():
        await asyncio.gather(*(pipeline.acall(call, number) for number in range(5)))

    clock.run(main())
    calls = [span for span in sdk.spans if span.name == "checkout"]
    assert len({span.context.trace_id for span in calls}) == 5
    assert all(span.parent is None for span in calls)
    attempts = [span for span in sdk.spans if span.name != "checkout"]
    assert {span.parent.span_id for span in attempts} == {span.context.span_id for span in calls}


def test_a_cancelled_call_ends_its_spans(sdk):
    clock = VirtualClock()
    pipeline = made(clock)
    sdk.instrument(pipeline)

    async def main():
        task = asyncio.ensure_future(pipeline.acall(clock.asleep, 100.0))
        await clock.asleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    clock.run(main())
    assert [span.attributes["error.type"] for span in sdk.spans] == ["asyncio.exceptions.CancelledError"] * 2


def test_attempts_in_threads_of_a_hedge_are_children(sdk):
    barrier = threading.Barrier(2, timeout=10)
    pipeline = Pipeline(Hedge(0.001), name="search")
    sdk.instrument(pipeline)
    pipeline.call(barrier.wait)
    hedge = pipeline.policies[0]
    while hedge.statistics.abandoned:
        threading.Event().wait(0.001)
    attempts = [span for span in sdk.spans if span.name == "search attempt"]
    (call,) = [span for span in sdk.spans if span.name == "search"]
    assert {span.parent.span_id for span in attempts} == {call.context.span_id}
    assert sorted(span.attributes["workbench.policy.attempt"] for span in attempts) == [1, 2]


def test_whose_key_was_refused_is_not_told(sdk):
    limiter = RateLimiter.gcra(rate_hz=1, key=lambda user: user, clock=VirtualClock())
    pipeline = Pipeline(limiter)
    sdk.instrument(pipeline)
    pipeline.call(str, "ann")
    with pytest.raises(Exception, match="limiter"):
        pipeline.call(str, "ann")
    assert "workbench.policy.refused" in [event.name for event in sdk.spans[-1].events]
    assert "ann" not in sdk.spans[-1].events[0].attributes.values()


def test_the_pipelines_behaviour_is_unchanged(sdk):
    outcomes = []
    for observed in (False, True):
        clock = VirtualClock()
        pipeline = made(clock)
        if observed:
            sdk.instrument(pipeline)
        for times in (0, 2, 3, 1, 9):
            try:
                outcomes.append(pipeline.call(failing(times)))
            except Exception as error:  # noqa: BLE001 - it is compared
                outcomes.append((type(error), str(error)))
            clock.advance(25.0)
        outcomes.append((clock.now(), repr(pipeline.statistics)))
    half = len(outcomes) // 2
    assert outcomes[:half] == outcomes[half:]


def test_opentelemetry_is_not_imported_without_it():
    program = (
        "import sys\n"
        "from workbench.reliability.pipeline import Pipeline\n"
        "from workbench.reliability.policies.retry import Retry\n"
        "pipeline = Pipeline(Retry())\n"
        "pipeline.call(len, 'abc'), pipeline.lint(), pipeline.explain(len, 'abc'), pipeline.to_dict()\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_only_pipelines_can_be_instrumented():
    with pytest.raises(PipelineError, match=r"put a policy into a pipeline, as Pipeline\(policy\)"):
        instrument(Retry())


def test_our_own_receiver_understands_it():
    with otlp.Receiver() as receiver:
        traces = TracerProvider()
        traces.add_span_processor(
            SimpleSpanProcessor(OTLPSpanExporter(f"{receiver.http_endpoint}/v1/traces"))
        )
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(f"{receiver.http_endpoint}/v1/metrics"), export_interval_millis=1e9
        )
        meters = MeterProvider([reader])
        pipeline = made(VirtualClock())
        instrument(pipeline, traces, meters)
        pipeline.call(failing(2))
        meters.force_flush()
        spans = receiver.traces.spans.to_pandas()
        assert sorted(spans.name) == ["checkout"] + ["checkout attempt"] * 3
        call = spans[spans.name == "checkout"]
        assert set(spans[spans.name != "checkout"].parent_span_id) == set(call.span_id)
        assert {"workbench.policy.events", "workbench.pipeline.call.duration"} <= set(
            receiver.metrics.names()
        )
        meters.shutdown()
        traces.shutdown()
