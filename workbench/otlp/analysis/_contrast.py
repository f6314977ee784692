"""How often target units and others have each attribute value, and what that says; see `attributes`."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.analysis._groups import encode
from workbench.otlp.analysis._operations import column_or_nulls
from workbench.otlp.analysis._two_samples import LEAST, benjamini_hochberg, two_proportions

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["contrast"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST_VALUES = 20  # of a number, beyond which it is cut into ranges
DENSE = 1 << 26
EPHEMERAL = frozenset(
    {"client.port", "network.peer.port", "net.peer.port", "net.sock.peer.port", "net.host.port", "thread.id"}
)
TOLD = frozenset({"scope.name", "scope.version", "status.message"})  # own columns that are worth a question


def contrast(sets: Sequence["Traces"], unit: Rows | None, target: Marks) -> tuple[pa.Table, tuple[str, ...]]:
    """Return what target units have and others have not, and the keys none of whose values could be tested.

    Parameters
    ----------
    sets : sequence of Traces
        Their spans are one list, n long.
    unit : (n,) int64, optional
        The unit that each span belongs to; it has the attributes of its spans. By default each is its own.
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
    return _tabulate(keys, values, counts, sides), tuple(untested)


def _columns(sets: Sequence["Traces"]) -> Iterator[tuple[str, Rows, list[str]]]:
    """Yield each attribute with the code of its value on each span, -1 for none, and the values."""
    known = sorted({key for traces in sets for key in list(traces.keys())} - _own_columns(sets) - EPHEMERAL)
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
    texts = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges.tolist())]
    return codes, texts or [f"{edges[0]:.4g}"]


def _hits(codes: Rows, unit: Rows | None, target: Marks, size: int) -> Rows:
    """Return how many target and other units have each value, `(2, size) int64`."""
    frequent = np.bincount(codes[codes >= 0], minlength=size) >= LEAST  # rarer ones cannot have enough units
    rows = np.flatnonzero(np.append(frequent, np.False_)[codes])  # the last one is for -1
    value, owner = codes[rows], rows if unit is None else unit[rows]
    if unit is not None:
        value, owner = _distinct(value, owner, size, len(target))
    return np.stack([np.bincount(value[side], minlength=size) for side in (target[owner], ~target[owner])])


def _distinct(value: Rows, owner: Rows, values: int, owners: int) -> tuple[Rows, Rows]:
    """Return each pair of value and owner once."""
    pairs = value * owners + owner
    if values * owners <= DENSE:
        seen = np.zeros(values * owners, np.bool_)
        seen[pairs] = True
        pairs = np.flatnonzero(seen)
    else:
        pairs = np.unique(pairs)
    return pairs // owners, pairs % owners


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
