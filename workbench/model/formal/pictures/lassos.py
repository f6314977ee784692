"""A behaviour as a path of states; one that never ends leads back, and looks like a lasso."""

from itertools import pairwise

from workbench import display
from workbench.model.formal._models import specification
from workbench.model.formal.pictures.changes import changes_along
from workbench.model.formal.pictures.step_tables import title_of
from workbench.model.formal.verdicts import Violation

__all__ = ["lasso_of"]

MOST = 7  # states drawn; of a longer behaviour the middle of the way and of the loop are left out
MOST_TEXT = 60


def lasso_of(violation: Violation) -> display.Picture:
    """Draw the states of a behaviour from left to right, what each step changed below their numbers."""
    last = len(violation.trace) - 1
    loop = violation.loop
    drawn = _kept(last + (loop is None), loop)
    nodes = {number: f"state {number}" for number in drawn}
    edges, labels = [], []
    for number, following in pairwise(drawn):
        edges.append((nodes[number], nodes[following]))
        skipped = following - number - 1
        labels.append(
            f"… {display.plural(skipped, 'state')} …" if skipped else violation.trace[following].label
        )
    if loop is not None:
        edges.append((nodes[drawn[-1]], nodes[loop]))
        labels.append(violation.trace[last].label)
    hidden = (last + (loop is None)) - len(drawn)
    title = title_of(violation) + (f" ({display.plural(hidden, 'state')} not drawn)" if hidden else "")
    return display.graph(
        edges,
        edge_label=labels,
        node_label=_below(violation, nodes),
        highlight=[name for number, name in nodes.items() if (loop is not None and number >= loop)]
        or [nodes[drawn[-1]]],
        title=title,
    )


def _kept(count: int, loop: int | None) -> list[int]:
    """Return which of the states are drawn: the ends of the way and of the loop."""
    if count <= MOST:
        return list(range(count))
    parts = [(0, count)] if loop is None else [(0, loop), (loop, count)]
    room = MOST // len(parts)
    kept: list[int] = []
    for start, end in parts:
        size = end - start
        first = (room + 1) // 2
        kept += [start + at for at in range(size) if size <= room or at < first or at >= size - room + first]
    return kept


def _below(violation: Violation, nodes: dict[int, str]) -> dict[str, str]:
    """Return what each state changed; of the first, its values."""
    declared = specification(violation.trace[0].state)
    along = changes_along(declared, [step.state for step in violation.trace])
    initial = declared.show(declared.freeze(violation.trace[0].state))
    texts = {0: ", ".join(f"{name} {value}" for name, value in initial.items())}
    texts |= {number: ", ".join(f"{c.where} {c.short}" for c in along[number]) for number in nodes if number}
    return {name: _short(texts[number]) or "unchanged" for number, name in nodes.items()}


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
