"""The state graph as a picture, that says what it does not draw."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench import display
from workbench.model.formal.pictures.partitions import between

if TYPE_CHECKING:
    from workbench.model.formal.state_graphs import StateGraph

__all__ = ["state_picture"]

MOST_NAME = 26  # letters
WORD = re.compile(r"[^\W\d]+")
MOST_LABELS = 60  # edges with names; where there are more, only the picture's tips would be read


def state_picture(graph: "StateGraph", max_nodes: int, marked: Sequence[int]) -> display.Picture:
    """Draw the groups found first, the steps between them, and say how many are not drawn."""
    drawn = min(len(graph.partition.names), max_nodes)
    joined = between(graph.edges, graph.partition)
    pairs = [pair for pair in joined if pair[0] != pair[1] and max(pair) < drawn]
    names = _names(graph, drawn)
    is_labelled = len(pairs) <= MOST_LABELS
    inner = {source: counts.total() for (source, target), counts in joined.items() if source == target}
    marks = sorted({int(graph.partition.of[number]) for number in marked})
    return display.graph(
        [(names[source], names[target]) for source, target in pairs],
        edge_label=[_label(graph, joined[pair]) for pair in pairs] if is_labelled else None,
        node_label={names[node]: _below(graph, node, inner) for node in range(drawn)},
        highlight=[names[node] for node in marks if node < drawn],
        title=_title(graph, drawn, pairs, joined, labelled=is_labelled),
    )


def _names(graph: "StateGraph", drawn: int) -> list[str]:
    names = _shortened(graph.partition.names[:drawn])
    return (
        names if len(set(names)) == len(names) else [f"{place}: {name}" for place, name in enumerate(names)]
    )


def _shortened(names: list[str]) -> list[str]:
    """Return names that fit a node: their words cut to so many letters that they fit, and still differ."""
    for letters in (99, 6, 4, 3, 2, 1):
        short = [WORD.sub(lambda found, most=letters: found[0][:most], name) for name in names]  # type: ignore[misc]
        if max(map(len, short), default=0) <= MOST_NAME and len(set(short)) == len(set(names)):
            return short
    return names


def _below(graph: "StateGraph", node: int, inner: dict[int, int]) -> str:
    """Return the second line of a node: of a group its size, of a state whether it is initial."""
    if graph.partition.kind == "state":
        return "initial" if graph.levels[node] == 0 else ""
    size = display.plural(int(graph.partition.sizes[node]), "state")
    steps = inner.get(node, 0)
    return f"{size}, {display.plural(steps, 'inner step')}" if steps else size


def _label(graph: "StateGraph", counts: Counter[int]) -> str:
    """Return which actions lead from one node to another."""
    instances = [graph.specification.instances[label] for label in sorted(counts)]
    if len(instances) == 1:
        return instances[0].label.removesuffix("()")
    return ", ".join(dict.fromkeys(each.action.name for each in instances))


def _title(
    graph: "StateGraph",
    drawn: int,
    pairs: list[tuple[int, int]],
    joined: dict[tuple[int, int], Counter[int]],
    *,
    labelled: bool,
) -> str:
    total, kind = len(graph.partition.names), graph.partition.kind
    count = (
        f"all {display.plural(total, kind)}" if drawn == total else f"{drawn:,} of {total:,} {kind}s drawn"
    )
    of = "" if kind == "state" else f" of {len(graph):,} states"
    parts = [f"{graph.specification.name}: {count}{of}"]
    left_out = sum(1 for source, target in joined if source != target) - len(pairs)
    if left_out:
        parts.append(f"without {display.plural(left_out, 'edge')} to others")
    loops = sum(counts.total() for (source, target), counts in joined.items() if source == target)
    if loops and kind == "state":
        parts.append(f"without {display.plural(loops, 'step')} that change nothing")
    if not labelled:
        parts.append("actions not named")
    if graph.bound:
        parts.append(f"explored up to {graph.bound}")
    return "; ".join(parts)
