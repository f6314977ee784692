"""The service graph: who requests what of whom, seen from both ends, and what only one end saw.

Each request is an edge from a client to a server, of a connection type: unset (a CLIENT and a SERVER span),
``messaging_system`` (PRODUCER and CONSUMER), ``database`` (a CLIENT span with a database's attributes) or
``virtual_node``: one end wrote no spans, and is named by what the other end says of its peer. A request fails
when either end has the status ERROR. *Network* time is the client's duration less the server's: connection,
queue and network, both ways. It is below zero where the server outlasted the client, which had its answer
already or had given up. A producer does not wait for its consumers: of messages it is the time from the end
of the producer's span to the start of the consumer's, as in Grafana Tempo's service graphs.

As in the Collector's connector an unpaired root SERVER span was requested by ``user``, and an unpaired client
span requests the first of its peer attributes. Beyond it, nothing is left out: a server span whose parent is
absent was requested by ``unknown``, and one below another kind of span by that span's service.

Source: OpenTelemetry Collector, ``servicegraph`` connector; OpenTelemetry semantic conventions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.otlp.analysis._grouped import grouped_quantiles
from workbench.otlp.analysis._groups import encode
from workbench.otlp.analysis._operations import UNKNOWN_SERVICE, column_or_nulls
from workbench.otlp.analysis._span_pairs import (
    CONSUMER,
    IS_ROOT,
    PARENT_NO_CLIENT,
    PRODUCER,
    REASONS,
    SpanPairs,
    pair_spans,
)

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["ServiceGraph", "service_graph"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]

DATABASE_ATTRIBUTES = ("db.name", "db.namespace", "db.system.name", "db.system")
PEER_ATTRIBUTES = (
    "peer.service",
    *DATABASE_ATTRIBUTES,
    "messaging.destination.name",
    "net.sock.peer.addr",
    "net.peer.name",
    "server.address",
    "network.peer.address",
    "rpc.service",
    "net.sock.peer.name",
    "http.url",
    "url.full",
    "http.target",
)
USER, UNKNOWN = "user", "unknown"
UNSET, MESSAGING, DATABASE, VIRTUAL = TYPES = ("unset", "messaging_system", "database", "virtual_node")
MS = 1e6
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True, slots=True, repr=False)
class ServiceGraph:
    """Requests between services, databases and peers without spans.

    Attributes
    ----------
    edges : pyarrow.Table
        ``client``, ``server``, ``connection_type``, ``requests``, ``failed``; quantiles p50, p90 and p99 in
        milliseconds of ``client_*_ms``, ``server_*_ms`` and ``network_*_ms``, null where that end wrote no
        spans (a database's time is its client's); ``outlasted``, requests, no messages, whose server span
        lasted longer than the client span. Most requests first.
    nodes : pyarrow.Table
        ``node``, ``type`` (service, database or virtual_node) and ``spans``. Both ends of an edge of a
        ``messaging_system`` wrote spans, so they are services; a queue that only one end names is virtual.
    unpaired : pyarrow.Table
        ``side`` (client or server), ``service``, ``reason`` and ``spans``: client and server spans without
        their other end, those that request a database left out.
    """

    edges: pa.Table
    nodes: pa.Table
    unpaired: pa.Table

    def __len__(self) -> int:
        return len(self.edges)

    def __repr__(self) -> str:
        virtual = sum(kind == VIRTUAL for kind in self.nodes["type"].to_pylist())
        requests, failed, unpaired = (
            int(pc.sum(column).as_py() or 0)
            for column in (self.edges["requests"], self.edges["failed"], self.unpaired["spans"])
        )
        nodes = f"{len(self.nodes)} nodes ({virtual} virtual), {len(self.edges)} edges"
        return f"ServiceGraph: {nodes}, {requests:,} requests, {failed:,} failed, {unpaired:,} unpaired spans"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        return self.picture()._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    def picture(self) -> display.Picture:
        """Draw the graph: wider edges carry more requests, coloured ones more failures; times are medians."""
        edges = self.edges.to_pylist()
        return display.graph(
            [(edge["client"], edge["server"]) for edge in edges],
            width=[edge["requests"] for edge in edges],
            colour=[100 * edge["failed"] / edge["requests"] for edge in edges],
            edge_label=[_edge_label(edge) for edge in edges],
            node_label={row["node"]: _node_label(row) for row in self.nodes.to_pylist()},
            width_name="requests",
            colour_name="failed, %",
            title="Who requests what of whom",
        )

    def to_arrow(self) -> pa.Table:
        """Return the edges."""
        return self.edges

    def to_pandas(self) -> "pd.DataFrame":
        """Return the edges as a data frame."""
        return self.edges.to_pandas()


def _edge_label(edge: dict[str, Any]) -> str:
    times = [edge[f"{side}_p50_ms"] for side in ("server", "client")]
    known = next((time for time in times if time is not None), None)
    return f"{edge['requests']:,}" + ("" if known is None else f" x {known:.2g} ms")


def _node_label(row: dict[str, Any]) -> str:
    return f"{row['spans']:,} spans" if row["type"] == "service" else row["type"].replace("_", " ")


def service_graph(
    traces: "Traces",
    *,
    peer_attributes: Sequence[str] = PEER_ATTRIBUTES,
    database_attributes: Sequence[str] = DATABASE_ATTRIBUTES,
) -> ServiceGraph:
    """Return the requests between services, and to and from what wrote no spans.

    Parameters
    ----------
    traces : Traces
    peer_attributes : sequence of str
        Attributes that name the peer of an unpaired client span, the best first; ``unknown`` without any. By
        default those of the Collector (``peer.service``, ``db.name``, ``db.system``) and their present names,
        then others that tell a host, a queue or an address.
    database_attributes : sequence of str
        Attributes that make a CLIENT span a database request, and name the database, the best first; the
        Collector's default is ``db.name`` alone.

    Notes
    -----
    Client and server spans are paired by parent and child, not by links: a consumer that only links to its
    producer is unpaired, as in the Collector.

    Examples
    --------
    >>> from workbench import otlp
    >>> otlp.service_graph(otlp.read("datasets/checkout/traces.otlp.zst"))
    ServiceGraph: 6 nodes (1 virtual), 7 edges, 15,715 requests, 302 failed, 1,439 unpaired spans
    """
    requests = _Requests.of(traces, pair_spans(traces), tuple(peer_attributes), tuple(database_attributes))
    return ServiceGraph(requests.edges(), requests.nodes(), requests.unpaired())


@dataclass(frozen=True, slots=True, eq=False)
class _Requests:
    """All requests, one a row: names of both ends, rows of their spans (-1 for none), connection types."""

    traces: "Traces"
    pairs: SpanPairs
    services: Names  # of each span
    client: Rows
    server: Rows
    client_name: Names
    server_name: Names
    kind: Rows  # place in TYPES

    @classmethod
    def of(
        cls, traces: "Traces", pairs: SpanPairs, peers: tuple[str, ...], databases: tuple[str, ...]
    ) -> "_Requests":
        services = _texts(column_or_nulls(traces, "service.name"), UNKNOWN_SERVICE)
        lone, none = pairs.lone_client, -np.ones(len(pairs.lone_client), np.int64)
        producing = traces.structure.kind[lone] == PRODUCER
        database = _first_named(traces, lone, databases)
        is_database = (database != "") & ~producing
        peer = np.where(is_database, database, "")
        peer[~is_database] = _first_named(traces, lone[~is_database], peers)
        above = traces.structure.parent[pairs.lone_server]
        requester = np.where(pairs.server_reason == IS_ROOT, USER, UNKNOWN).astype(object)
        known = pairs.server_reason == PARENT_NO_CLIENT
        requester[known] = services[above[known]]
        messaging = traces.structure.kind[pairs.server] == CONSUMER
        return cls(
            traces,
            pairs,
            services,
            np.concatenate([pairs.client, lone, np.full(len(above), -1)]),
            np.concatenate([pairs.server, none, pairs.lone_server]),
            np.concatenate([services[pairs.client], services[lone], requester]),
            np.concatenate(
                [services[pairs.server], np.where(peer == "", UNKNOWN, peer), services[pairs.lone_server]]
            ),
            np.concatenate(
                [
                    np.where(messaging, TYPES.index(MESSAGING), TYPES.index(UNSET)),
                    np.where(is_database, TYPES.index(DATABASE), TYPES.index(VIRTUAL)),
                    np.where(known, TYPES.index(UNSET), TYPES.index(VIRTUAL)),
                ]
            ),
        )

    def edges(self) -> pa.Table:
        ends, names = pd.factorize(np.concatenate([self.client_name, self.server_name]), sort=True)
        first, second = np.split(ends, 2)
        code = (first * max(len(names), 1) + second) * len(TYPES) + self.kind
        present, edge = np.unique(code, return_inverse=True)
        size = len(present)
        failed = self._value(self.traces.structure.error, self.client, 0) > 0
        failed |= self._value(self.traces.structure.error, self.server, 0) > 0
        times = self._times()
        columns: dict[str, Any] = {
            "client": names[present // len(TYPES) // max(len(names), 1)],
            "server": names[present // len(TYPES) % max(len(names), 1)],
            "connection_type": np.array(TYPES, object)[present % len(TYPES)],
            "requests": np.bincount(edge, minlength=size),
            "failed": np.bincount(edge[failed], minlength=size),
        }
        for side, values in times.items():
            known = ~np.isnan(values)
            found = grouped_quantiles(edge[known], values[known], size, tuple(QUANTILES.values()))
            columns |= {f"{side}_{name}_ms": row for name, row in zip(QUANTILES, found, strict=True)}
        outlasted = (times["network"] < 0) & ~self._is_message
        columns["outlasted"] = np.bincount(edge[outlasted], minlength=size)
        order = np.lexsort((present, -columns["requests"]))
        return pa.table({name: _arrow(values[order], text=name in TEXTS) for name, values in columns.items()})

    def _value(self, values: npt.NDArray[Any], rows: Rows, missing: float) -> Floats:
        found = np.full(len(rows), missing, np.float64)
        found[rows >= 0] = values[rows[rows >= 0]]
        return found

    def _times(self) -> dict[str, Floats]:
        """Return what each end saw and the difference, milliseconds, NaN where an end saw nothing.

        A span without a start saw nothing.
        """
        structure = self.traces.structure
        duration = np.where(structure.is_started, np.maximum(structure.duration, 0) / MS, np.nan)
        client, server = (self._value(duration, rows, np.nan) for rows in (self.client, self.server))
        network = np.where(self._is_message, self._in_queue(), client - server)
        server = np.where(self.kind == TYPES.index(DATABASE), client, server)
        return {"client": client, "server": server, "network": network}

    @property
    def _is_message(self) -> npt.NDArray[np.bool_]:
        return self.kind == TYPES.index(MESSAGING)

    def _in_queue(self) -> Floats:
        """Return the time from the end of the client's span to the start of the server's, milliseconds."""
        structure = self.traces.structure
        both = (self._value(structure.is_started, self.client, 0) > 0) & (
            self._value(structure.is_started, self.server, 0) > 0
        )
        client, server = self.client[both], self.server[both]
        found = np.full(len(both), np.nan)
        sent = structure.start[client] + np.maximum(structure.duration[client], 0)
        found[both] = (structure.start[server] - sent) / MS
        return found

    def nodes(self) -> pa.Table:
        """Return services with the number of their spans first, then what wrote none."""
        spans = pd.Series(self.services).value_counts().to_dict()
        types = dict.fromkeys(spans, "service")
        for ends in (self.server_name, self.client_name):
            for kind in (DATABASE, VIRTUAL):
                for name in sorted(pd.unique(ends[self.kind == TYPES.index(kind)])):
                    types.setdefault(name, kind)
        rows: list[dict[str, Any]] = [
            {"node": name, "type": kind, "spans": spans.get(name, 0)} for name, kind in types.items()
        ]
        rows.sort(key=lambda row: (-row["spans"], row["node"]))
        return pa.Table.from_pylist(rows, schema=NODES)

    def unpaired(self) -> pa.Table:
        pairs = self.pairs
        at = slice(len(pairs.client), len(pairs.client) + len(pairs.lone_client))
        peerless = self.kind[at] != TYPES.index(DATABASE)
        sides = {
            "client": (pairs.lone_client[peerless], pairs.client_reason[peerless]),
            "server": (pairs.lone_server, pairs.server_reason),
        }
        rows: list[dict[str, Any]] = [
            {"side": side, "service": service, "reason": REASONS[reason], "spans": count}
            for side, (spans, reasons) in sides.items()
            for (service, reason), count in _counts(self.services[spans], reasons)
        ]
        rows.sort(key=lambda row: (-row["spans"], row["side"], row["service"], row["reason"]))
        return pa.Table.from_pylist(rows, schema=UNPAIRED)


TEXTS = frozenset({"client", "server", "connection_type"})
NODES = pa.schema({"node": pa.string(), "type": pa.string(), "spans": pa.int64()})
UNPAIRED = pa.schema(
    {"side": pa.string(), "service": pa.string(), "reason": pa.string(), "spans": pa.int64()}
)


def _arrow(values: npt.NDArray[Any], *, text: bool) -> pa.Array:
    """Return a column in which NaN, a time that nobody saw, is null."""
    return pa.array(values, pa.string()) if text else pa.array(values, from_pandas=True)


def _texts(column: pa.ChunkedArray, missing: str) -> Names:
    """Return a column as Python strings, each distinct value one object."""
    coded = encode(column)
    distinct = [missing if value is None else str(value) for value in coded.distinct.to_pylist()]
    return np.array([*distinct, missing], object)[coded.codes]


def _first_named(traces: "Traces", rows: Rows, keys: tuple[str, ...]) -> Names:
    """Return for each of some spans the first of the attributes that it has, as text; empty without any."""
    found = np.full(len(rows), "", object)
    known = set(traces.keys())
    for key in (key for key in keys if key in known):
        missing = np.flatnonzero(found == "")
        if not len(missing):
            break
        column = column_or_nulls(traces, key)
        if column.null_count < len(column):
            found[missing] = _texts(column.take(pa.array(rows[missing])), "")
    return found


def _counts(services: Names, reasons: Rows) -> list[tuple[tuple[str, int], int]]:
    codes, names = pd.factorize(services)
    pairs, counts = np.unique(codes * len(REASONS) + reasons, return_counts=True)
    return [
        ((str(names[pair // len(REASONS)]), int(pair % len(REASONS))), int(count))
        for pair, count in zip(pairs, counts, strict=True)
    ]
