"""Some of the records, in any order, with exactly the children, scopes and resources that are theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp._schema import LAYOUTS, Signal
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._star import Star

__all__ = ["choose", "in_runs", "parents_of", "sorted_children"]

Rows = npt.NDArray[np.int64]
CHILD_OPS = (codes.ROWS, codes.POINTS, codes.KEY_VALUE, codes.TEXTS)
ROOT, RESOURCES, SCOPES = "root", "resources", "scopes"


@dataclass(frozen=True, slots=True)
class _Taken:
    """The rows taken from a table, and the new parent of each."""

    rows: Rows
    parents: Rows


@cache
def parents_of(signal: str) -> Mapping[str, str]:
    """Return each table's parent table, outermost first."""
    plan = plan_of(signal)
    return {
        plan.tables[step.table]: plan.tables[plan.kind_tables[step.kind]]
        for step in plan.steps
        if step.op in CHILD_OPS
    }


def choose(star: Star, rows: Rows) -> Star:
    """Return the given records in the given order.

    Scopes and resources that lose all they had are left out; those that were empty stay when the order does.
    """
    records = LAYOUTS[_signal(star)].records
    in_order = bool((np.diff(rows) > 0).all())
    scopes, scope_of = _owners(star.columns[f"{records}.parent"], rows, star.rows[SCOPES], in_order)
    resources, resource_of = _owners(star.columns["scopes.parent"], scopes, star.rows[RESOURCES], in_order)
    return _take(
        star,
        {
            RESOURCES: _Taken(resources, np.zeros(len(resources), np.int64)),
            SCOPES: _Taken(scopes, resource_of),
            records: _Taken(rows, scope_of),
        },
    )


def in_runs(star: Star) -> Star:
    """Return the same records with a scope and a resource for each run, as a message needs it."""
    records = LAYOUTS[_signal(star)].records
    scope, resource = star.columns[f"{records}.parent"], star.columns["scopes.parent"]
    if _is_sorted(scope) and _is_sorted(resource):
        return star
    scope_starts = _run_starts(scope)
    scopes = scope[scope_starts].astype(np.int64)
    resource_starts = _run_starts(resource[scopes])
    resources = resource[scopes][resource_starts].astype(np.int64)
    return _take(
        star,
        {
            RESOURCES: _Taken(resources, np.zeros(len(resources), np.int64)),
            SCOPES: _Taken(scopes, _run_numbers(resource_starts, len(scopes))),
            records: _Taken(np.arange(len(scope)), _run_numbers(scope_starts, len(scope))),
        },
    )


def sorted_children(star: Star) -> Star:
    """Return the same telemetry with every child table in the order of its parents."""
    records = LAYOUTS[_signal(star)].records
    envelope = (RESOURCES, SCOPES, records)
    children = [table for table in parents_of(star.signal) if table not in envelope]
    if all(_is_sorted(star.columns[f"{table}.parent"]) for table in children):
        return star
    kept = {
        table: _Taken(np.arange(star.rows[table]), star.columns[f"{table}.parent"].astype(np.int64))
        for table in envelope
    }
    return _take(star, kept)


def _signal(star: Star) -> Signal:
    return star.signal


def _is_sorted(parents: npt.NDArray[Any]) -> bool:
    return bool((parents[1:] >= parents[:-1]).all())


def _run_starts(values: npt.NDArray[Any]) -> Rows:
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.concatenate([[0], changes]).astype(np.int64) if len(values) else np.empty(0, np.int64)


def _run_numbers(starts: Rows, size: int) -> Rows:
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, size)))


def _owners(parent: npt.NDArray[Any], rows: Rows, owners: int, in_order: bool) -> tuple[Rows, Rows]:  # noqa: FBT001
    """Return the owners of rows in their new order, and each row's owner by its new number."""
    chosen = parent[rows].astype(np.int64)
    if in_order:
        kept = np.zeros(owners, bool)
        kept[chosen] = True
        kept |= np.bincount(parent, minlength=owners)[:owners] == 0
        order = np.flatnonzero(kept)
    else:
        distinct, first = np.unique(chosen, return_index=True)
        order = distinct[np.argsort(first)]
    numbers = np.full(owners, -1, np.int64)
    numbers[order] = np.arange(len(order))
    return order, numbers[chosen]


def _take(star: Star, taken: dict[str, _Taken]) -> Star:
    """Return the rows taken from the envelope's tables and all their descendants."""
    plan = plan_of(star.signal)
    taken = {ROOT: _Taken(np.zeros(1, np.int64), np.zeros(1, np.int64)), **taken}
    for table, parent in parents_of(star.signal).items():
        if table not in taken:
            taken[table] = _children(star.columns[f"{table}.parent"], taken[parent].rows)
    columns = {
        name: array
        for table, found in taken.items()
        for name, array in _columns(plan, star, table, found).items()
    }
    rows = {table: len(taken[table].rows) for table in plan.tables}
    return star._replace(rows=rows, columns=columns, sides=_sides(plan, star, taken), size=0)


def _children(parent: npt.NDArray[Any], owners: Rows) -> _Taken:
    """Return the children of some rows, in their order."""
    if len(parent) and not _is_sorted(parent):
        order = np.argsort(parent, kind="stable")
        found = _children(parent[order], owners)
        return _Taken(order[found.rows], found.parents)
    first, last = np.searchsorted(parent, owners), np.searchsorted(parent, owners, side="right")
    return _Taken(_ranges(first, last - first), np.repeat(np.arange(len(owners)), last - first))


def _ranges(first: Rows, lengths: Rows) -> Rows:
    """Return the numbers of ranges that start at `first`, one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(first - (ends - lengths), lengths)


def _columns(plan: Plan, star: Star, table: str, taken: _Taken) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    for name, column in plan.columns.items():
        if column.table != table or name not in star.columns or column.elements is not None:
            continue
        if column.starts is not None:
            starts = star.columns[name]
            lengths = (starts[1:] - starts[:-1])[taken.rows]
            values = name.removesuffix(".start")
            found[values] = star.columns[values][_ranges(starts[:-1][taken.rows], lengths)]
            found[name] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        elif column.name == "parent":
            found[name] = taken.parents.astype(np.uint32)
        else:
            found[name] = star.columns[name][taken.rows]
    return found


def _sides(plan: Plan, star: Star, taken: Mapping[str, _Taken]) -> Rows:
    """Return the side entries of the rows taken, by their new numbers; a row taken twice has them twice."""
    entries = []
    for number, table in enumerate(plan.tables):
        mine = star.sides[star.sides[:, 0] == number]
        for entry in mine:
            rows = np.flatnonzero(taken[table].rows == entry[1]).tolist()
            entries += [[number, row, entry[2], entry[3]] for row in rows]
    return np.array(entries, np.int64).reshape(-1, 4)
