"""Requests: which client span and which server span are two views of one call.

A SERVER span whose parent is a CLIENT span, and a CONSUMER span whose parent is a PRODUCER span, are the two
ends of a request, as in the Collector's service graph. Several server spans below one client span are several
requests. The rest of these spans are *unpaired*, each for a reason:

* a client span with a database's attributes calls a database, which writes no spans: nothing is missing;
* a client span: ``no child`` was recorded below it, or ``no server span`` among its children;
* a server span: it is a ``root``, its parent is ``absent`` from these spans, or its ``parent is no client``.

Source: OpenTelemetry Collector, ``servicegraph`` connector.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.otlp.analysis._identity import has_parent_id

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["CLIENT", "CONSUMER", "PRODUCER", "REASONS", "SERVER", "SpanPairs", "pair_spans"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5  # SpanKind
REASONS = ("no child", "no server span", "root", "parent absent", "parent is no client")
NO_CHILD, NO_SERVER, IS_ROOT, PARENT_ABSENT, PARENT_NO_CLIENT = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class SpanPairs:
    """The requests of some spans.

    Attributes
    ----------
    client, server : (m,) int64
        Rows of the two spans of each paired request.
    lone_client, lone_server : (k,) int64
        Rows of unpaired spans.
    client_reason, server_reason : (k,) int64
        Why, as places in `REASONS`.
    """

    client: Rows
    server: Rows
    lone_client: Rows
    client_reason: Rows
    lone_server: Rows
    server_reason: Rows


def pair_spans(traces: "Traces") -> SpanPairs:
    """Return which spans are two views of one request, and which have no other; cost O(n)."""
    structure = traces.structure
    kind, parent = structure.kind, structure.parent
    calls = (kind == CLIENT) | (kind == PRODUCER)
    servers = np.flatnonzero((kind == SERVER) | (kind == CONSUMER))
    above = parent[servers]
    paired = (above >= 0) & calls[above]
    lone = servers[~paired]
    has_child, has_server = np.zeros(len(kind), np.bool_), np.zeros(len(kind), np.bool_)
    has_child[parent[parent >= 0]] = True
    has_server[above[paired]] = True
    lone_client = np.flatnonzero(calls & ~has_server)
    absent = np.where(has_parent_id(traces)[lone], PARENT_ABSENT, IS_ROOT)
    return SpanPairs(
        above[paired],
        servers[paired],
        lone_client,
        np.where(has_child[lone_client], NO_SERVER, NO_CHILD),
        lone,
        np.where(parent[lone] >= 0, PARENT_NO_CLIENT, absent),
    )
