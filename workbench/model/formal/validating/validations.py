"""What came of holding traces against a model: for each trace, and for all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench import display
from workbench.model.formal._enabling import Guards
from workbench.model.formal._models import Specification
from workbench.model.formal.errors import MappingError
from workbench.model.formal.validating.coverage import Coverage, coverage_of
from workbench.model.formal.validating.events import Event, Pattern
from workbench.model.formal.validating.explaining import Refusal, refusal_of
from workbench.model.formal.validating.mappings import Reading
from workbench.model.formal.validating.searching import Outcome
from workbench.model.formal.verdicts import Step

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Judged", "TraceValidation", "Validation"]

WORDS = {True: "shown", False: "not shown", None: "undecided"}


@dataclass(frozen=True)
class Judged:
    """A pattern of events with its outcome; its refusal is worked out when it is asked for."""

    declared: Specification
    pattern: Pattern
    readings: tuple[Reading, ...]
    outcome: Outcome

    @cached_property
    def refusal(self) -> Refusal | None:
        """Why it is not shown; None where it is, or nobody knows."""
        if self.outcome.shown is not False:
            return None
        return refusal_of(self.declared, self.pattern, self.readings, self.outcome)


@dataclass(frozen=True, slots=True)
class TraceValidation:
    """Whether a model has a behaviour that shows a trace.

    Attributes
    ----------
    trace_id : str
        The trace's, or the value by which spans were told apart.
    events : tuple of Event
        What the trace shows, ordered by time.
    judged : Judged
        Shared by all traces whose events are the same.
    """

    trace_id: str
    events: tuple[Event, ...]
    judged: Judged

    @property
    def shown(self) -> bool | None:
        """True: some behaviour shows it. False: none does. None: a bound was met first, see `bound`."""
        return self.judged.outcome.shown

    @property
    def bound(self) -> str:
        """What ended the search early; empty when nothing did."""
        return self.judged.outcome.bound

    @property
    def explored(self) -> int:
        """How many pairs of a state and a set of events were explored."""
        return self.judged.outcome.explored

    @property
    def matched(self) -> int:
        """How many events the longest prefix has that some behaviour shows."""
        return self.judged.outcome.matched

    @property
    def prefix(self) -> tuple[Event, ...]:
        """The events of such a prefix, in the order in which `behaviour` shows them."""
        return tuple(self.events[move.event] for move in self.judged.outcome.path if move.event >= 0)

    @property
    def behaviour(self) -> list[Step]:
        """A behaviour that shows the trace, or its longest prefix, without what only looks at states."""
        return [step for step, _ in self.steps]

    @property
    def steps(self) -> list[tuple[Step, Event | None]]:
        """That behaviour, each step with the event that shows it; None for init and hidden steps."""
        found: list[tuple[Step, Event | None]] = []
        for number, move in enumerate(self.judged.outcome.path):
            event = self.events[move.event] if move.event >= 0 else None
            state = self.judged.declared.thaw(move.state)
            if move.instance is not None:
                step = Step(move.instance.action.name, dict(move.instance.arguments), state)
                found.append((step, event))
            elif number == 0:
                found.append((Step(None, {}, state), None))
        return found

    @property
    def final_states(self) -> tuple[Any, ...]:
        """The states in which the model may be after the last event that could be shown."""
        return tuple(
            self.judged.declared.thaw(state)
            for state in dict.fromkeys(state for state, _ in self.judged.outcome.reached)
        )

    @property
    def failed_event(self) -> Event | None:
        """The event that cannot be shown; None where all are, or nobody knows."""
        refusal = self.judged.refusal
        return None if refusal is None or refusal.event is None else self.events[refusal.event]

    @property
    def guards(self) -> tuple[Guards, ...]:
        """The guards of that event's action, in each of the states that were reached (a dozen at most)."""
        return () if self.judged.refusal is None else self.judged.refusal.guards

    @property
    def reason(self) -> str:
        """What does not hold in the nearest state, or what ended the search; empty where it is shown."""
        return self.bound if self.judged.refusal is None else self.judged.refusal.reason

    @property
    def instead(self) -> tuple[str, ...]:
        """What the model could have done where the trace leaves it."""
        return () if self.judged.refusal is None else self.judged.refusal.instead

    def table(self) -> display.Table:
        """Return the behaviour, each step with the span that shows it and what it changed."""
        from workbench.model.formal.validating.pictures import steps_table  # noqa: PLC0415 - when asked for

        return steps_table(self)

    def sequence(self) -> display.Picture:
        """Draw which span showed which step of the model, and where the trace leaves it."""
        from workbench.model.formal.validating.pictures import sequence_of  # noqa: PLC0415 - when asked for

        return sequence_of(self)

    def __repr__(self) -> str:
        said = f"{self.matched} of {display.plural(len(self.events), 'event')}"
        why = f"; {self.reason}" if self.reason else ""
        return f"TraceValidation({self.trace_id[:12]} {WORDS[self.shown]}: {said}{why})"

    def _repr_html_(self) -> str:
        from workbench.model.formal.validating.pictures import trace_page  # noqa: PLC0415 - when asked for

        return trace_page(self)


