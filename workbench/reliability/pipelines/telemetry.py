"""`instrument`: a pipeline's calls as spans and metrics of OpenTelemetry, for as long as somebody wants them.

::

    span "<pipeline>"                     one a call: INTERNAL, code.function.name, workbench.pipeline.name
    └── span "<pipeline> attempt"         one each time the function is called: workbench.policy.attempt
                                          error.type and an error status where it raised

    span events "workbench.policy.<kind>" on the span of the call, when a policy decides: retries,
    rejections,
                                          changes of state, with workbench.policy.name and
                                          workbench.policy.kind

    workbench.policy.events               counter {event}: all events, also those that are no span events
    workbench.pipeline.call.duration      histogram s, by outcome: error.type where it raised
    workbench.policy.breaker.state        gauge: 1 for the state that a breaker is in, 0 for the others

Names follow the semantic conventions where they have one (``error.type``, ``code.function.name``, and
``http.request.resend_count`` on repeated attempts where these are HTTP requests, which only the caller
knows); the rest is in the namespaces ``workbench.pipeline`` and ``workbench.policy``, as they ask of names of
one's own.

Without `instrument` nothing of this is imported, and the fused function is what it was: the probes that make
the spans are layers, and fused in only while they are wanted.
"""

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry import context, metrics, trace
from opentelemetry.semconv.attributes.code_attributes import CODE_FUNCTION_NAME
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_RESEND_COUNT
from opentelemetry.trace import Span, Status, StatusCode

from workbench.reliability.pipelines._kinds import is_breaker
from workbench.reliability.pipelines._probes import Probe
from workbench.reliability.pipelines.errors import PipelineError

if TYPE_CHECKING:
    from workbench.clock import Clock
    from workbench.reliability.pipeline import Pipeline
    from workbench.reliability.policy import Event, Policy

__all__ = ["instrument"]

SCOPE = "workbench.reliability"
PIPELINE, POLICY, KIND, EVENT = (
    "workbench.pipeline.name",
    "workbench.policy.name",
    "workbench.policy.kind",
    "workbench.policy.event",
)
ATTEMPT, STATE, BREAKER_STATE = (
    "workbench.policy.attempt",
    "workbench.policy.state",
    "workbench.policy.breaker.state",
)
QUIET = frozenset({"success", "failure", "slow", "uncounted"})  # the attempt's span says so itself
PRIVATE = frozenset({"key", "result"})  # whose call it is, and what came back, is nobody else's business
SIMPLE = (bool, int, float, str)
STATES = ("closed", "open", "half_open", "forced_open", "disabled")
BOUNDARIES_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)  # as HTTP's


def instrument(
    pipeline: "Pipeline", tracer_provider: Any = None, meter_provider: Any = None, *, http: bool = False
) -> Callable[[], None]:
    """Make spans and metrics of a pipeline's calls; return what ends that.

    Parameters
    ----------
    pipeline : Pipeline
    tracer_provider, meter_provider : optional
        Those of OpenTelemetry; without them the global ones.
    http : bool
        Whether each attempt is an HTTP request: repeated ones then have ``http.request.resend_count``.

    Returns
    -------
    stop : callable
        Afterwards the fused function is what it was before. It may be called more than once.

    Raises
    ------
    PipelineError
        When it is no pipeline.

    Notes
    -----
    Spans have the machine's time, as all spans; durations in metrics are by the pipeline's clock.
    """
    from workbench.reliability.pipeline import Pipeline as Kind  # noqa: PLC0415 - it imports our neighbours

    given: Any = pipeline
    if not isinstance(given, Kind):
        msg = f"cannot instrument {given!r:.80}; put a policy into a pipeline, as Pipeline(policy)"
        raise PipelineError(msg)
    instruments = _Instruments(pipeline, tracer_provider, meter_provider, http=http)
    with pipeline._lock:  # noqa: SLF001 - its other half
        pipeline._install(pipeline.policies, (*pipeline._observers, instruments))  # noqa: SLF001 - as above

    def stop() -> None:
        with pipeline._lock:  # noqa: SLF001 - as above
            left = tuple(each for each in pipeline._observers if each is not instruments)  # noqa: SLF001 - as above
            if len(left) < len(pipeline._observers):  # noqa: SLF001 - as above
                pipeline._install(pipeline.policies, left)  # noqa: SLF001 - as above

    return stop


@dataclass(slots=True)
class _Call:
    """A call that is out: its span, how many attempts it has made."""

    owner: "_Instruments"
    span: Span
    clock: "Clock"
    started_s: float
    around: "_Call | None"
    attempts: Iterator[int] = field(default_factory=lambda: itertools.count(1))  # threads may ask at once


@dataclass(slots=True)
class _Attempt:
    span: Span
    token: Any


_current: ContextVar[_Call | None] = ContextVar("workbench.telemetry", default=None)


