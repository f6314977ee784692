"""A validation as tables, and one trace beside the model's behaviour, with the place where it leaves it."""

from typing import TYPE_CHECKING

from workbench import display
from workbench.model.formal.pictures.changes import changes_along
from workbench.model.formal.validating.events import Event
from workbench.model.formal.validating.validations import WORDS

if TYPE_CHECKING:
    from workbench.model.formal.validating.validations import TraceValidation, Validation

__all__ = ["sequence_of", "steps_table", "trace_page", "validation_page"]

MOST_DRAWN = 40  # steps of a behaviour on a page; a longer one is drawn by its end
MOST_GROUPS = 20
MOST_TEXT = 60  # characters in a box


def sequence_of(trace: "TraceValidation") -> display.Picture:
    """Draw a trace's services and the model as lifelines; what a span shows is an arrow between them."""
    steps = trace.steps
    left_out = max(len(steps) - MOST_DRAWN, 0)
    changed = changes_along(trace.judged.declared, [step.state for step, _ in steps])
    name = trace.judged.declared.name
    failed = trace.failed_event
    services = dict.fromkeys(_service(event) for _, event in steps if event is not None)
    if failed is not None:
        services[_service(failed)] = None
    rows, boxes, arrows = [], [], []
    for (step, event), made in list(zip(steps, changed, strict=True))[left_out:]:
        row, became = len(rows), ", ".join(f"{each.where} {each.short}" for each in made)
        rows.append(_time(trace, event) or ("init" if step.action is None else "hidden"))
        boxes.append(
            (row, name, _short(became if step.action is None or event else f"{step.label}: {became}"))
        )
        if event is not None:
            boxes.append((row, _service(event), _short(event.span.name)))
            arrows.append((row, _service(event), name, step.label))
    if failed is not None:
        rows.append(_time(trace, failed))
        boxes += [
            (len(rows) - 1, _service(failed), _short(failed.span.name)),
            (len(rows) - 1, name, "impossible"),
        ]
        arrows.append((len(rows) - 1, _service(failed), name, failed.label))
    return display.sequence(
        lifelines=[*services, name],
        rows=rows,
        boxes=[box for box in boxes if box[2]],
        arrows=arrows,
        mark={len(rows) - 1} if failed is not None else (),
        title=_title(trace),
        footnote=f"the first {display.plural(left_out, 'step')} are not drawn" if left_out else "",
    )


def steps_table(trace: "TraceValidation") -> display.Table:
    """Return the behaviour, each step with the span that shows it and what it changed."""
    steps = trace.steps
    changed = changes_along(trace.judged.declared, [step.state for step, _ in steps])
    rows = []
    for (step, event), made in zip(steps, changed, strict=True):
        became = ", ".join(f"{each.where}: {each.text}" for each in made)
        span = event.span.name if event else ("" if step.action is None else "(hidden)")
        rows.append([_time(trace, event), span, step.label, became])
    failed = trace.failed_event
    if failed is not None:
        rows.append([_time(trace, failed), failed.span.name, failed.label, f"impossible: {trace.reason}"])
    return display.table(["at", "span", "step", "changes"], rows, title=_title(trace), max_rows=200)


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
    return f"{name}: trace {trace.trace_id[:12]} leaves the model after {after}, {trace.reason}"


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
