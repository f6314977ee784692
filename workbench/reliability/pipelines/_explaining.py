"""`explain`: one call through a pipeline, with a probe around each layer and a listener at each policy.

The call goes through a function of its own, fused from the pipeline's own policies with probes between them:
the policies decide, count and learn as always, and the pipeline's other calls go through the function they
always go through. A context variable tells whose event it is, so that of other calls nothing is told; it
reaches the threads and tasks that a hedge or a time limit starts.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.reliability.fusing.chain import Chain
from workbench.reliability.pipelines._labels import layer_names
from workbench.reliability.pipelines._probes import Probe
from workbench.reliability.pipelines.explanation import Explanation, Step, with_waits

if TYPE_CHECKING:
    from workbench.clock import Clock
    from workbench.reliability.pipeline import Pipeline
    from workbench.reliability.policy import Event, Policy

__all__ = ["aexplain", "explain"]

Function = Callable[..., Any]


def explain(
    pipeline: "Pipeline", function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Explanation:
    """Call a function, and return what happened."""
    policies = pipeline.policies
    recorder = _Recorder(pipeline.clock)
    result, failure = None, None
    with recorder.listening(policies):
        call = Chain(recorder.probed(pipeline, policies)).call
        try:
            result = call(pipeline._undecorated(function), *args, **kwargs)  # noqa: SLF001 - its other half
        except Exception as error:  # noqa: BLE001 - it is what is explained
            failure = error
    return recorder.explanation(pipeline.name, result, failure)


async def aexplain(
    pipeline: "Pipeline", function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Explanation:
    """Await an async function, and return what happened."""
    policies = pipeline.policies
    recorder = _Recorder(pipeline.clock)
    result, failure = None, None
    with recorder.listening(policies):
        call = Chain(recorder.probed(pipeline, policies)).acall
        try:
            result = await call(pipeline._undecorated(function), *args, **kwargs)  # noqa: SLF001 - as above
        except Exception as error:  # noqa: BLE001 - as above
            failure = error
    return recorder.explanation(pipeline.name, result, failure)


@dataclass(slots=True)
class _Mark:
    """A layer or an attempt that a call has come to."""

    recorder: "_Recorder"
    number: int
    kind: str
    name: str
    policy: str
    start_s: float
    parent: "_Mark | None"
    end_s: float | None = None
    error: BaseException | None = None


_current: ContextVar[_Mark | None] = ContextVar("workbench.explain", default=None)


@dataclass(slots=True)
class _Recorder:
    """What has happened to one call so far."""

    clock: "Clock"
    marks: list[_Mark] = field(default_factory=list)
    events: list[tuple[_Mark, "Event", str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    attempts: int = 0

    @contextmanager
    def listening(self, policies: "tuple[Policy, ...]") -> Iterator[None]:
        """Listen to the policies within the block."""
        around = _current.get()
        ends: list[Callable[[], None]] = []
        try:
            ends += [policy.listen(self.listener(policy.kind)) for policy in dict.fromkeys(policies)]
            yield
        finally:
            _current.set(around)
            for end in ends:
                end()

    def listener(self, kind: str) -> "Callable[[Event], None]":
        def hear(event: "Event") -> None:
            mark = _current.get()
            if mark is not None and mark.recorder is self:
                with self.lock:
                    self.events.append((mark, event, kind))

        return hear

    def probed(self, pipeline: "Pipeline", policies: "tuple[Policy, ...]") -> tuple[Any, ...]:
        """Return the policies with probes around each and the call itself; telemetry sees it as always."""
        found: list[Any] = []
        for policy, name in zip(policies, layer_names(policies), strict=True):
            found += [self.probe("layer", name, policy.kind), policy]
        layers: tuple[Any, ...] = (*found, self.probe("attempt", "attempt", "attempt"))
        for observer in pipeline._observers:  # noqa: SLF001 - as above
            layers = observer.around(layers)
        return layers

    def probe(self, kind: str, name: str, policy: str) -> Probe:
        def enter(_function: Function, *_args: Any, **_kwargs: Any) -> _Mark:
            parent = _current.get()
            if parent is not None and parent.recorder is not self:
                parent = None  # an explanation within another one
            with self.lock:
                self.attempts += kind == "attempt"
                shown = f"{name} {self.attempts}" if kind == "attempt" else name
                mark = _Mark(self, len(self.marks), kind, shown, policy, self.clock.now(), parent)
                self.marks.append(mark)
            _current.set(mark)
            return mark

        def leave(mark: _Mark, error: BaseException | None) -> None:
            mark.end_s, mark.error = self.clock.now(), error
            _current.set(mark.parent)

        return Probe(enter, leave)

    def explanation(self, name: str, result: Any, error: Exception | None) -> Explanation:
        """Return what has happened; what goes on is seen as it is now."""
        now = self.clock.now()
        with self.lock:
            marks, events = list(self.marks), list(self.events)
        began_s = marks[0].start_s
        steps = [
            Step(
                kind=mark.kind,
                name=mark.name,
                policy=mark.policy,
                start_s=mark.start_s - began_s,
                end_s=(now if mark.end_s is None else mark.end_s) - began_s,
                parent=-1 if mark.parent is None else mark.parent.number,
                error=mark.error,
                ended=mark.end_s is not None,
            )
            for mark in marks
        ]
        steps += [
            Step(
                kind="event",
                name=event.kind,
                policy=kind,
                start_s=max(0.0, self.clock_time(mark, event) - began_s),
                end_s=max(0.0, self.clock_time(mark, event) - began_s),
                parent=mark.number,
                details=event.details,
            )
            for mark, event, kind in events
        ]
        return Explanation(name, tuple(with_waits(steps)), result, error, began_s)

    def clock_time(self, mark: _Mark, event: "Event") -> float:
        """Return an event's time; it lies within its layer's, also where the policy has another clock."""
        latest = event.at_s if mark.end_s is None else mark.end_s
        return min(max(event.at_s, mark.start_s), latest)
