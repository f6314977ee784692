"""Each anomaly by its smallest history, and the smallest one beside it that has none."""

import pytest

from workbench.histories import NIL, History, TransactionError, isolation, transaction


def judged(*transactions, level="serializable", **options):
    """Judge transactions given as their micro-operations, or as operations."""
    made = [
        each if not isinstance(each, list) else transaction(*each, process=number, call_s=number)
        for number, each in enumerate(transactions)
    ]
    return isolation(History(made), level, **options)


def aborted(*micro):
    return transaction(*micro, process="aborted", status="aborted")


def indeterminate(*micro, call_s=0):
    return transaction(*micro, process="indeterminate", call_s=call_s, status="indeterminate")


FOUND = {
    "unwritten read": ([[("read", "x", [1])]], None),
    "internal": ([[("append", "x", 1), ("read", "x", [])]], None),
    "duplicate elements": ([[("append", "x", 1)], [("read", "x", [1, 1])]], None),
    "G0": (
        [
            [("append", "x", 1), ("append", "y", 1)],
            [("append", "x", 2), ("append", "y", 2)],
            [("read", "x", [1, 2])],
            [("read", "y", [2, 1])],
        ],
        None,
    ),
    "G1a": ([aborted(("append", "x", 1)), [("read", "x", [1])]], "read-uncommitted"),
    "dirty update": (
        [aborted(("append", "x", 1)), [("append", "x", 2)], [("read", "x", [1, 2])]],
        "read-uncommitted",
    ),
    "incompatible order": (
        [[("append", "x", 1)], [("append", "x", 2)], [("read", "x", [1, 2])], [("read", "x", [2])]],
        "read-uncommitted",
    ),
    "G1b": ([[("append", "x", 1), ("append", "x", 2)], [("read", "x", [1])]], "read-uncommitted"),
    "G1c": (
        [[("append", "x", 1), ("read", "y", [1])], [("append", "y", 1), ("read", "x", [1])]],
        "read-uncommitted",
    ),
    "non-repeatable read": (
        [[("append", "x", 1)], [("read", "x", []), ("read", "x", [1])]],
        "read-committed",
    ),
    "lost update": (
        [[("read", "x", []), ("append", "x", 1)], [("read", "x", []), ("append", "x", 2)]],
        "read-committed",
    ),
    "G-single": (
        [[("append", "x", 1), ("append", "y", 1)], [("read", "x", []), ("read", "y", [1])]],
        "read-committed",
    ),
    "long fork": (
        [
            [("append", "x", 1)],
            [("append", "y", 1)],
            [("read", "x", [1]), ("read", "y", [])],
            [("read", "x", []), ("read", "y", [1])],
        ],
        "consistent-view",
    ),
    "G2-item": (
        [[("read", "x", []), ("append", "y", 1)], [("read", "y", []), ("append", "x", 1)]],
        "snapshot",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_an_anomaly_is_named_counted_and_explained(name):
    history, strongest = FOUND[name]
    verdict = judged(*history)
    assert verdict.holds is False
    assert verdict.strongest == strongest
    assert verdict.counts[name] == 1
    anomaly = next(each for each in verdict.anomalies if each.name == name)
    assert anomaly.text
    if anomaly.cycle:
        ends = [(edge.before, edge.after) for edge in anomaly.cycle]
        assert [after for _, after in ends] == [before for before, _ in [*ends[1:], ends[0]]]


REGISTERS = {
    "unwritten read": ([[("read", "x", 1)]], {"unwritten read"}),
    "internal, its own write": ([[("write", "x", 1), ("read", "x", NIL)]], {"internal"}),
    "internal, too early": ([[("read", "x", 1), ("write", "x", 1)]], {"internal"}),
    "G1b": ([[("write", "x", 1), ("write", "x", 2)], [("read", "x", 1)]], {"G1b"}),
    "lost update": (
        [[("read", "x", NIL), ("write", "x", 1)], [("read", "x", NIL), ("write", "x", 2)]],
        {"lost update"},
    ),
}


@pytest.mark.parametrize("name", REGISTERS)
def test_registers_show_anomalies_too(name):
    history, expected = REGISTERS[name]
    assert set(judged(*history).counts) == expected


def test_nothing_is_an_anomaly_of_an_empty_history():
    verdict = isolation(History([]), "strict-serializable")
    assert verdict.holds
    assert repr(verdict) == "strict-serializable holds: no anomaly in 0 transactions"


def test_a_transaction_that_does_nothing_is_serializable():
    assert judged([]).holds


def test_an_indeterminate_transaction_committed_when_its_write_was_seen():
    reader = transaction(("read", "x", [1]), ("read", "y", []), process="reader", call_s=1)
    other = transaction(("read", "y", [1]), process="other", call_s=2)
    writer = indeterminate(("append", "x", 1), ("append", "y", 1))
    assert judged(writer, reader, other).counts == {"G-single": 1}


def test_an_indeterminate_transaction_that_nobody_saw_forbids_nothing():
    reader = transaction(("read", "x", []), process="reader", call_s=1)
    assert judged(indeterminate(("append", "x", 1)), reader, level="strict-serializable").holds


def test_what_an_indeterminate_transaction_read_counts_once_it_is_known_to_have_committed():
    """It was seen, and has itself seen another that nobody else has: so both committed."""
    first = transaction(("append", "x", 1), ("append", "z", 1), process="first", status="indeterminate")
    second = transaction(
        ("read", "x", [1]), ("append", "y", 1), process="second", call_s=1, status="indeterminate"
    )
    third = transaction(("read", "y", [1]), ("read", "z", []), process="third", call_s=2)
    assert judged(first, second, third).counts == {"G-single": 1}


def test_an_indeterminate_transaction_takes_effect_at_any_later_time():
    before = transaction(("read", "x", []), process="before", call_s=5, return_s=6)
    after = transaction(("read", "x", [1]), process="after", call_s=7, return_s=8)
    assert judged(indeterminate(("append", "x", 1)), before, after, level="strict-serializable").holds


def test_results_that_nobody_kept_forbid_nothing():
    history = [[("append", "x", 1)], [("read", "x", None)], [("read", "x", [1])]]
    assert judged(*history).holds


def test_registers_may_hold_something_initially():
    history = [[("read", "x", 50), ("write", "x", 60)], [("read", "x", 60)], [("read", "x", 50)]]
    assert judged(*history, initial={"x": 50}).holds
    assert judged(*history).counts == {"unwritten read": 2}
    with pytest.raises(TransactionError, match="writes what was there initially"):
        judged([("write", "x", 50)], initial={"x": 50})


def test_a_stale_read_breaks_real_time_and_nothing_else():
    write = transaction(("append", "x", 1), process="A", call_s=0, return_s=1)
    stale = transaction(("read", "x", []), process="B", call_s=2, return_s=3)
    fresh = transaction(("read", "x", [1]), process="C", call_s=4, return_s=5)
    verdict = judged(write, stale, fresh, level="strict-serializable")
    assert verdict.counts == {"G-single (realtime)": 1}
    assert verdict.levels["strong-session-serializable"]
    assert verdict.levels["strong-snapshot"] is False
    kinds = [edge.kind for edge in verdict.anomalies[0].cycle]
    assert sorted(kinds) == ["realtime", "rw"]
    assert "T0 returned before T1 was called" in str(verdict)


def test_a_process_that_forgets_its_own_writes_breaks_sessions_only():
    write = transaction(("append", "x", 1), process="A", call_s=0, return_s=1)
    stale = transaction(("read", "x", []), process="A", call_s=2, return_s=3)
    fresh = transaction(("read", "x", [1]), process="B", call_s=4, return_s=5)
    verdict = judged(write, stale, fresh, level="strong-session-snapshot")
    assert verdict.counts == {"G-single (process)": 1}
    assert judged(write, stale, fresh).holds


def test_where_no_order_of_versions_explains_the_reads_the_verdict_says_so_without_a_cycle():
    """Whichever writes come first, a read has missed one, and none is known to be the one."""
    history = [
        [("read", "y", 3), ("read", "x", 2)],
        [("write", "y", 1), ("write", "x", 2)],
        [("write", "y", 3), ("write", "x", 4)],
    ]
    verdict = judged(*history)
    assert verdict.holds is False
    assert verdict.violations == ()
    assert "orders of versions tried explains all reads" in verdict.reason
    assert verdict.reason in str(verdict)


def test_where_too_many_orders_are_left_the_verdict_is_neither():
    """The same, beside so many registers of open order that not all of them can be tried."""
    history = [
        [("read", "y", 3), ("read", "x", 2)],
        [("write", "y", 1), ("write", "x", 2), *(("write", f"z{n}", 1) for n in range(12))],
        [("write", "y", 3), ("write", "x", 4), *(("write", f"z{n}", 2) for n in range(12))],
    ]
    verdict = judged(*history)
    assert verdict.holds is None
    assert "is not known to hold" in repr(verdict)
    assert verdict.strongest == "read-committed"


def open_registers(count):
    """Return blind writers of one register, each of which a reader has seen."""
    writers = [[("write", "x", n), ("write", f"y{n}", n)] for n in range(count)]
    readers = [[("read", "x", n), ("read", f"y{n}", n)] for n in range(count)]
    return [*writers, *readers]


def test_an_order_of_versions_that_fits_the_clock_proves_that_a_level_holds():
    assert judged(*open_registers(180)).holds


def test_the_order_of_versions_may_be_given():
    history = [[("write", "x", 1)], [("write", "x", 2)], [("read", "x", 1)], [("read", "x", 2)]]
    assert judged(*history, level="strict-serializable").holds is False
    assert judged(*history, version_order={"x": [1, 2]}).holds
    skew = [[("write", "x", 1), ("write", "y", 1)], [("write", "x", 2), ("write", "y", 2)]]
    verdict = judged(*skew, version_order={"x": [1, 2], "y": [2, 1]})
    assert verdict.counts == {"G0": 1}


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"x": [1]}, "missing, or not such a value"),
        ({"x": [1, 2, 3]}, "the value 3, which no transaction has"),
        ({"q": [1]}, "the key 'q', which no transaction has"),
        ({"z": [9]}, "nobody wrote to that register"),
    ],
)
def test_an_order_of_versions_that_does_not_fit_is_refused(order, said):
    with pytest.raises(TransactionError, match=said):
        judged([("write", "x", 1)], [("write", "x", 2)], [("append", "z", 9)], version_order=order)


def test_a_value_written_twice_is_refused_with_both_transactions():
    with pytest.raises(TransactionError, match=r"append\('x', 1\) is done twice, by transactions 0 and 1"):
        judged([("append", "x", 1)], [("append", "x", 1)])


def test_a_key_is_a_list_or_a_register():
    with pytest.raises(TransactionError, match="key 'x' is appended to and written"):
        judged([("append", "x", 1)], [("write", "x", 2)])


def test_a_level_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(TransactionError, match="no isolation level 'chaos': give one of read-uncommitted"):
        judged([], level="chaos")


def test_adyas_names_are_levels_too():
    assert judged([], level="PL-2.99").level == "repeatable-read"
    assert judged([], level="snapshot-isolation").level == "snapshot"


def test_only_so_many_of_a_name_are_explained_and_all_are_counted():
    history = [[("read", f"k{n}", [1])] for n in range(7)]
    verdict = judged(*history, most=3)
    assert verdict.counts == {"unwritten read": 7}
    assert len(verdict.anomalies) == 3
    assert str(verdict).endswith("... and 4 more")
