"""A validation as tables, and one trace beside the model's behaviour, with the place where it leaves it."""

from typing import TYPE_CHECKING

from workbench import display
from workbench.model.formal.pictures.changes import changes_along
from workbench.model.formal.validating.events import Event
from workbench.model.formal.validating.validations import WORDS
from workbench.model.formal.verdicts import Step

if TYPE_CHECKING:
    from workbench.model.formal.validating.validations import TraceValidation, Validation

__all__ = ["sequence_of", "steps_table", "trace_page", "validation_page"]

MOST_DRAWN = 40  # steps of a behaviour on a page; a longer one is drawn by its end
MOST_GROUPS = 20
MOST_TEXT = 60  # characters in a box


def sequence_of(trace: "TraceValidation") -> display.Picture:
    """Draw a trace's services and the model as lifelines; what a span shows is an arrow between them."""
    drawing = _Drawing(trace)
    failed = trace.failed_event
    left_out = max(len(trace.steps) - MOST_DRAWN, 0)
    for step, event, made in _steps(trace)[left_out:]:
        drawing.step(step, event, made)
    if failed is not None:
        drawing.event(failed, failed.label, "impossible")
    return display.sequence(
        lifelines=drawing.lifelines,
        rows=drawing.rows,
        boxes=drawing.boxes,
        arrows=drawing.arrows,
        mark={len(drawing.rows) - 1} if failed is not None else (),
        title=_title(trace),
        footnote=f"not drawn: the first {display.plural(left_out, 'step')}" if left_out else "",
    )


class _Drawing:
    """A diagram while it is made."""

    def __init__(self, trace: "TraceValidation") -> None:
        self.trace = trace
        drawn = [event for _, event in trace.steps if event is not None]
        drawn += [trace.failed_event] if trace.failed_event is not None else []
        services = dict.fromkeys(_service(event) for event in drawn)
        name = trace.judged.declared.name
        self.model = name if name not in services else f"{name} (model)"
        self.lifelines = [*services, self.model]
        self.rows: list[str] = []
        self.boxes: list[tuple[int, str, str]] = []
        self.arrows: list[tuple[int, str, str, str]] = []

    def step(self, step: Step, event: Event | None, became: str) -> None:
        """Draw a step of the behaviour: by itself, or as a span shows it."""
        if event is not None:
            self.event(event, step.label, became)
        elif step.action is None:
            self._row("init", _initial(self.trace))
        else:
            self._row("hidden", f"{step.label}: {became}")

    def event(self, event: Event, label: str, became: str) -> None:
        """Draw a span beside the model."""
        service = _service(event)
        self._row(_time(self.trace, event), became)
        self.boxes.append((len(self.rows) - 1, service, _short(event.span.name or "?")))
        self.arrows.append((len(self.rows) - 1, service, self.model, label))

    def _row(self, name: str, text: str) -> None:
        self.rows.append(name)
        self.boxes.append((len(self.rows) - 1, self.model, _short(text or "nothing changes")))


def steps_table(trace: "TraceValidation") -> display.Table:
    """Return the behaviour, each step with the span that shows it and what it changed."""
    rows = [
        [_time(trace, event), event.span.name if event else "(hidden)", step.label, made]
        for step, event, made in _steps(trace)
    ]
    if rows:
        rows[0][1:] = ["", "init", _initial(trace)]
    failed = trace.failed_event
    if failed is not None:
        rows.append([_time(trace, failed), failed.span.name, failed.label, f"impossible: {trace.reason}"])
    return display.table(["at", "span", "step", "changes"], rows, title=_title(trace), max_rows=200)


def _steps(trace: "TraceValidation") -> list[tuple[Step, Event | None, str]]:
    """Return the steps of the behaviour with their events, and what they changed."""
    changed = changes_along(trace.judged.declared, [step.state for step in trace.behaviour])
    return [
        (step, event, ", ".join(f"{each.where} {each.short}" for each in made))
        for (step, event), made in zip(trace.steps, changed, strict=True)
    ]


def _initial(trace: "TraceValidation") -> str:
    shown = trace.judged.declared.show(trace.judged.outcome.path[0].state)
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def trace_page(trace: "TraceValidation") -> str:
    """Return one trace as HTML: drawn, as a table, and the guards where it leaves the model."""
    parts = [trace.sequence()._repr_mimebundle_()["text/html"], trace.table()._repr_html_()]
    parts += [guards._repr_html_() for guards in trace.guards[:1]]
    return "\n".join(parts)


def validation_page(validation: "Validation") -> str:
    """Return a validation as HTML."""
    parts = [_counts(validation)._repr_html_()]
    if validation.failing:
        parts.append(_failures(validation)._repr_html_())
        parts.append(validation.failing[0].sequence()._repr_mimebundle_()["text/html"])
    return "\n".join(parts)


def _counts(validation: "Validation") -> display.Table:
    spans = sum(validation.not_mapped.values())
    names = ", ".join(list(validation.not_mapped)[:6]) + (", ..." if len(validation.not_mapped) > 6 else "")
    rows: list[list[object]] = [
        ["traces shown", f"{len(validation.conforming):,}"],
        ["not shown", f"{len(validation.failing):,}"],
        ["undecided", f"{len(validation.undecided):,}"],
        ["without events", f"{validation.without_events:,}"],
        ["different patterns", f"{validation.patterns:,}"],
        ["explored", f"{validation.explored:,}"],
        ["spans not mapped", f"{spans:,}{f' ({names})' if names else ''}"],
        ["hidden steps", ", ".join(validation.hidden) or "none"],
    ]
    if validation.repeated:
        rows.append(["spans recorded again", f"{validation.repeated:,}"])
    rows += [["ended by", bound] for bound in dict.fromkeys(each.bound for each in validation.undecided)]
    return display.table(["", "value"], rows, title=repr(validation))


def _failures(validation: "Validation") -> display.Table:
    groups = validation.failures()
    rows = [
        [label, f"{len(traces):,}", reason, traces[0].trace_id] for (label, reason), traces in groups.items()
    ]
    title = "Where traces leave the model"
    return display.table(
        ["event", "traces", "what does not hold", "for example"], rows, title=title, max_rows=MOST_GROUPS
    )


def _title(trace: "TraceValidation") -> str:
    name, failed = trace.judged.declared.name, trace.failed_event
    if trace.shown:
        return f"{name} shows trace {trace.trace_id[:12]}: {display.plural(len(trace.events), 'event')}"
    if failed is None:
        return f"{name}, trace {trace.trace_id[:12]}: {WORDS[trace.shown]}, {trace.reason}"
    after = display.plural(trace.matched, "event")
    return f"{name}: trace {trace.trace_id[:12]} leaves the model after {after}"


def _service(event: Event) -> str:
    return event.span.service or "spans"


def _time(trace: "TraceValidation", event: Event | None) -> str:
    """Return when an event was over, since the trace's first."""
    if event is None or event.span.start_ns <= 0:
        return ""
    begin = min(each.span.start_ns for each in trace.events if each.span.start_ns > 0)
    return f"+{display.duration_text(int(event.latest) - begin)}"


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
