"""Histories of the literature, each judged as its authors do.

In the notation, ``w1(x1)`` is a write by transaction 1; verdicts number transactions by their first events.
"""

import pytest

from workbench.histories import History, Transactions, isolation, transaction

ADYA = "A. Adya, Weak Consistency, MIT 1999, and Adya, Liskov, O'Neil, ICDE 2000"
BERENSON = "H. Berenson et al., A Critique of ANSI SQL Isolation Levels, SIGMOD 1995"
FEKETE = "A. Fekete, E. O'Neil, P. O'Neil, A Read-Only Transaction Anomaly, SIGMOD Record 2004"
SOVRAN = "Y. Sovran et al., Transactional Storage for Geo-replicated Systems, SOSP 2011"
CERONE = "A. Cerone, A. Gotsman, Analysing Snapshot Isolation, JACM 2018"


def judged(text, level="serializable"):
    return isolation(Transactions.from_notation(text), level)


def names(verdict):
    return sorted(verdict.counts)


WRONG = [
    (ADYA + ", H_wcycle", "w1(x1,2) w2(x2,5) w2(y2,5) c2 w1(y1,8) c1 [x1 << x2, y2 << y1]", None, ["G0"]),
    (ADYA + ", G1a", "w1(x1) r2(x1) c2 a1", "read-uncommitted", ["G1a"]),
    (ADYA + ", G1b", "w1(x1.1) r2(x1.1) w1(x1.2) c1 c2", "read-uncommitted", ["G1b"]),
    (ADYA + ", G1c", "w1(x1) w2(y2) r1(y2) r2(x1) c1 c2", "read-uncommitted", ["G1c"]),
    (
        BERENSON + ", H1, inconsistent analysis",
        "r1(x0,50) w1(x1,10) r2(x1,10) r2(y0,50) c2 r1(y0,50) w1(y1,90) c1",
        "read-committed",
        ["G-single"],
    ),
    (
        BERENSON + ", H2, fuzzy read of a sum",
        "r1(x0,50) r2(x0,50) w2(x2,10) r2(y0,50) w2(y2,90) c2 r1(y2,90) c1",
        "read-committed",
        ["G-single"],
    ),
    (
        BERENSON + ", P2, fuzzy read",
        "r1(x0) w2(x2) c2 r1(x2) c1",
        "read-committed",
        ["G-single", "non-repeatable read"],
    ),
    (
        BERENSON + ", H4, lost update",
        "r1(x0,100) r2(x0,100) w2(x2,120) c2 w1(x1,130) c1",
        "read-committed",
        ["lost update"],
    ),
    (
        BERENSON + ", H5, write skew",
        "r1(x0,50) r1(y0,50) r2(x0,50) r2(y0,50) w1(y1,-40) w2(x2,-40) c1 c2",
        "snapshot",
        ["G2-item"],
    ),
    (
        BERENSON + ", A5A, read skew",
        "r1(x0) w2(x2) w2(y2) c2 r1(y2) c1",
        "read-committed",
        ["G-single"],
    ),
    (
        FEKETE,
        "r2(x0,0) r2(y0,0) r1(y0,0) w1(y1,20) c1 r3(x0,0) r3(y1,20) c3 w2(x2,-11) c2",
        "snapshot",
        ["G2-item"],
    ),
    (
        SOVRAN + ", long fork",
        "w1(x1) c1 w2(y2) c2 r3(x1) r3(y0) c3 r4(x0) r4(y2) c4",
        "consistent-view",
        ["long fork"],
    ),
    (
        CERONE + ", figure 2(b), lost update of deposits",
        "r1(x0) w1(x1) r2(x0) w2(x2) c1 c2 r3(x2) c3 [x1 << x2]",
        "read-committed",
        ["G-single", "lost update"],
    ),
]