class _Instruments:
    """What a pipeline's calls are told to."""

    def __init__(
        self, pipeline: "Pipeline", tracer_provider: Any, meter_provider: Any, *, http: bool
    ) -> None:
        self._pipeline, self._http = pipeline, http
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider)
        self._events = meter.create_counter(
            "workbench.policy.events", unit="{event}", description="What policies decided and learnt."
        )
        self._durations = meter.create_histogram(
            "workbench.pipeline.call.duration",
            unit="s",
            description="Duration of calls with all their attempts and waits.",
            explicit_bucket_boundaries_advisory=BOUNDARIES_S,
        )
        self._ends: dict[Any, Callable[[], None]] = {}
        me = weakref.ref(self)  # callbacks cannot be taken back
        meter.create_observable_gauge(
            BREAKER_STATE, [lambda _options: _states(me())], unit="1", description="1 for the state it is in."
        )

    # As an observer of the pipeline

    def attach(self, policies: "tuple[Policy, ...]") -> None:
        """Listen to these policies from now on, and to no others."""
        for policy in [each for each in self._ends if each not in policies]:
            self._ends.pop(policy)()
        for policy in policies:
            if policy not in self._ends:
                self._ends[policy] = policy.listen(self._listener(policy.kind))

    def around(self, layers: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return layers with a probe around them all, and one around the function."""
        return (Probe(self._enter, self._leave), *layers, Probe(self._begin, self._end))

    def observed(self) -> "Iterator[tuple[str, Policy]]":
        """Yield the policies that are listened to, with the pipeline's name."""
        return ((self._pipeline.name, policy) for policy in list(self._ends))

    # Calls

    def _enter(self, function: Any, *_args: Any, **_kwargs: Any) -> tuple[_Call, Any]:
        name = self._pipeline.name
        span = self._tracer.start_span(
            name, attributes={PIPELINE: name, CODE_FUNCTION_NAME: _function_name(function)}
        )
        clock = self._pipeline.clock
        call = _Call(self, span, clock, clock.now(), _current.get())
        token = context.attach(trace.set_span_in_context(span))
        _current.set(call)
        return call, token

    def _leave(self, step: tuple[_Call, Any], error: BaseException | None) -> None:
        call, token = step
        _current.set(call.around)
        context.detach(token)
        labels = {PIPELINE: self._pipeline.name}
        if error is not None:
            labels[ERROR_TYPE] = _type_name(error)
            _fail(call.span, error)
        self._durations.record(max(0.0, call.clock.now() - call.started_s), labels)
        call.span.end()

    def _own_call(self) -> _Call | None:
        """Return the call that this code belongs to; others of the same pipeline may observe it, too."""
        call = _current.get()
        while call is not None and call.owner is not self:
            call = call.around
        return call

    # Attempts

    def _begin(self, _function: Any, *_args: Any, **_kwargs: Any) -> _Attempt:
        call = self._own_call()
        number = 1 if call is None else next(call.attempts)
        attributes: dict[str, Any] = {PIPELINE: self._pipeline.name, ATTEMPT: number}
        if self._http and number > 1:
            attributes[HTTP_REQUEST_RESEND_COUNT] = number - 1
        span = self._tracer.start_span(f"{self._pipeline.name} attempt", attributes=attributes)
        return _Attempt(span, context.attach(trace.set_span_in_context(span)))

    def _end(self, attempt: _Attempt, error: BaseException | None) -> None:
        context.detach(attempt.token)
        if error is not None:
            _fail(attempt.span, error)
        attempt.span.end()

    # Events

    def _listener(self, kind: str) -> "Callable[[Event], None]":
        def hear(event: "Event") -> None:
            labels = {PIPELINE: self._pipeline.name, POLICY: event.policy, KIND: kind}
            self._events.add(1, {**labels, EVENT: event.kind})
            call = None if event.kind in QUIET else self._own_call()
            if call is not None and call.span.is_recording():
                call.span.add_event(f"workbench.policy.{event.kind}", {**labels, **_attributes(event)})

        return hear


def _states(instruments: _Instruments | None) -> Iterable[metrics.Observation]:
    if instruments is None:
        return
    for pipeline, policy in instruments.observed():
        if is_breaker(policy):
            now = policy.state  # type: ignore[attr-defined]
            for state in STATES:
                labels = {PIPELINE: pipeline, POLICY: policy.name, STATE: state}
                yield metrics.Observation(int(state == now), labels)


def _attributes(event: "Event") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in event.details:
        if isinstance(value, BaseException):
            found[ERROR_TYPE] = _type_name(value)
        elif value is not None and name not in PRIVATE:
            found[f"workbench.policy.{name}"] = value if isinstance(value, SIMPLE) else repr(value)[:200]
    return found


def _fail(span: Span, error: BaseException) -> None:
    span.set_attribute(ERROR_TYPE, _type_name(error))
    span.set_status(Status(StatusCode.ERROR, str(error)))
    span.record_exception(error)


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _function_name(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{getattr(function, '__module__', None) or type(function).__module__}.{name}"
