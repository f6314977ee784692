"""The service graph: what the Collector's connector would count, and what it leaves out."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from systems import CLIENT, SERVER, System

from workbench import otlp

INTERNAL, PRODUCER, CONSUMER = 1, 4, 5


def edges(graph):
    return {(row["client"], row["server"], row["connection_type"]): row for row in graph.edges.to_pylist()}


def reasons(graph):
    return {(row["side"], row["service"], row["reason"]): row["spans"] for row in graph.unpaired.to_pylist()}


@st.composite
def recorded_spans(draw):
    """Draw spans (service, kind, parent, error, attributes) of one trace, some of which were lost.

    A client span has one server span below it at most, and none if it calls a database: where the Collector
    counts what arrives first and drops the rest, we count every server span.
    """
    spans = []
    for row in range(draw(st.integers(1, 12))):
        parent = draw(st.integers(-1, row - 1))
        kind = draw(st.sampled_from([INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER]))
        if kind in (SERVER, CONSUMER) and parent >= 0 and spans[parent][1] in (CLIENT, PRODUCER):
            taken = any(p == parent and k in (SERVER, CONSUMER) for _, k, p, _, _ in spans)
            kind = INTERNAL if taken or "db.name" in spans[parent][4] else kind
        keys = draw(st.sets(st.sampled_from(["peer.service", "db.name", "db.system"])))
        attributes = {key: f"{key} {draw(st.integers(0, 1))}" for key in keys if kind == CLIENT}
        spans.append((draw(st.sampled_from("abc")), kind, parent, draw(st.booleans()), attributes))
    lost = draw(st.sets(st.integers(0, len(spans) - 1)))
    return spans, lost


def collected(spans, lost):
    """Count the edges as the Collector's connector does: a store of half edges, by the client span's id."""
    store, done = {}, Counter()

    def upsert(key, **side):
        edge = store.setdefault(key, {"failed": False, "type": "unset"})
        edge |= side | {"failed": edge["failed"] or side["failed"]}
        if "client" in edge and "server" in edge:
            done[edge["client"], edge["server"], edge["type"], edge["failed"]] += 1
            del store[key]

    for row, (service, kind, parent, failed, attributes) in enumerate(spans):
        if row in lost:
            continue
        side = {"failed": failed, "type": "messaging_system" if kind in (PRODUCER, CONSUMER) else "unset"}
        if kind in (CLIENT, PRODUCER):
            names = [attributes[key] for key in ("peer.service", "db.name", "db.system") if key in attributes]
            side["peer"] = names[0] if names else "unknown"
            if "db.name" in attributes:
                side |= {"server": attributes["db.name"], "type": "database"}
            upsert(row, client=service, **side)
        elif kind in (SERVER, CONSUMER):
            upsert(parent, server=service, **side)
    return done + expired(store)


def expired(store):
    done = Counter()
    for key, edge in store.items():
        if "client" not in edge and key < 0:
            done["user", edge["server"], "virtual_node", edge["failed"]] += 1
        elif "server" not in edge:
            done[edge["client"], edge["peer"], "virtual_node", edge["failed"]] += 1
    return done


@given(recorded_spans())
def test_the_edges_are_those_of_the_collectors_store_and_what_it_drops(recorded):
    spans, lost = recorded
    if any(parent < 0 < row for row, (_, _, parent, _, _) in enumerate(spans)):
        roots = [row for row, span in enumerate(spans) if span[2] < 0]
        spans = [
            (s, INTERNAL if row in roots[1:] and k in (SERVER, CONSUMER) else k, p, e, a)
            for row, (s, k, p, e, a) in enumerate(spans)
        ]  # of several roots the Collector's store keeps one
    system = System()
    for row, (service, kind, parent, failed, attributes) in enumerate(spans):
        if row not in lost:
            tags = {key.replace(".", "__"): value for key, value in attributes.items()}
            system.span(service, 1, row + 1, parent=parent + 1, kind=kind, error=failed, **tags)
    graph = otlp.service_graph(
        otlp.Traces.from_otlp(system.message.SerializeToString()),
        peer_attributes=["peer.service", "db.name", "db.system"],
        database_attributes=["db.name"],
    )
    expected = Counter()
    for (client, server, kind, failed), count in collected(spans, lost).items():
        expected[client, server, kind] += count
        expected[client, server, kind, "failed"] += count * failed
    found = Counter()
    for key, row in edges(graph).items():
        found[key] += row["requests"]
        found[*key, "failed"] += row["failed"]
    beyond = sum(count for (side, _, reason), count in reasons(graph).items() if reason in DROPPED)
    assert not +(expected - found)
    assert sum(count for key, count in (found - expected).items() if len(key) == 3) == beyond


DROPPED = ("parent absent", "parent is no client")


def test_client_and_server_spans_are_one_request_seen_from_both_ends(shop):
    graph = otlp.service_graph(shop)
    pay = edges(graph)["shop", "pay", "unset"]
    assert (pay["requests"], pay["failed"]) == (5, 1)
    assert [pay[f"{side}_p50_ms"] for side in ("client", "server", "network")] == pytest.approx([50, 46, 4])
    assert pay["server_p99_ms"] == pytest.approx(np.quantile([46, 46, 46, 46, 446], 0.99))
    assert pay["outlasted"] == 0


def test_an_unpaired_root_was_requested_by_the_user(shop):
    graph = otlp.service_graph(shop)
    user = edges(graph)["user", "shop", "virtual_node"]
    assert user["requests"] == 5
    assert user["client_p50_ms"] is None
    assert user["network_p50_ms"] is None
    assert user["server_p50_ms"] == pytest.approx(100)
    assert reasons(graph) == {("server", "shop", "root"): 5}
    assert {"node": "user", "type": "virtual_node", "spans": 0} in graph.nodes.to_pylist()


def test_a_database_is_the_server_of_requests_that_wrote_one_span(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    system.span("a", 1, 2, parent=1, ms=30, kind=CLIENT, db__system__name="postgresql", db__namespace="shop")
    system.span("a", 1, 3, parent=1, ms=10, kind=CLIENT, db__system="redis", error=True)
    system.span("a", 1, 4, parent=1, ms=10, kind=INTERNAL, db__system="redis")
    graph = otlp.service_graph(system.traces(tmp_path))
    found = edges(graph)
    assert found["a", "shop", "database"]["client_p50_ms"] == found["a", "shop", "database"]["server_p50_ms"]
    assert found["a", "redis", "database"]["failed"] == 1
    assert ("client", "a", "no child") not in reasons(graph)
    assert {row["node"]: row["type"] for row in graph.nodes.to_pylist()} == {
        "a": "service",
        "shop": "database",
        "redis": "database",
        "user": "virtual_node",
    }


def test_the_names_of_databases_can_be_chosen_as_in_the_collector(system, tmp_path):
    system.span("a", 1, 2, ms=30, kind=CLIENT, db__name="shop", db__system="mysql")
    traces = system.traces(tmp_path)
    assert ("a", "mysql", "database") in edges(otlp.service_graph(traces, database_attributes=["db.system"]))
    assert ("a", "shop", "virtual_node") in edges(otlp.service_graph(traces, database_attributes=[]))


def test_producer_and_consumers_are_requests_of_a_messaging_system(system, tmp_path):
    system.span("a", 1, 1, ms=5, kind=PRODUCER)
    system.span("b", 1, 2, parent=1, at_ms=50, ms=100, kind=CONSUMER)
    system.span("c", 1, 3, parent=1, at_ms=60, ms=100, kind=CONSUMER)
    graph = otlp.service_graph(system.traces(tmp_path))
    assert set(edges(graph)) == {("a", "b", "messaging_system"), ("a", "c", "messaging_system")}
    assert not len(graph.unpaired)
    found = edges(graph)["a", "b", "messaging_system"]
    assert (found["network_p50_ms"], found["outlasted"]) == (45, 0)  # in the queue; nobody waited


def test_nodes_are_services_databases_or_virtual_with_messaging_too(system, tmp_path):
    system.span("a", 1, 1, kind=PRODUCER)
    system.span("b", 1, 2, parent=1, kind=CONSUMER)
    system.span("a", 2, 3, kind=PRODUCER, messaging__destination__name="orders", messaging__system="kafka")
    system.span("a", 3, 4, kind=CLIENT, db__name="stock")
    nodes = otlp.service_graph(system.traces(tmp_path)).nodes.to_pylist()
    assert {row["node"]: row["type"] for row in nodes} == {
        "a": "service",
        "b": "service",
        "orders": "virtual_node",
        "stock": "database",
    }


def test_an_unpaired_client_requests_the_first_of_its_peer_attributes(system, tmp_path):
    system.span("a", 1, 1)
    system.span("a", 1, 2, parent=1, kind=CLIENT, server__address="api.example.com", http__url="http://x/")
    system.span("a", 1, 3, parent=1, kind=CLIENT, peer__service="bank", server__address="10.0.0.1")
    system.span("a", 1, 4, parent=1, kind=CLIENT)
    traces = system.traces(tmp_path)
    graph = otlp.service_graph(traces)
    virtual = {key[1] for key in edges(graph) if key[0] == "a"}
    assert virtual == {"api.example.com", "bank", "unknown"}
    assert reasons(graph)["client", "a", "no child"] == 3
    other = otlp.service_graph(traces, peer_attributes=["http.url"])
    assert {key[1] for key in edges(other) if key[0] == "a"} == {"http://x/", "unknown"}
    assert edges(other)["a", "unknown", "virtual_node"]["requests"] == 2


def test_every_unpaired_span_is_counted_with_its_reason_and_is_on_an_edge(system, tmp_path):
    system.span("a", 1, 1)
    system.span("b", 1, 2, parent=1)  # a server span without a client span
    system.span("b", 1, 3, parent=99)  # its parent was not recorded
    system.span("a", 1, 4, parent=1, kind=CLIENT)
    system.span("a", 1, 5, parent=4, kind=INTERNAL)
    graph = otlp.service_graph(system.traces(tmp_path))
    assert reasons(graph) == {
        ("server", "a", "root"): 1,
        ("server", "b", "parent is no client"): 1,
        ("server", "b", "parent absent"): 1,
        ("client", "a", "no server span"): 1,
    }
    assert set(edges(graph)) == {
        ("user", "a", "virtual_node"),
        ("a", "b", "unset"),
        ("unknown", "b", "virtual_node"),
        ("a", "unknown", "virtual_node"),
    }


def test_a_server_that_outlasts_its_client_has_network_time_below_zero(system, tmp_path):
    system.span("a", 1, 1, ms=20, kind=CLIENT, error=True)
    system.span("b", 1, 2, parent=1, ms=90, kind=SERVER)
    edge = edges(otlp.service_graph(system.traces(tmp_path)))["a", "b", "unset"]
    assert edge["network_p50_ms"] == pytest.approx(-70)
    assert (edge["outlasted"], edge["failed"]) == (1, 1)


def test_requests_are_those_of_every_client_and_server_span_once(shop):
    """No span of these kinds is left out, and none is counted twice."""
    kinds = shop.spans["kind"].to_numpy()
    graph = otlp.service_graph(shop)
    lone = sum(graph.unpaired["spans"].to_pylist())
    paired = sum(graph.edges["requests"].to_pylist()) - lone
    assert 2 * paired + lone == np.isin(kinds, [SERVER, CLIENT]).sum()


def test_a_service_graph_draws_itself(shop):
    graph = otlp.service_graph(shop)
    assert (
        repr(graph) == "ServiceGraph: 4 nodes (1 virtual), 3 edges, 15 requests, 1 failed, 5 unpaired spans"
    )
    assert "<img" in graph._repr_mimebundle_()["text/html"]
    assert "5 x 46 ms" in graph.picture().svg
    assert len(graph.to_pandas()) == len(graph) == 3


def test_no_spans_are_no_graph(shop):
    none = otlp.service_graph(shop.filter(np.zeros(len(shop), bool)))
    assert len(none) == len(none.nodes) == len(none.unpaired) == 0
    assert "<img" in none._repr_mimebundle_()["text/html"]
