"""A behaviour as a table: a row for each step, a column for each field, and in it what the step changed."""

from workbench import display
from workbench.model.formal._models import Specification, specification
from workbench.model.formal.pictures.changes import Change, changes_along, path_text
from workbench.model.formal.verdicts import Violation

__all__ = ["step_table", "title_of"]

MOST_FIELDS, MOST_ROWS = 7, 200
SAID = {
    "invariant": "invariant {} is violated",
    "action property": "action property {} is violated",
    "assertion": "an assertion in {} fails",
    "temporal": "{} is not true",
    "deadlock": "nothing can happen any more",
    "refinement": "{} does not hold",
}


def step_table(violation: Violation | None) -> display.Table:
    """Return the steps of a behaviour; the first row has all values, the others what changed.

    Fields beyond a handful share one column.
    """
    if violation is None or not violation.trace:
        return display.table(["step", "action", "changes"], [], title="no behaviour")
    declared = specification(violation.trace[0].state)
    states = [step.state for step in violation.trace]
    initial = declared.show(declared.freeze(states[0]))
    fields = list(declared.fields)
    along = changes_along(declared, states)
    if len(fields) > MOST_FIELDS:
        first = ", ".join(f"{name}={value}" for name, value in initial.items())
        cells = [[first], *([", ".join(f"{c.where}: {c.text}" for c in each)] for each in along[1:])]
        fields = ["changes"]
    else:
        cells = [list(initial.values()), *([_cell(name, each) for name in fields] for each in along[1:])]
    rows = [[number, step.label, *cells[number]] for number, step in enumerate(violation.trace)]
    if violation.loop is not None:
        again = f"the state of step {violation.loop} again, and so on for ever"
        rows.append(["", again, *[""] * len(fields)])
    return display.table(["step", "action", *fields], rows, title=title_of(violation), max_rows=MOST_ROWS)


def title_of(violation: Violation) -> str:
    """Return a sentence that says what is wrong, and after how many actions."""
    declared: Specification = specification(violation.trace[0].state)
    said = SAID.get(violation.kind, violation.kind + " {}").format(violation.property)
    count = len(violation.trace) - 1
    if violation.loop is not None:
        return f"{declared.name}: {said}, in a behaviour that goes on for ever"
    return f"{declared.name}: {said}, after {display.plural(count, 'action')}"


def _cell(name: str, made: list[Change]) -> str:
    return ", ".join(f"{path_text(each.path)} {each.text}".strip() for each in made if each.field == name)