@pytest.mark.parametrize(("source", "text", "strongest", "expected"), WRONG, ids=[row[0] for row in WRONG])
def test_an_anomaly_of_the_literature_is_found_and_named(source, text, strongest, expected):
    verdict = judged(text)
    assert verdict.holds is False
    assert verdict.strongest == strongest
    assert names(verdict) == expected


RIGHT = [
    (
        ADYA + ", H_serial",
        "w1(z1) w1(x1) w1(y1) w3(x3) c1 r2(x1) w2(y2) c2 r3(y2) w3(z3) c3 [x1 << x3, y1 << y2, z1 << z3]",
    ),
    (ADYA + ", H_1' of section 2: a locking store forbids it", "w1(x1) r2(x1) w1(y1) r2(y1) c1 c2"),
    (ADYA + ", H_2': reads of old versions", "r2(x0,5) w1(x1,1) w1(y1,9) c1 r2(y0,5) c2"),
    (BERENSON + ", H1.SI, versions make it serializable", "r1(x0) w1(x1) r2(x0) r2(y0) c2 r1(y0) w1(y1) c1"),
]


@pytest.mark.parametrize(("source", "text"), RIGHT, ids=[row[0] for row in RIGHT])
def test_a_history_that_the_literature_calls_serializable_is_so(source, text):
    assert judged(text).holds


def test_elles_example_is_a_cycle_of_one_anti_dependency():
    """K. Kingsbury, P. Alvaro, Elle, VLDB 2020, figure 2: T1 misses what T2 appended to 255."""
    history = History(
        [
            transaction(
                *(("append", 253, value) for value in (1, 3, 4)),
                *(("append", 255, value) for value in (2, 3, 4, 5)),
                *(("append", 256, value) for value in (1, 2)),
                process="T0",
            ),
            transaction(("append", 255, 8), ("read", 253, [1, 3, 4]), process="T2", call_s=1),
            transaction(
                ("append", 256, 4),
                ("read", 255, [2, 3, 4, 5, 8]),
                ("read", 256, [1, 2, 4]),
                ("read", 253, [1, 3, 4]),
                process="T3",
                call_s=2,
            ),
            transaction(
                ("append", 250, 10),
                ("read", 253, [1, 3, 4]),
                ("read", 255, [2, 3, 4, 5]),
                ("append", 256, 3),
                process="T1",
                call_s=3,
            ),
        ]
    )
    verdict = isolation(history)
    single = next(each for each in verdict.anomalies if each.name == "G-single")
    assert [(edge.kind, edge.key) for edge in single.cycle if edge.kind == "rw"] == [("rw", 255)]
    assert set(single.transactions) == {1, 2, 3}
    assert verdict.strongest == "read-committed"


def test_a_history_may_be_snapshot_isolated_although_anti_dependencies_go_both_ways():
    """From the collection of histories of Elle, "si-without-g-single"."""
    history = History(
        [
            transaction(("append", 9, 2), process=2),
            transaction(("append", 8, 1), ("read", 9, []), process=4),
            transaction(("read", 6, []), ("read", 8, []), ("append", 9, 5), process=7),
            transaction(("append", 6, 2), ("read", 9, [2]), process=9),
        ]
    )
    verdict = isolation(history, "snapshot")
    assert verdict.levels["serializable"] is False
    assert set(names(verdict)) == {"G2-item"}
    assert verdict.holds


def test_a_write_skew_is_drawn_with_both_anti_dependencies():
    """Berenson et al. 1995, H5: each transaction read what the other wrote over."""
    cycle = judged("r1(x0) r1(y0) r2(x0) r2(y0) w1(y1) w2(x2) c1 c2").anomalies[0].cycle
    assert [(edge.before, edge.after, edge.kind, edge.key, edge.next_value) for edge in cycle] == [
        (0, 1, "rw", "x", "x2"),
        (1, 0, "rw", "y", "y1"),
    ]
    assert str(cycle[0]) == "T0 read x = nothing, which T1 followed with 'x2'"
