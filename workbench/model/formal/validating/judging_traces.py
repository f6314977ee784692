"""Hold recorded traces against a model."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from typing import Any

from workbench.model.formal._models import Instance, specification
from workbench.model.formal.errors import FormalError, MappingError, ModelError
from workbench.model.formal.validating.events import Event, Pattern, in_order, pattern_of
from workbench.model.formal.validating.mappings import Observed, SpanMapping, Vocabulary
from workbench.model.formal.validating.searching import Bounds, Outcome, Search
from workbench.model.formal.validating.spans import Recording, Span, recorded_traces, without_repeats
from workbench.model.formal.validating.validations import Judged, TraceValidation, Validation

__all__ = ["validate"]

RANK = {"start": 0, "within": 1, "end": 2}


def validate(  # noqa: PLR0913 - each has its default
    model: Any,
    traces: Recording,
    mapping: SpanMapping,
    *,
    hidden: Iterable[Any] | None = None,
    by: str | None = None,
    complete: bool = False,
    clock_skew_s: float = 0.0,
    max_states: int | None = 100_000,
    max_hidden: int | None = None,
    timeout_s: float | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Validation:
    """Say of each trace whether the model has a behaviour that shows it.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    traces : Traces, or an iterable of sequences of Span
    mapping : mapping, or a function of a Span
        What a span shows. A dictionary gives it by the span's name; a function for the span, at whose
        attributes, status, times and parent it may look. It is an action's name, a pair of the name and
        arguments (some or all), an `Observed`, a list of these, or None for a span that shows nothing.
    hidden : iterable, optional
        The actions that may happen without being seen, any number of times between events: names, pairs of a
        name and arguments, or `Observed`. By default those that the dictionary does not name, or that the
        function finds in no span of this recording; better say them.
    by : str, optional
        An attribute whose values tell apart what belongs together, as ``"order.id"``, instead of the traces.
    complete : bool
        Whether a behaviour must have come to a terminal state of the model; else a trace may end anywhere.
    clock_skew_s : float
        How far the clocks of two services may be apart, seconds.
    max_states : int or None
        How many pairs of a state and a set of events to explore for a trace.
    max_hidden : int or None
        How many hidden steps there may be in a row.
    timeout_s : float or None
        For all traces together, seconds.
    cancelled : callable, optional
        Asked now and then; when it returns True the rest is undecided.

    Raises
    ------
    MappingError
        When the mapping fails, or names what the model does not have.
    ModelError
        When this is no model, `complete` is asked of one without terminal states, or a bound is no number.
    ActionError
        When the model's own code fails.

    Notes
    -----
    An event lies within its span's time, or at its start or end; one precedes another if it ended before the
    other began. A span that was recorded twice, as exporters do that send again, counts once. Traces with the
    same events in the same order are searched once. The cost of a search is at
    most the product of the model's states and the sets of events that are closed under predecessors.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> jugs = [wb.Span(name, at, at + 1) for at, name in enumerate(["fill", "pour", "pour"], start=1)]
    >>> wb.validate(wb.library.DieHard(), [jugs], {"fill": "fill_big", "pour": "big_to_small"}, hidden=())
    Validation(DieHard conform: 1 of 1 trace shown; 1 pattern)
    """
    declared = specification(model)
    if complete and not declared.of_kind("terminal"):
        msg = f"{declared.name} has no terminal states, so a behaviour is never complete; declare some"
        raise ModelError(msg)
    if not (isinstance(clock_skew_s, int | float) and 0 <= clock_skew_s < inf):
        msg = f"clock_skew_s must be a number of seconds, zero or more and finite, got {clock_skew_s!r}"
        raise ModelError(msg)
    bounds = Bounds(max_states, max_hidden, timeout_s, cancelled, complete)
    vocabulary = Vocabulary(declared)
    found = _Mapped(vocabulary, mapping)
    recorded = recorded_traces(traces, by)
    once = {key: without_repeats(spans) for key, spans in recorded.items()}
    events = {key: found.events(spans) for key, spans in once.items()}
    silent = _hidden(vocabulary, hidden, found.actions)
    search = Search(declared, silent, bounds)
    judge = _Judge(search, vocabulary, round(clock_skew_s * 1e9))
    shown = {key: each for key, each in events.items() if each}
    return Validation(
        declared,
        tuple(TraceValidation(key, each, judge(each)) for key, each in shown.items()),
        len(events) - len(shown),
        dict(found.not_mapped.most_common()),
        tuple(instance.label for instance in search.hidden),
        sum(len(spans) - len(once[key]) for key, spans in recorded.items()),
    )


class _Mapped:
    """Applies a mapping to spans, and counts those that it does not look at."""

    def __init__(self, vocabulary: Vocabulary, mapping: Any) -> None:
        self.vocabulary = vocabulary
        self.not_mapped: Counter[str] = Counter()
        self.actions: set[str] = set()
        self._by_name: dict[str, tuple[Observed, ...]] | None = None
        if callable(mapping):
            self._of_span: Callable[[Span], Any] = mapping
        elif not isinstance(mapping, Mapping):
            msg = f"the mapping must be a dictionary by span names, or a function of a span, got {mapping!r}"
            raise MappingError(msg)
        else:
            self._by_name = {name: _sorted(vocabulary.shown(each, name)) for name, each in mapping.items()}
            self.actions = {each.action for shown in self._by_name.values() for each in shown if each.action}

    def events(self, spans: list[Span]) -> tuple[Event, ...]:
        return in_order([event for span in spans for event in self._of(span)])

    def _of(self, span: Span) -> Iterator[Event]:
        shown = self._shown(span)
        if not shown:
            self.not_mapped[span.name] += 1
        for number, observed in enumerate(shown):
            yield Event(observed, span, number)

    def _shown(self, span: Span) -> tuple[Observed, ...]:
        if self._by_name is not None:
            return self._by_name.get(span.name, ())
        try:
            given = self._of_span(span)
        except FormalError:
            raise
        except Exception as error:
            msg = f"the mapping raised {type(error).__name__}: {error} for {span!r} of trace {span.trace_id}"
            raise MappingError(msg) from error
        if given is None:
            return ()
        shown = _sorted(self.vocabulary.shown(given, f"mapping of {span.name}"))
        self.actions |= {each.action for each in shown if each.action}
        return shown


def _sorted(shown: tuple[Observed, ...]) -> tuple[Observed, ...]:
    """Return what a span shows: at its start, then within, then at its end."""
    return tuple(sorted(shown, key=lambda each: RANK[each.at]))


def _hidden(vocabulary: Vocabulary, hidden: Any, actions: set[str]) -> list[Instance]:
    instances = vocabulary.declared.instances
    if hidden is None:
        return [each for each in instances if each.action.name not in actions]
    if not isinstance(hidden, Iterable):
        msg = f"hidden must be a list of actions, got {hidden!r}"
        raise MappingError(msg)
    named = vocabulary.shown([hidden] if isinstance(hidden, str) else list(hidden), "hidden")
    chosen = {each.number for one in named for each in vocabulary.reading(one).instances or ()}
    return [each for each in instances if each.number in chosen]


class _Judge:
    """Searches each pattern once."""

    def __init__(self, search: Search, vocabulary: Vocabulary, skew_ns: int) -> None:
        self.search, self.vocabulary, self.skew_ns = search, vocabulary, skew_ns
        self._known: dict[Pattern, Judged] = {}

    def __call__(self, events: tuple[Event, ...]) -> Judged:
        readings = tuple(self.vocabulary.reading(event.observed) for event in events)
        pattern = pattern_of(events, self.skew_ns)
        if pattern not in self._known:
            stopped = self.search.stopped(0)
            outcome = self._undecided(stopped) if stopped else self.search.run(pattern, readings)
            self._known[pattern] = Judged(self.vocabulary.declared, pattern, readings, outcome)
        return self._known[pattern]

    @staticmethod
    def _undecided(bound: str) -> Outcome:
        return Outcome(None, 0, (), (), 0, bound)
