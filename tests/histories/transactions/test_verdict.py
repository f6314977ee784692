"""A verdict shows itself: as text, tables, graphs and timelines, the same each time."""

import pytest

from workbench.histories import History, TransactionError, Transactions, isolation, transaction

SKEW = "r1(x0) r1(y0) r2(x0) r2(y0) w1(y1) w2(x2) c1 c2"


def judged(text, level="serializable"):
    return isolation(Transactions.from_notation(text), level)


def test_a_verdict_reads_as_a_sentence_and_its_proof():
    assert str(judged(SKEW)).splitlines() == [
        "serializable does not hold: 1 anomaly in 2 transactions; at most snapshot",
        "G2-item: each read what another wrote over (write skew)",
        "  T0 read x = nothing, which T1 followed with 'x2'",
        "  T1 read y = nothing, which T0 followed with 'y1'",
    ]


def test_only_what_the_level_forbids_is_a_violation():
    verdict = judged(SKEW, "snapshot")
    assert verdict.holds
    assert bool(verdict) is True
    assert len(verdict.anomalies) == 1
    assert verdict.violations == ()
    assert verdict.weakest_violated == "repeatable-read"


def test_a_cycle_is_a_graph_with_the_reason_on_each_edge():
    picture = judged(SKEW).graph()
    assert repr(picture) == "graph of 2 nodes and 2 edges"
    assert "rw x: nothing → &#x27;x2&#x27;" in picture.svg
    assert picture.svg == judged(SKEW).graph().svg


def test_a_read_of_an_aborted_write_is_a_graph_too():
    picture = judged("w1(x1) r2(x1) c2 a1").graph()
    assert repr(picture) == "graph of 2 nodes and 1 edge"
    assert "G1a" in picture.svg


def test_a_timeline_has_a_bar_for_each_transaction():
    picture = judged(SKEW).timeline()
    assert repr(picture) == "timeline of 2 spans in 2 groups, 7.00 s"


def test_a_timeline_without_times_says_so():
    history = History(
        [
            transaction(("read", "x", []), ("append", "y", 1), process="A"),
            transaction(("read", "y", []), ("append", "x", 1), process="B"),
        ]
    )
    assert "no times: in the order of the history" in isolation(history).timeline().svg


def test_there_is_no_picture_of_what_was_not_found():
    with pytest.raises(TransactionError, match="there is no anomaly 1: 1 explained"):
        judged(SKEW).graph(1)


def test_the_table_says_of_each_level_what_breaks_it():
    lines = repr(judged(SKEW).table()).splitlines()
    assert lines[-3:] == [
        "snapshot          PL-SI    holds",
        "repeatable-read   PL-2.99  violated        1",
        "serializable      PL-3     violated        1",
    ]


def test_a_verdict_is_html_and_a_data_frame():
    verdict = judged(SKEW)
    page = verdict._repr_html_()
    assert "<img" in page
    assert "G2-item" in page
    frame = verdict.to_pandas()
    assert frame["name"].tolist() == ["G2-item"]
    assert frame["transactions"].tolist() == [[0, 1]]
    assert repr(verdict.anomalies[0]) == "Anomaly(G2-item: T0 -> T1 -> T0)"


def test_a_verdict_that_holds_shows_no_anomaly():
    page = judged("w1(x1) c1 r2(x1) c2")._repr_html_()
    assert "<img" not in page
    assert "serializable holds" in page
