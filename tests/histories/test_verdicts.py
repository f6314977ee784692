"""Verdicts say what they found, and draw it."""

import re
import xml.etree.ElementTree as ET

import pytest

from workbench.histories import (
    NIL,
    History,
    KeyValue,
    Operation,
    Queue,
    Register,
    Set,
    linearizable,
    sequentially_consistent,
)

WRITE = Operation("A", 0, 3, ("write", 1), NIL)
READ = Operation("B", 1, 2, ("read",), 1)
STALE = Operation("C", 4, 5, ("read",), 0)
LOST = Operation("D", 2, None, ("write", 9))


def test_a_verdict_has_no_truth_value():
    with pytest.raises(TypeError, match=r"ask `verdict\.holds is True`"):
        bool(linearizable([WRITE], Register()))


def test_a_verdict_says_in_one_line_what_was_found():
    assert repr(linearizable([WRITE, READ], Register(0))) == (
        "Verdict: linearizable, 2 operations explained by an order of 2"
    )
    assert repr(linearizable([WRITE, READ, STALE], Register(0))) == (
        "Verdict: not linearizable, 3 operations; no order explains C: read() -> 0, 4 s to 5 s"
    )
    assert repr(sequentially_consistent([WRITE, READ, STALE], Register(0))) == (
        "Verdict: sequentially consistent, 3 operations explained by an order of 3"
    )


def test_tables_say_where_each_operation_stands():
    verdict = linearizable([WRITE, READ, STALE, LOST], Register(0))
    assert verdict.to_arrow()["place"].to_pylist() == [0, 1, None, None]
    assert verdict.to_arrow()["blocking"].to_pylist() == [False, False, False, True]
    frame = verdict.to_pandas()
    assert frame["blocking"].tolist() == [False, False, False, True]
    assert frame["place"].isna().tolist() == [False, False, True, True]


def test_a_picture_shows_the_order_the_states_and_what_cannot_be_placed():
    picture = linearizable([WRITE, READ, STALE, LOST], Register(0)).timeline()
    assert (
        repr(picture) == "schedule of 4 operations in 4 lanes, 2 of them in order, no place for read() -> 0"
    )
    assert "Not linearizable: no order explains read() -&gt; 0 of C" in picture.svg
    assert picture.svg.count("<circle") == 3  # two points, and that of the legend
    assert picture.svg.count('class="n"') == 2
    assert "state after" in picture.svg
    ET.fromstring(picture.svg)


def test_a_picture_of_a_verdict_that_holds_has_all_operations_in_order():
    picture = linearizable([WRITE, READ], Register(0)).timeline()
    assert "Linearizable: one order explains all 2 operations" in picture.svg
    assert linearizable([WRITE], Register()).timeline("mine").svg.count("mine") == 1


def test_the_same_verdict_gives_the_same_picture():
    first, second = (linearizable([WRITE, READ, STALE, LOST], Register(0)) for _ in range(2))
    assert first._repr_html_() == second._repr_html_()
    assert first.timeline().svg == second.timeline().svg


def test_states_of_many_things_are_sets_and_pairs():
    values = linearizable([Operation("A", 0, 1, ("put", "x", 1), NIL)], KeyValue({"y": 2})).timeline()
    assert ">x: 1, y: 2<" in values.svg
    assert ">{7}<" in linearizable([Operation("A", 0, 1, ("add", 7), NIL)], Set()).timeline().svg
    queue = linearizable([Operation("A", 0, 1, ("dequeue",), NIL)], Queue()).timeline()
    assert "dequeue() -&gt; NIL" in queue.svg


def test_a_long_history_is_drawn_around_what_cannot_be_placed():
    operations = [Operation("A", k, k + 0.5, ("write", k), NIL) for k in range(500)]
    stale = Operation("B", 250, 250.2, ("read",), 3)
    picture = linearizable([*operations, stale], Register()).timeline()
    assert "461 of 501 operations are not shown" in picture.svg
    assert "write(249)" in picture.svg
    assert "write(3)" not in picture.svg
    assert len(re.findall("<circle", picture.svg)) == 39 + 1  # and that of the legend


def test_an_undecided_verdict_is_drawn_as_far_as_it_came():
    writes = [Operation(k, 0, 10, ("write", k), NIL) for k in range(12)]
    history = History([*writes, Operation("r", 20, 21, ("read",), -1)])
    verdict = linearizable(history, Register(), max_steps=100)
    assert "Undecided after max_steps=100: 12 of 13 operations placed" in verdict.timeline().svg
