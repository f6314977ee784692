"""Which templates were these texts written from? Mined by Drain, in one pass.

::

    templates = otlp.mine_templates(logs["body"])
    templates.table                   id, template, how many, first and last row, examples
    logs.filter(templates.ids == 3)   the records of one
    templates.parameters(3)           what was filled in, a row a record
    templates.match("order 7 paid")   which template a text has

First the parts that vary are masked: ``payment 4711 took 35ms`` becomes ``payment <num> took <num>ms``. Then
texts with the same number of tokens and much the same tokens become one template, in which the tokens that
differ are ``<*>``. The result depends on the order of the texts and on nothing else.
"""

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.text import _kernel_drain as drain
from workbench.otlp.text._arrow_strings import Column, as_text
from workbench.otlp.text._kernel_masks import KINDS
from workbench.otlp.text._lines import Lines
from workbench.otlp.text.templates import MiningError, Templates

__all__ = ["mine_templates"]

DEFAULT_MASKS: tuple[str, ...] = KINDS
UNLIMITED = 1 << 62
MIN_DEPTH = 3  # root, number of tokens, templates


def mine_templates(  # noqa: PLR0913 - the parameters of the method
    bodies: Column,
    *,
    depth: int = 4,
    similarity: float = 0.4,
    max_children: int = 100,
    max_clusters: int | None = None,
    masks: Sequence[str] = DEFAULT_MASKS,
) -> Templates:
    """Mine the templates of a column of texts, with Drain.

    Parameters
    ----------
    bodies : pyarrow.ChunkedArray or pyarrow.Array, `(n,)`
        Texts, such as ``logs["body"]``. Tokens are what white space (of ASCII) separates.
    depth : int
        Layers of the tree, 3 or more: root, number of tokens, ``depth - 3`` first tokens, templates.
    similarity : float
        The least share of equal tokens, 0 to 1, with which a text joins a template.
    max_children : int
        Of a node of the tree; tokens for which there is no room lead the way of ``<*>``.
    max_clusters : int, optional
        How many templates stay open to further texts. With more, the one that was not joined for longest is
        closed: it stays in the result, and texts like it begin another.
    masks : sequence of str
        What to mask before: of "time", "uuid", "mac", "ip", "hex", "num" and "id" (all of them unless said
        otherwise), see `workbench.otlp.text._kernel_masks`. To mask more, replace it before by a word in
        brackets, with ``pyarrow.compute.replace_substring_regex``.

    Returns
    -------
    Templates

    Raises
    ------
    MiningError
        When a parameter has no meaning.
    TextColumnError
        When the column holds no texts.

    Notes
    -----
    Cost O(bytes + tokens of the templates compared). Source: He et al., ICWS 2017; masking as in Drain3.

    Examples
    --------
    >>> import pyarrow as pa
    >>> bodies = pa.array(["user ann paid 3 EUR", "user bob paid 12 EUR", "pool timed out after 30ms"])
    >>> mine_templates(bodies).table["template"].to_pylist()
    ['user <*> paid <num> EUR', 'pool timed out after <num>ms']
    """
    _check("depth", depth, at_least=MIN_DEPTH)
    _check("max_children", max_children, at_least=1)
    if max_clusters is not None:
        _check("max_clusters", max_clusters, at_least=1)
    _check_share("similarity", similarity)
    active = _active(masks)
    column = as_text(bodies)
    lines = Lines(column)
    mining = _Mining(lines, depth - MIN_DEPTH)
    most_clusters = min(max_clusters or UNLIMITED, UNLIMITED)
    limits = (float(similarity), min(max_children, UNLIMITED), most_clusters)
    ids = [mining.mine(chunk, active, limits) for chunk in range(len(lines.chunks))]
    return Templates.of(
        column, np.concatenate([np.zeros(0, np.int32), *ids]), active, mining.found, mining.tokens_found
    )


