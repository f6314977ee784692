"""The table of clauses is whole, and the harness that fills it can fail."""

import importlib
import inspect
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from clauses import CLAUSES, keyword_counts
from conformance import ClauseViolation, Run, must, parameters, rows, run, table

from workbench import otlp

HERE = Path(__file__).parent
OBLIGATIONS = [clause.id for clause in CLAUSES if clause.binds]


@cache
def marked_runs():
    """Return the runs of every marked test of this folder."""
    runs = []
    for path in sorted(HERE.glob("test_clauses_*.py")):
        module = importlib.import_module(path.stem)
        for function in vars(module).values():
            runs += parameters(function)
    return runs


def test_the_keywords_are_as_many_as_the_specification_has():
    assert keyword_counts() == {
        "MUST": 47,
        "MUST NOT": 8,
        "SHOULD": 54,
        "SHOULD NOT": 1,
        "RECOMMENDED": 7,
        "MAY": 22,
    }
    assert len(OBLIGATIONS) == 110


def test_ids_are_unique_and_wordings_are_there():
    assert len({clause.id for clause in CLAUSES}) == len(CLAUSES)
    assert all(clause.wording and clause.side in ("client", "server", "both") for clause in CLAUSES)


def test_our_choice_is_told_wherever_there_is_one():
    assert all(bool(clause.choice) != clause.binds for clause in CLAUSES)


@pytest.mark.parametrize("clause", OBLIGATIONS)
def test_every_obligation_has_a_test_with_a_wrong_peer(clause):
    mine = [one for one in marked_runs() if one.id == clause]
    assert Counter(one.verdict for one in mine).keys() == {"right", "wrong"}
    assert all(one.wrong is not None for one in mine)


def test_defaults_are_the_recommended_ones():
    def default(kind, name):
        return inspect.signature(kind).parameters[name].default

    assert default(otlp.Receiver, "max_request_bytes") == 64 << 20
    assert default(otlp.Receiver, "max_response_bytes") == 4 << 20
    assert default(otlp.DurableReceiver, "max_request_bytes") == 64 << 20
    assert default(otlp.Exporter, "max_batch_bytes") == 64 << 20
    assert default(otlp.Exporter, "max_response_bytes") == 4 << 20


def test_marks_name_clauses_that_exist():
    assert {one.id for one in marked_runs()} <= set(OBLIGATIONS)


class Item:
    """A test function, as pytest would run it."""

    def __init__(self, function):
        self.obj = function
        self.funcargs = {}
        self._fixtureinfo = type("Info", (), {"argnames": ()})


def violating():
    must(False, "the clause is broken")


def crashing():
    raise ConnectionRefusedError


WRONG, RIGHT = (Run("general-1", verdict, "grpc", object()) for verdict in ("wrong", "right"))


def test_a_violation_by_a_wrong_peer_is_what_is_expected():
    run(Item(violating), WRONG)


def test_a_wrong_peer_that_passes_is_a_failure():
    with pytest.raises(pytest.fail.Exception, match="does not notice"):
        run(Item(lambda: None), WRONG)


def test_a_wrong_peer_that_merely_crashes_is_a_failure():
    with pytest.raises(ConnectionRefusedError):
        run(Item(crashing), WRONG)


def test_a_violation_by_our_peer_is_a_failure():
    with pytest.raises(ClauseViolation):
        run(Item(violating), RIGHT)


class Report:
    """What pytest reports of one run."""

    nodeid = "tests/test_x.py::test_it[general-1-right]"

    def __init__(self, clause, verdict, *, passed):
        self.user_properties = [("clause", (clause, verdict))]
        self.passed = passed


@pytest.mark.parametrize(
    ("right", "wrong", "state"),
    [
        (True, True, "green"),
        (False, True, "red: not kept"),
        (True, False, "red: a wrong peer is not noticed"),
        (True, None, "red: a wrong peer is not noticed"),
        (None, None, "red: no test ran"),
    ],
)
def test_a_clause_is_green_only_with_both_runs(right, wrong, state):
    reports = [
        Report("general-1", verdict, passed=passed)
        for verdict, passed in (("right", right), ("wrong", wrong))
        if passed is not None
    ]
    (found,) = [row for row in rows(reports) if row[0] == "general-1"]
    assert found[-1] == state


def test_the_table_shows_every_clause():
    shown = table(rows([]))
    assert len(shown.rows) == 139
    assert "grpc-request-1" in repr(shown)
    assert "0 of 110 obligations green, 0 red, 110 not run" in shown.title