@dataclass(frozen=True)
class Validation:
    """Whether a model has behaviours that show what was recorded.

    Attributes
    ----------
    declared : Specification
        What the model declares.
    traces : tuple of TraceValidation
        Those with at least one event, in the order of the recording.
    without_events : int
        Traces no span of which the mapping looks at: they say nothing of the model.
    not_mapped : mapping of str to int
        The names of spans that the mapping does not look at, and how many there are; the most frequent first.
    hidden : tuple of str
        The steps that may happen without being seen.
    repeated : int
        Spans that were recorded again, and count once.
    """

    declared: Specification
    traces: tuple[TraceValidation, ...]
    without_events: int
    not_mapped: Mapping[str, int]
    hidden: tuple[str, ...]
    repeated: int = 0

    @property
    def conforms(self) -> bool | None:
        """True: all traces are shown. False: one is not. None: neither, or no trace says anything."""
        values = {trace.shown for trace in self.traces} or {None}
        return False if False in values else (None if None in values else True)

    @cached_property
    def conforming(self) -> tuple[TraceValidation, ...]:
        """The traces that some behaviour shows."""
        return tuple(trace for trace in self.traces if trace.shown)

    @cached_property
    def failing(self) -> tuple[TraceValidation, ...]:
        """The traces that no behaviour shows."""
        return tuple(trace for trace in self.traces if trace.shown is False)

    @cached_property
    def undecided(self) -> tuple[TraceValidation, ...]:
        """The traces whose search met a bound."""
        return tuple(trace for trace in self.traces if trace.shown is None)

    @property
    def patterns(self) -> int:
        """How many different orders of events there are: each was searched once."""
        return len({id(trace.judged) for trace in self.traces})

    @property
    def explored(self) -> int:
        """Pairs of a state and a set of events that were explored, in all searches."""
        return sum(each.outcome.explored for each in self._judged())

    def failures(self) -> dict[tuple[str, str], tuple[TraceValidation, ...]]:
        """Return the failing traces by the event that cannot be shown and what does not hold; most first."""
        groups: dict[tuple[str, str], list[TraceValidation]] = {}
        for trace in self.failing:
            event = trace.failed_event
            groups.setdefault((event.label if event else "the end", trace.reason), []).append(trace)
        ordered = sorted(groups.items(), key=lambda each: -len(each[1]))
        return {key: tuple(traces) for key, traces in ordered}

    def coverage(self, max_states: int = 100_000) -> Coverage:
        """Return what the conforming traces exercised of the model, and what never.

        Parameters
        ----------
        max_states : int
            How many states of the model to explore at most, to know which there are.
        """
        counts = Counter(id(trace.judged) for trace in self.traces)
        outcomes = ((each.outcome, counts[id(each)]) for each in self._judged())
        return coverage_of(self.declared, outcomes, max_states)

    def _judged(self) -> list[Judged]:
        return list({id(trace.judged): trace.judged for trace in self.traces}.values())

    def __getitem__(self, trace_id: str) -> TraceValidation:
        found = next((trace for trace in self.traces if trace.trace_id == trace_id), None)
        if found is None:
            msg = f"no trace {trace_id!r} with events among these {len(self.traces):,}"
            raise MappingError(msg)
        return found

    def __len__(self) -> int:
        return len(self.traces)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each trace, whether it is shown, and where it leaves the model."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        rows = [
            (
                trace.trace_id,
                trace.shown,
                len(trace.events),
                trace.matched,
                event.label if event else None,
                event.span.name if event else None,
                trace.reason,
                trace.explored,
            )
            for trace, event in ((trace, trace.failed_event) for trace in self.traces)
        ]
        names = ["trace_id", "shown", "events", "matched", "failed_event", "span", "reason", "explored"]
        return pd.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        said = {True: "conform", False: "do not conform", None: "undecided"}[self.conforms]
        counts = f"{len(self.conforming):,} of {display.plural(len(self.traces), 'trace')} shown"
        more = "".join(
            f", {len(group):,} {word}"
            for group, word in ((self.failing, "not shown"), (self.undecided, "undecided"))
            if group
        )
        patterns = display.plural(self.patterns, "pattern")
        if not self.traces:
            return f"Validation({self.declared.name} {said}: no span shows anything of it)"
        return f"Validation({self.declared.name} {said}: {counts}{more}; {patterns})"

    def _repr_html_(self) -> str:
        from workbench.model.formal.validating.pictures import validation_page  # noqa: PLC0415 - when asked for

        return validation_page(self)