def _check(name: str, value: Any, *, at_least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        msg = f"{name} must be a whole number, {at_least} or more, got {value!r}"
        raise MiningError(msg)


def _check_share(name: str, value: Any) -> None:
    if not (isinstance(value, Real) and 0 <= float(value) <= 1):
        msg = f"{name} must be a share, 0 to 1, got {value!r}"
        raise MiningError(msg)


def _active(masks: Sequence[str]) -> int:
    """Return a bit for each kind of part that is masked."""
    is_several = isinstance(masks, Iterable) and not isinstance(masks, str)
    unknown = [name for name in masks if name not in KINDS] if is_several else [masks]
    if unknown:
        msg = f"masks must be a sequence of {', '.join(KINDS)}, got {unknown[0]!r}"
        raise MiningError(msg)
    return sum(1 << KINDS.index(name) for name in set(masks))


class _Mining:
    """The growing arrays of Drain's tree and its templates."""

    def __init__(self, lines: Lines, layers: int) -> None:
        most_tokens = lines.longest() // 2 + 1
        self.lines, self.layers = lines, min(layers, most_tokens)
        self.tokens, self.numeric = np.empty(most_tokens, np.int64), np.empty(most_tokens, np.bool_)
        self.nodes = np.full((1024, drain.NODE_FIELDS), drain.NOTHING, np.int64)
        self.slots = np.full(2 * len(self.nodes), drain.NOTHING, np.int64)
        self.clusters = np.zeros((256, drain.CLUSTER_FIELDS), np.int64)
        self.arena = np.empty(4096 + 2 * most_tokens, np.int64)
        self.counters = np.zeros(drain.COUNTERS, np.int64)
        self.counters[drain.NODES] = 1  # the root
        self.counters[[drain.LEAST_RECENT, drain.MOST_RECENT]] = drain.NOTHING

    @property
    def found(self) -> npt.NDArray[np.int64]:
        """The templates, `(k, CLUSTER_FIELDS)`."""
        return self.clusters[: self.counters[drain.CLUSTERS]].copy()

    @property
    def tokens_found(self) -> npt.NDArray[np.int64]:
        """The hashes of all templates' tokens."""
        return self.arena[: self.counters[drain.TOKENS]].copy()

    def mine(self, chunk: int, active: int, limits: tuple[float, int, int]) -> npt.NDArray[np.int32]:
        """Return the template of each row of a chunk, -1 where there is no text."""
        data, offsets = self.lines.layouts[chunk]
        valid, ids = self.lines.valid(chunk), np.empty(len(offsets) - 1, np.int32)
        text = (data.ctypes.data, offsets.ctypes.data, offsets.dtype == np.int64, valid)
        before, row = int(self.lines.firsts[chunk]), 0
        while row < len(ids):
            row = drain.mine(*text, row, before, active, self.layers, *limits, *self._arrays(), ids)
            if row < len(ids):
                self._grow()
        return ids

    def _arrays(self) -> tuple[Any, ...]:
        return self.nodes, self.slots, self.clusters, self.arena, self.counters, self.tokens, self.numeric

    def _grow(self) -> None:
        """Double what has little room left."""
        counts = self.counters
        if counts[drain.CLUSTERS] == len(self.clusters):
            self.clusters = np.concatenate([self.clusters, np.zeros_like(self.clusters)])
        if counts[drain.TOKENS] + len(self.tokens) > len(self.arena):
            self.arena = np.concatenate([self.arena, np.empty_like(self.arena)])
        if counts[drain.NODES] + self.layers + 1 > len(self.nodes):
            room = np.full((len(self.nodes) + self.layers, drain.NODE_FIELDS), drain.NOTHING, np.int64)
            self.nodes = np.concatenate([self.nodes, room])
            size = 1 << int(2 * len(self.nodes)).bit_length()
            self.slots = np.full(size, drain.NOTHING, np.int64)
            drain.place_nodes(self.nodes, self.slots, counts[drain.NODES])
