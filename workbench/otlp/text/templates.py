"""`Templates`: what texts were written from, which text from which, and what was filled in."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.errors import WorkbenchError
from workbench.otlp.text import _kernel_drain as drain
from workbench.otlp.text._kernel_masks import KINDS
from workbench.otlp.text._kernel_parts import WHOLE_TOKEN, all_parts, gather, masked, parts
from workbench.otlp.text._lines import Lines

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MiningError", "Templates"]

Rows = npt.NDArray[np.int64]
ANYTHING = "<*>"
GROWTH = 6  # "5" becomes "<num> "
MAX_ROWS_SHOWN = 20


class MiningError(WorkbenchError, ValueError):
    """Raised when templates cannot be mined as asked for, or one is asked for that there is not."""


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """The templates of a column of texts.

    Attributes
    ----------
    table : pyarrow.Table
        A row a template, in the order in which they appeared: template_id, template (its tokens, one space
        between them, ``<*>`` for one that varies, ``<num>`` and the like for parts that were masked), count,
        first_row, last_row, and examples (the texts of these two rows).
    ids : (n,) int32
        The template of each text, -1 where there is none; aligned with the column, so that
        ``logs.filter(templates.ids == 3)`` are the records of one.
    """

    table: pa.Table
    ids: npt.NDArray[np.int32]
    _column: pa.ChunkedArray = field(repr=False)
    _active: int = field(repr=False)  # one bit for each kind of part that was masked
    _clusters: Rows = field(repr=False)  # (k, CLUSTER_FIELDS)
    _tokens: Rows = field(repr=False)  # hashes of all templates' tokens

    @classmethod
    def of(
        cls,
        column: pa.ChunkedArray,
        ids: npt.NDArray[np.int32],
        active: int,
        clusters: Rows,
        tokens: Rows,
    ) -> "Templates":
        """Return what was mined, templates written out."""
        lines = Lines(column)
        firsts, lasts = clusters[:, drain.FIRST_ROW], clusters[:, drain.LAST_ROW]
        varies = [_tokens_of(cluster, tokens) == drain.ANYTHING for cluster in clusters]
        texts = [_written(lines.bytes_of(row), active, v) for row, v in zip(firsts, varies, strict=True)]
        examples = [
            [_decoded(lines.bytes_of(row)) for row in sorted({int(first), int(last)})]
            for first, last in zip(firsts, lasts, strict=True)
        ]
        table = pa.table(
            {
                "template_id": pa.array(np.arange(len(clusters)), pa.int32()),
                "template": pa.array(texts, pa.string()),
                "count": pa.array(clusters[:, drain.COUNT]),
                "first_row": pa.array(firsts),
                "last_row": pa.array(lasts),
                "examples": pa.array(examples, pa.list_(pa.string())),
            }
        )
        ids.setflags(write=False)
        return cls(table, ids, column, active, clusters, tokens)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        without = int((self.ids < 0).sum())
        empty = f", {without:,} without a text" if without else ""
        return f"Templates: {len(self):,} of {len(self.ids) - without:,} texts{empty}"

    def _repr_html_(self) -> str:
        frequent = self.table.sort_by([("count", "descending"), ("template_id", "ascending")])
        columns = ["template_id", "count", "template"]
        shown = [frequent[name].to_pylist() for name in columns]
        rows = list(zip(*shown, strict=True))
        return display.table(columns, rows, title=repr(self), max_rows=MAX_ROWS_SHOWN)._repr_html_()

    def to_arrow(self) -> pa.Table:
        """Return the table of the templates."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table of the templates as a data frame."""
        return self.table.to_pandas()

    def match(self, text: str) -> int | None:
        """Return the template that a text has, or None; of several, the one that says most, then the first.

        Nothing is learned from the text. It has a template if all its tokens, masked, are the template's
        where that is not ``<*>``.
        """
        given: object = text  # whatever the types promise
        if not isinstance(given, str):
            msg = f"expected a text as a str, got {given!r}"
            raise TypeError(msg)
        raw = np.frombuffer(given.encode(errors="surrogatepass"), np.uint8)
        tokens = np.empty(len(raw) // 2 + 1, np.int64)
        numeric = np.empty(len(tokens), np.bool_)
        start = raw.ctypes.data
        count = drain.hash_tokens(start, start + len(raw), self._active, tokens, numeric)
        same_length = np.flatnonzero(self._clusters[:, drain.LENGTH] == count)
        starts = self._clusters[same_length, drain.START]
        templates = self._tokens[starts[:, None] + np.arange(count)]
        varies = templates == drain.ANYTHING
        fits = (varies | (templates == tokens[:count])).all(axis=1)
        if not fits.any():
            return None
        return int(same_length[np.argmin(np.where(fits, varies.sum(axis=1), count + 1))])

    def parameters(self, template_id: int) -> pa.Table:
        """Return what was filled in, in all texts of one template.

        Returns
        -------
        pyarrow.Table
            ``row`` of the text, and a column of texts for each part, in the order of the template, named by
            its kind: ``num_1``, ``num_2``, ``ip_1``; ``any_1`` for ``<*>``, a token that varies as a whole.

        Raises
        ------
        MiningError
            When there is no such template.
        """
        is_number = isinstance(template_id, int | np.integer) and not isinstance(template_id, bool)
        if not is_number or template_id not in range(len(self)):
            msg = f"there is no template {template_id!r}, there are {len(self):,}, from 0 on"
            raise MiningError(msg)
        lines = Lines(self._column)
        rows = np.flatnonzero(self.ids == template_id)
        varies = _tokens_of(self._clusters[template_id], self._tokens) == drain.ANYTHING
        starts, stops = lines.addresses(rows)
        kinds = np.empty(int(stops[0] - starts[0]) + 1, np.int64)
        spans = np.empty((len(kinds), 2), np.int64)
        count = parts(starts[0], stops[0], self._active, varies, kinds, spans)
        found = np.empty((len(rows), count, 2), np.int64)
        all_parts(starts, stops, self._active, varies, kinds[:count].copy(), found)
        columns = [_gathered(found[:, part], self._column.type) for part in range(count)]
        return pa.table([pa.array(rows), *columns], names=["row", *_names(kinds[:count])])


def _tokens_of(cluster: Rows, tokens: Rows) -> Rows:
    start = cluster[drain.START]
    return tokens[start : start + cluster[drain.LENGTH]]


def _written(text: bytes, active: int, varies: npt.NDArray[np.bool_]) -> str:
    """Return a template, given one of its texts."""
    raw = np.frombuffer(text, np.uint8)
    out = np.empty(GROWTH * len(raw) + 1, np.uint8)
    size = masked(raw.ctypes.data, raw.ctypes.data + len(raw), active, out)
    tokens = _decoded(out[:size].tobytes()).split(" ") if size else []
    return " ".join(ANYTHING if any_ else token for token, any_ in zip(tokens, varies, strict=True))


def _decoded(text: bytes) -> str:
    return text.decode(errors="replace")


def _names(kinds: Rows) -> list[str]:
    """Return a name for each part: its kind, numbered."""
    seen: dict[str, int] = {}
    names = []
    for kind in kinds:
        name = "any" if kind == WHOLE_TOKEN else KINDS[kind]
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name}_{seen[name]}")
    return names


def _gathered(spans: Any, kind: pa.DataType) -> pa.Array:
    """Return the texts at some addresses as one array."""
    starts, stops = np.ascontiguousarray(spans[:, 0]), np.ascontiguousarray(spans[:, 1])
    offsets = np.concatenate([[0], np.cumsum(stops - starts)]).astype(np.int64)
    data = np.empty(int(offsets[-1]), np.uint8)
    gather(starts, stops, offsets, data.ctypes.data)
    is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    made = pa.large_binary() if is_binary else pa.large_string()
    return pa.Array.from_buffers(made, len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
