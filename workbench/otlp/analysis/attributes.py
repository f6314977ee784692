r"""Attributes that explain a difference: which values do some spans have that others have not?

For every ``key=value`` that enough units (spans, or traces with any span that has it) have, a table of two by
two is made: target or other, with or without the value. It gives

* *lift* :math:`= P(v \mid target) / P(v)`: how many times more often targets have it than all;
* *information*: the mutual information of having the value and being a target, in bits; it ranks;
* *q*: Fisher's exact test or chi-square, corrected for the number of values (Benjamini & Hochberg).

Numbers of many values are cut at their quartiles. Values of fewer than 8 units (most ids) are not tested,
and neither are keys in `EPHEMERAL`: a connection lives through a fault, so its port goes along with
it. Two values that always come together rank alike: information says what goes together, not why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp._masks import Mask, to_mask
from workbench.otlp.analysis._groups import encode
from workbench.otlp.analysis._operations import column_or_nulls
from workbench.otlp.analysis._two_samples import LEAST, benjamini_hochberg, two_proportions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.traces import Traces

__all__ = ["Explanation", "contrast", "explain"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST_VALUES = 20  # of a number, beyond which it is cut into ranges
DENSE = 1 << 26
EPHEMERAL = frozenset(
    {"client.port", "network.peer.port", "net.peer.port", "net.sock.peer.port", "net.host.port", "thread.id"}
)
TOLD = frozenset({"scope.name", "scope.version", "status.message"})  # own columns that are worth a question


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation:
    """What some units have that others have not.

    Attributes
    ----------
    table : pyarrow.Table
        ``key``, ``value``, ``targets`` and ``others`` (how many units have it), ``target_share`` and
        ``other_share``, ``lift``, ``information`` (bits), ``p`` and ``q``; most information first.
    targets, others : int
        How many units there are.
    target_name, other_name : str
    untested : tuple of str
        Keys none of whose values enough units have.
    """

    table: pa.Table
    targets: int
    others: int
    target_name: str
    other_name: str
    untested: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.table)

    def significant(self, alpha: float = 0.01) -> pa.Table:
        """Return the rows with a corrected p-value up to `alpha`."""
        q = self.table["q"].to_numpy()
        return self.table.filter(pa.array(q <= alpha))

    def __repr__(self) -> str:
        sides = f"{self.targets:,} {self.target_name} against {self.others:,} {self.other_name}"
        found = self.significant()
        if not len(found):
            return f"Explanation: {sides}: no attribute tells them apart"
        first = found.slice(0, 1).to_pylist()[0]
        shares = f"{first['target_share']:.0%} against {first['other_share']:.0%}"
        return f"Explanation: {sides}: {len(found)} values differ; {first['key']}={first['value']} {shares}"

    def _repr_html_(self) -> str:
        columns = ["key", "value", self.target_name, self.other_name, "lift", "information, bits", "q"]
        rows = [
            (
                row["key"],
                row["value"],
                f"{row['target_share']:.1%}",
                f"{row['other_share']:.1%}",
                f"{row['lift']:.2f}",
                f"{row['information']:.3f}",
                f"{row['q']:.1e}",
            )
            for row in self.significant().to_pylist()
        ]
        return display.table(columns, rows, title=repr(self), max_rows=12)._repr_html_()

    def to_arrow(self) -> pa.Table:
        """Return the table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame."""
        return self.table.to_pandas()

    def plot(self, ax: "Axes | None" = None, *, most: int = 10) -> "Axes":
        """Draw how many of each side have the values that tell most; return the axes."""
        from workbench.otlp.analysis._comparison_plot import draw_explanation  # noqa: PLC0415 - costly

        return draw_explanation(self, ax, most)


def explain(traces: "Traces", mask: Mask) -> Explanation:
    """Return which attribute values the chosen spans have more, or less, often than the others.

    Parameters
    ----------
    traces : Traces
        Compare like with like: the spans of one operation, most often.
    mask : numpy, Arrow or pandas booleans, `(n,)`
        The spans to explain: the slow, the failed.

    Raises
    ------
    MaskError
        When it is not one boolean a span.

    Examples
    --------
    >>> from workbench import otlp
    >>> import pyarrow.compute as pc
    >>> traces = otlp.read("datasets/checkout/traces.otlp.zst")
    >>> charges = traces.filter(pc.equal(traces["name"], "POST /charges"))
    >>> failed = pc.equal(charges["status.code"], 2)
    >>> otlp.explain(charges, failed).to_pandas()["key"][0]
    'error.type'
    """
    chosen = to_mask(mask, len(traces))
    return contrast([traces], np.arange(len(traces)), chosen, "chosen spans", "others")


def contrast(
    sets: Sequence["Traces"], unit: Rows, target: Marks, target_name: str, other_name: str
) -> Explanation:
    """Return what target units have and others have not, by the attributes of their spans in all sets.

    Parameters
    ----------
    unit : (n,) int64
        The unit that each span belongs to.
    target : (u,) bool
        Whether each unit is a target.
    """
    sides = (int(target.sum()), int((~target).sum()))
    keys, values, hits, untested = [], [], [], []
    for key, codes, texts in _columns(sets):
        found = _hits(codes, unit, target, len(texts))
        enough = np.flatnonzero(found.sum(axis=0) >= LEAST)
        if not len(enough):
            untested.append(key)
        keys += [key] * len(enough)
        values += [texts[at] for at in enough.tolist()]
        hits.append(found[:, enough])
    counts = np.concatenate(hits, axis=1) if hits else np.zeros((2, 0), np.int64)
    return Explanation(
        _tabulate(keys, values, counts, sides), *sides, target_name, other_name, tuple(untested)
    )


def _columns(sets: Sequence["Traces"]) -> Iterator[tuple[str, Rows, list[str]]]:
    """Yield each attribute with the code of its value on each span, -1 for none, and the values."""
    known = sorted({key for traces in sets for key in traces.keys()} - _own_columns(sets) - EPHEMERAL)
    for key in known:
        columns = [column_or_nulls(traces, key) for traces in sets]
        kinds = {column.type for column in columns if column.null_count < len(column)}
        if not kinds:
            continue
        kind = kinds.pop() if len(kinds) == 1 else pa.string()
        joined = pa.chunked_array([chunk.cast(kind) for column in columns for chunk in column.chunks], kind)
        yield key, *_coded(joined)


def _own_columns(sets: Sequence["Traces"]) -> set[str]:
    """Return the columns of the spans themselves, which other questions are asked of."""
    names = {"end_time_unix_nano", "status.code"}
    for field in sets[0].spans.schema:
        names.add(field.name)
        if pa.types.is_struct(field.type):
            names |= {f"{field.name}.{part.name}" for part in field.type}
    return names - TOLD


def _coded(column: pa.ChunkedArray) -> tuple[Rows, list[str]]:
    coded = encode(column)
    missing = np.array([value is None for value in coded.distinct.to_pylist()], np.bool_)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        distinct = np.asarray(coded.distinct.to_numpy(zero_copy_only=False), np.float64)
        finite = np.isfinite(distinct)
        if finite.sum() > MOST_VALUES:
            return _ranges(np.where(finite, distinct, np.nan)[coded.codes])
    codes = np.where(missing[coded.codes], -1, coded.codes)
    return codes.astype(np.int64), [str(value) for value in coded.distinct.to_pylist()]


def _ranges(values: Floats) -> tuple[Rows, list[str]]:
    """Cut numbers at their quartiles."""
    known = ~np.isnan(values)
    edges = np.unique(np.quantile(values[known], [0, 0.25, 0.5, 0.75, 1]))
    codes = np.full(len(values), -1, np.int64)
    codes[known] = np.clip(np.searchsorted(edges, values[known], side="left") - 1, 0, max(len(edges) - 2, 0))
    texts = [f"{low:.4g} to {high:.4g}" for low, high in zip(edges, edges[1:], strict=False)]
    return codes, texts or [f"{edges[0]:.4g}"]


def _hits(codes: Rows, unit: Rows, is_target: Marks, size: int) -> Rows:
    """Return how many target and other units have each value, `(2, size) int64`."""
    counts = np.bincount(codes[codes >= 0], minlength=size)
    frequent = np.flatnonzero(counts >= LEAST)  # rarer ones cannot have enough units
    found = np.zeros((2, size), np.int64)
    if not len(frequent):
        return found
    place = np.full(size + 1, -1, np.int64)  # the last one is for -1
    place[frequent] = np.arange(len(frequent))
    places = place[codes]
    kept = places >= 0
    pairs = places[kept] * len(is_target) + unit[kept]
    cells = len(frequent) * len(is_target)
    if cells <= DENSE:
        seen = np.zeros(cells, np.bool_)
        seen[pairs] = True
        table = seen.reshape(len(frequent), -1)
        found[0, frequent], found[1, frequent] = (
            table[:, side].sum(axis=1) for side in (is_target, ~is_target)
        )
        return found
    distinct = np.unique(pairs)
    value, side = distinct // len(is_target), is_target[distinct % len(is_target)]
    found[0, frequent] = np.bincount(value[side], minlength=len(frequent))
    found[1, frequent] = np.bincount(value[~side], minlength=len(frequent))
    return found


def _tabulate(keys: list[str], values: list[str], hits: Rows, sides: tuple[int, int]) -> pa.Table:
    targets, others = (np.full(hits.shape[1], side) for side in sides)
    p = two_proportions(hits[1], others, hits[0], targets)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits[0] / targets
        lift = share / (hits.sum(axis=0) / (targets + others))
        other_share = hits[1] / others
    information = _information(hits, sides)
    order = np.lexsort((np.arange(len(p)), -information))
    numbers = {
        "targets": hits[0],
        "others": hits[1],
        "target_share": share,
        "other_share": other_share,
        "lift": lift,
        "information": information,
        "p": p,
        "q": benjamini_hochberg(p),
    }
    return pa.table(
        {
            "key": pa.array([keys[at] for at in order], pa.string()),
            "value": pa.array([values[at] for at in order], pa.string()),
        }
        | {name: pa.array(column[order]) for name, column in numbers.items()}
    )


def _information(hits: Rows, sides: tuple[int, int]) -> Floats:
    """Return the mutual information of having each value and being a target, bits."""
    whole = float(sum(sides)) or 1.0
    have = hits.sum(axis=0) / whole
    bits = np.zeros(hits.shape[1])
    for row, side in enumerate(sides):
        for joint, alone in ((hits[row] / whole, have), ((side - hits[row]) / whole, 1 - have)):
            with np.errstate(divide="ignore", invalid="ignore"):
                term = joint * np.log2(joint / (alone * side / whole))
            bits += np.where(joint > 0, term, 0.0)
    return np.maximum(bits, 0.0)
