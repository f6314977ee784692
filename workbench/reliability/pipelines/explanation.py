"""`Explanation`: what happened to one call on its way through the layers, as a tree in time.

::

    deadline                    a layer: from when the call comes to it until it leaves
    └── retry
        ├── attempt 1           the function itself; it raised
        ├── retry               an event: what the policy decided
        ├── wait                time in a layer during which nothing within it runs: a back-off, a queue
        └── attempt 2
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench import display

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Explanation", "Step"]

SHORTEST_WAIT_S = 1e-3  # less is what layers cost themselves
QUIET = frozenset({"success", "failure"})  # events that say no more than the attempt beside them


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a call.

    Attributes
    ----------
    kind : {"layer", "attempt", "wait", "event"}
    name : str
        The layer's, the attempt's with its number, or what an event says.
    policy : str
        The kind of policy it belongs to.
    start_s, end_s : float
        Seconds since the call began.
    parent : int
        The place of the step around it, -1 for the outermost.
    error : BaseException or None
        What left it.
    ended : bool
        False for what went on when the call was over, such as an attempt that was abandoned.
    details : tuple of (str, object)
        Of an event.
    """

    kind: str
    name: str
    policy: str
    start_s: float
    end_s: float
    parent: int
    error: BaseException | None = None
    ended: bool = True
    details: tuple[tuple[str, Any], ...] = ()

    @property
    def duration_s(self) -> float:
        """How long it took, seconds."""
        return self.end_s - self.start_s

    @property
    def said(self) -> str:
        """What it is, in one line."""
        words = [self.name]
        if self.kind == "event":
            words = [f"{self.policy}: {self.name.replace('_', ' ')}"]
            words += [_particular(name, value) for name, value in self.details if _is_shown(value)]
        elif self.error is not None:
            words.append(f"raised {type(self.error).__name__}")
        elif not self.ended:
            words.append("still at work")
        return ", ".join(words)


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """What happened to one call; it draws itself as a timeline, and prints as a tree.

    Attributes
    ----------
    pipeline : str
    steps : tuple of Step
        In the order in which they began.
    result : object
        What the call returned.
    error : Exception or None
        What it raised instead.
    started_s : float
        When it began, by the pipeline's clock.
    """

    pipeline: str
    steps: tuple[Step, ...]
    result: Any = None
    error: Exception | None = None
    started_s: float = field(default=0.0, compare=False)

    @property
    def outcome(self) -> str:
        """Either "returned" or "raised"."""
        return "returned" if self.error is None else "raised"

    @property
    def attempts(self) -> tuple[Step, ...]:
        """The calls of the function itself."""
        return self._of("attempt")

    @property
    def waits(self) -> tuple[Step, ...]:
        """Times during which a layer kept the call waiting."""
        return self._of("wait")

    @property
    def events(self) -> tuple[Step, ...]:
        """What the policies decided."""
        return self._of("event")

    @property
    def duration_s(self) -> float:
        """How long the call took, seconds."""
        return self.steps[0].duration_s

    def get(self) -> Any:
        """Return what the call returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return self.result

    @property
    def picture(self) -> display.Picture:
        """The timeline."""
        shown = {number: place for place, number in enumerate(self._shown())}
        steps = [self.steps[number] for number in shown]
        return display.timeline(
            start_ns=[round(each.start_s * 1e9) for each in steps],
            duration_ns=[round(each.end_s * 1e9) - round(each.start_s * 1e9) for each in steps],
            parent=[shown.get(each.parent, -1) for each in steps],
            label=[each.said for each in steps],
            group=[each.policy if each.kind != "wait" else "wait" for each in steps],
            error=[each.error is not None for each in steps],
            title=self._summary(),
        )

    def to_arrow(self) -> "pa.Table":
        """Return one row a step, times in seconds since the call began; `parent` is a row."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        return pa.table(
            {
                "kind": pa.array([each.kind for each in self.steps], pa.string()),
                "name": pa.array([each.name for each in self.steps], pa.string()),
                "policy": pa.array([each.policy for each in self.steps], pa.string()),
                "start_s": pa.array([each.start_s for each in self.steps], pa.float64()),
                "end_s": pa.array([each.end_s for each in self.steps], pa.float64()),
                "parent": pa.array([each.parent for each in self.steps], pa.int64()),
                "error": pa.array([_error_name(each.error) for each in self.steps], pa.string()),
                "ended": pa.array([each.ended for each in self.steps], pa.bool_()),
                "said": pa.array([each.said for each in self.steps], pa.string()),
            }
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame with one row a step."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        return f"Explanation({self._summary()})"

    def __str__(self) -> str:
        lines = [f"{self._summary()}:"]
        lines += [
            f"{step.start_s:>10.4f} s  {'  ' * depth}{step.said}{_lasting(step)}"
            for depth, step in self._tree(-1, 0)
        ]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = self.picture._repr_mimebundle_(include, exclude)
        return bundle | ({"text/plain": str(self)} if "text/plain" in bundle else {})

    def _summary(self) -> str:
        end = "returned" if self.error is None else f"raised {type(self.error).__name__}"
        duration = display.duration_text(round(self.duration_s * 1e9))
        return f"{self.pipeline} {end} after {display.plural(len(self.attempts), 'attempt')}, {duration}"

    def _of(self, kind: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.kind == kind)

    def _shown(self) -> list[int]:
        return [
            number
            for number, step in enumerate(self.steps)
            if not (step.kind == "event" and step.name in QUIET)
        ]

    def _tree(self, parent: int, depth: int) -> Iterator[tuple[int, Step]]:
        """Yield the steps below one, depth first, with their depths."""
        for number in self._shown():
            step = self.steps[number]
            if step.parent == parent:
                yield depth, step
                yield from self._tree(number, depth + 1)


