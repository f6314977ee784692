"""Histories from spans, and spans from histories."""

import random

import pytest
from histories.brute_force import PLAIN, random_history
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import System

from workbench import otlp
from workbench.histories import NIL, History, MappingError, Operation, Register, linearizable

REDIS = {
    "process": "client.id",
    "input": lambda span: {"GET": ("read",), "SET": ("write", span.get("db.value"))}.get(span["name"]),
    "output": lambda span: span["db.value"] if span["name"] == "GET" else NIL,
}
SCALARS = st.none() | st.just(NIL) | st.booleans() | st.integers() | st.text() | st.binary()
SCALARS |= st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner), max_leaves=6
)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(-1e9, 1e9), st.none() | st.floats(0, 1e6), VALUES, VALUES), min_size=1, max_size=5
    )
)
def test_a_history_comes_back_from_spans_as_it_was(rows):
    history = History(
        Operation(k, call_s, None if lasts_s is None else call_s + lasts_s, ("do", value), told)
        for k, (call_s, lasts_s, value, told) in enumerate(rows)
    )
    assert History.from_traces(history.to_traces()) == history


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_histories_of_all_objects_come_back_through_bytes(name):
    rng = random.Random(name)
    for _ in range(10):
        history = random_history(name, rng)
        message = history.to_traces().to_otlp()
        assert History.from_traces(otlp.Traces.from_otlp(message)) == history


def test_spans_are_named_as_operations_and_end_where_they_returned():
    traces = History(
        [Operation("A", 5, 5.25, ("write", 1), NIL), Operation("B", 6, None, ("read",))]
    ).to_traces()
    assert traces["name"].to_pylist() == ["write", "read"]
    assert traces["history.input"].to_pylist() == ["('write', 1)", "('read',)"]
    assert traces["duration_time_unix_nano"][0].as_py().total_seconds() == 0.25


def test_what_python_cannot_write_as_a_literal_is_refused():
    with pytest.raises(MappingError, match=r"cannot write .*<object object at"):
        History([Operation("A", 0, 1, ("write", object()), NIL)]).to_traces()


def recorded(tmp_path):
    system = System()
    for number, (client, at_ms, ms, name, value) in enumerate(
        [
            ("a", 0, 10, "SET", 1),
            ("b", 20, 10, "GET", 1),
            ("a", 20, 10, "SET", 2),
            ("b", 40, 10, "GET", 1),
            ("b", 60, 10, "PING", 0),
        ],
        start=1,
    ):
        system.span(
            "cache", number, number, at_ms=at_ms, ms=ms, name=name, client__id=client, db__value=value
        )
    return system


def test_a_mapping_says_what_spans_mean(tmp_path):
    history = History.from_traces(recorded(tmp_path).traces(tmp_path), REDIS)
    assert [repr(operation) for operation in history] == [
        "a: write(1) -> NIL, 0 s to 0.01 s",
        "b: read() -> 1, 0.02 s to 0.03 s",
        "a: write(2) -> NIL, 0.02 s to 0.03 s",
        "b: read() -> 1, 0.04 s to 0.05 s",
    ]
    assert linearizable(history, Register()).blocking == history[3]


def test_a_span_that_failed_never_returned_and_its_process_goes_on_by_another_name(tmp_path):
    system = recorded(tmp_path)
    system.span("cache", 9, 9, at_ms=70, ms=5, name="SET", error=True, client__id="a", db__value=3)
    system.span("cache", 10, 10, at_ms=90, ms=5, name="GET", client__id="a", db__value=3)
    lost, after = History.from_traces(system.traces(tmp_path), REDIS)[4:]
    assert repr(lost) == "a: write(3) -> ?, 0.07 s never returned"
    assert repr(after) == "a (2): read() -> 3, 0.09 s to 0.095 s"


def test_a_span_without_an_end_never_returned(tmp_path):
    system = recorded(tmp_path)
    system.span("cache", 9, 9, at_ms=70, name="SET", client__id="c", db__value=3).end_time_unix_nano = 0
    assert History.from_traces(system.traces(tmp_path), REDIS).pending[0].input == ("write", 3)


def test_times_are_those_that_the_mapping_gives(tmp_path):
    times = {
        "call_s": lambda span: span["db.value"] * 10.0,
        "return_s": lambda span: span["db.value"] * 10.0 + 1,
    }
    single = {
        **REDIS,
        "process": "name",
        **times,
        "input": lambda span: ("read",) if span["name"] == "PING" else None,
    }
    history = History.from_traces(recorded(tmp_path).traces(tmp_path), single)
    assert (history[0].call_s, history[0].return_s) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"when": "x"}, r"does not know \['when'\]"),
        ({"input": None}, "must be a column's name or a function"),
        ({"process": "no.such"}, "no column 'no.such' for process"),
        ({"process": lambda span: None}, "says no process"),
        ({"call_s": lambda span: None}, "has no start time"),
    ],
)
def test_a_mapping_that_cannot_be_followed_says_why(tmp_path, change, message):
    with pytest.raises(MappingError, match=message):
        History.from_traces(recorded(tmp_path).traces(tmp_path), {**REDIS, **change})


def test_a_mapping_must_say_all_three(tmp_path):
    with pytest.raises(MappingError, match=r"lacks \['output', 'process'\]"):
        History.from_traces(recorded(tmp_path).traces(tmp_path), {"input": "name"})


def test_spans_of_others_need_a_mapping(tmp_path):
    with pytest.raises(MappingError, match=r"span 0 \('SET'\) has no attribute history.process"):
        History.from_traces(recorded(tmp_path).traces(tmp_path))


@pytest.mark.parametrize("text", ["__import__('os')", "1 +", "f()", "[" * 300])
def test_attributes_that_are_no_literals_are_refused(tmp_path, text):
    system = System()
    attributes = {"history__input": "('read',)", "history__output": text, "history__call_s": 0.0}
    system.span("x", 1, 1, history__process="'A'", **attributes)
    with pytest.raises(MappingError, match="expected a Python literal"):
        History.from_traces(system.traces(tmp_path))
