"""Operations and histories: what they hold, and what they refuse."""

import copy
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import histories
from workbench.errors import WorkbenchError
from workbench.histories import NIL, History, HistoryError, Operation, OperationError

WRITE = Operation("A", 0, 3, ("write", 1), NIL)
READ = Operation("B", 1, 2, ("read",), 1)
LOST = Operation("C", 2, None, ("cas", 1, 2))


def test_an_operation_says_in_one_line_who_did_what_when():
    assert repr(WRITE) == "A: write(1) -> NIL, 0 s to 3 s"
    assert repr(READ) == "B: read() -> 1, 1 s to 2 s"
    assert repr(LOST) == "C: cas(1, 2) -> ?, 2 s never returned"
    assert LOST.is_pending
    assert not READ.is_pending
    assert READ.name == "read"


@pytest.mark.parametrize("asked", ["read", (), (1, 2), ["read"], None])
def test_an_input_is_a_tuple_that_begins_with_a_name(asked):
    with pytest.raises(OperationError, match="expected the input as a tuple"):
        Operation("A", 0, 1, asked)


@pytest.mark.parametrize(
    ("call_s", "return_s"),
    [(2, 1), (math.nan, 1), (0, math.nan), (math.inf, None), (0, math.inf), (-math.inf, 0), (math.nan, None)],
)
def test_times_are_finite_and_a_return_is_not_before_its_call(call_s, return_s):
    with pytest.raises(OperationError, match=r"read\(\) -> 7 of process 'A'"):
        Operation("A", call_s, return_s, ("read",), 7)


def test_a_known_nothing_equals_none_but_is_not_unknown():
    known, unknown = Operation("A", 0, 1, ("read",), NIL), Operation("A", 0, 1, ("read",), None)
    assert NIL == None  # noqa: E711 - equality is what is meant
    assert None == NIL  # noqa: E711, SIM300 - from both sides
    assert hash(NIL) == hash(None)
    assert NIL != 0
    assert not NIL
    assert known != unknown
    assert len({known, unknown}) == 2


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_nothing_stays_the_only_one_when_copied(copied):
    assert copied(NIL) is NIL
    assert copied(READ) == READ
    assert copied(History([READ, LOST])) == History([READ, LOST])


def test_a_history_is_in_the_order_of_its_calls_whatever_was_given():
    history = History([LOST, READ, WRITE])
    assert list(history) == [WRITE, READ, LOST] == list(history.operations)
    assert history[1] is READ
    assert history[1:] == History([READ, LOST])
    assert history.processes == ("A", "B", "C")
    assert history.pending == (LOST,)
    assert history.duration_s == 3
    assert repr(history) == "History: 3 operations of 3 processes in 3 s, 1 never returned"
    assert history == History([READ, WRITE, LOST])
    assert len({history, History([READ, WRITE, LOST])}) == 1
    assert history != [WRITE, READ, LOST]


def test_a_history_of_nothing_is_one():
    assert repr(History()) == "History: 0 operations of 0 processes in 0 s"
    assert "svg" in History()._repr_html_()
    assert History().to_arrow().num_rows == len(History().to_pandas()) == 0


def test_a_history_cannot_be_changed():
    with pytest.raises(AttributeError, match="immutable"):
        History([READ]).operations = ()


def test_one_process_has_one_operation_at_a_time():
    late = Operation("B", 1.5, 4, ("read",), 1)
    with pytest.raises(
        OperationError, match=r"process 'B' calls B: .*1\.5 s to 4 s after .*which had not returned"
    ):
        History([READ, late])


def test_a_process_does_not_go_on_after_what_never_returned():
    with pytest.raises(
        OperationError, match="which never returned: let what follows belong to another process"
    ):
        History([LOST, Operation("C", 9, 10, ("read",), 1)])


def test_a_call_at_the_instant_of_the_last_return_is_in_order():
    assert len(History([READ, Operation("B", 2, 2, ("read",), 1), Operation("B", 2, 3, ("read",), 1)])) == 3


def test_tables_have_a_row_an_operation():
    table = History([WRITE, READ, LOST]).to_arrow()
    assert table.column_names == ["process", "call_s", "return_s", "name", "input", "output"]
    assert table["output"].to_pylist() == ["NIL", "1", None]
    assert table["return_s"].to_pylist() == [3.0, 2.0, None]
    frame = History([WRITE, READ, LOST]).to_pandas()
    assert frame["input"].tolist() == [("write", 1), ("read",), ("cas", 1, 2)]
    assert frame["output"].tolist()[0] is NIL
    assert History([Operation(7, 0, 1, ("read",), 1)]).to_arrow()["process"].to_pylist() == [7]


def test_a_history_draws_a_lane_a_process():
    picture = History([WRITE, READ, LOST]).timeline("three")
    assert repr(picture) == "schedule of 3 operations in 3 lanes"
    assert "three" in picture.svg
    many = History(Operation(k, k, k + 1, ("read",), k) for k in range(100))
    assert "60 more" in many.timeline().svg


def test_all_errors_are_of_the_room():
    errors = [
        value for name in histories.__all__ if name.endswith("Error") for value in [getattr(histories, name)]
    ]
    assert errors
    assert all(issubclass(error, WorkbenchError) for error in errors)
    assert issubclass(OperationError, HistoryError)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 5)), max_size=8))
def test_a_history_is_refused_exactly_where_a_process_overlaps_itself(rows):
    operations = [Operation(process, call, call + size, ("read",), 1) for process, call, size in rows]
    clash = any(
        first is not second
        and first.process == second.process
        and first.call_s < second.return_s
        and second.call_s < first.return_s
        for first in operations
        for second in operations
    )
    if clash:
        with pytest.raises(OperationError):
            History(operations)
    else:
        assert len(History(operations)) == len(operations)


@pytest.mark.parametrize("wrong", [3, [3], ["read"], [None]], ids=str)
def test_what_is_no_operation_is_refused(wrong):
    with pytest.raises(OperationError, match="a history is made of operations"):
        History(wrong)