def with_waits(steps: Sequence[Step]) -> list[Step]:
    """Return steps with the times during which a layer waits, in the order in which they begin."""
    found = list(steps)
    for number, step in enumerate(steps):
        if step.kind == "layer":
            inner = [each for each in steps if each.parent == number and each.kind != "event"]
            found += [
                Step("wait", "wait", step.policy, start_s, end_s, number)
                for start_s, end_s in _gaps(step, inner)
                if end_s - start_s >= SHORTEST_WAIT_S
            ]
    order = sorted(range(len(found)), key=lambda place: (found[place].start_s, place))
    places = {old: new for new, old in enumerate(order)} | {-1: -1}
    return [_moved(found[old], places[found[old].parent]) for old in order]


def _gaps(step: Step, inner: Sequence[Step]) -> Iterator[tuple[float, float]]:
    """Yield the times of a step during which nothing within it runs."""
    until_s = step.start_s
    for each in sorted(inner, key=lambda each: each.start_s):
        yield until_s, each.start_s
        until_s = max(until_s, each.end_s)
    yield until_s, step.end_s


def _moved(step: Step, parent: int) -> Step:
    return Step(
        step.kind,
        step.name,
        step.policy,
        step.start_s,
        step.end_s,
        parent,
        step.error,
        step.ended,
        step.details,
    )


def _lasting(step: Step) -> str:
    return "" if step.kind == "event" else f"  [{display.duration_text(round(step.duration_s * 1e9))}]"


def _error_name(error: BaseException | None) -> str | None:
    return None if error is None else type(error).__name__


def _is_shown(value: Any) -> bool:
    return value is not None and not isinstance(
        value, BaseException
    )  # the step beside it says what was raised


def _particular(name: str, value: Any) -> str:
    words = name.removesuffix("_s").replace("_", " ")
    if name.endswith("_s") and isinstance(value, float) and math.isfinite(value):
        return f"{words} {display.duration_text(round(value * 1e9))}"
    return f"{words} {_short(value)}"


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
