"""Transactions as columns: the same as a history of objects, and refused where columns do not fit."""

import random

import numpy as np
import pyarrow as pa
import pytest
from histories.transactions.transaction_histories import history_of, random_lists, random_registers
from hypothesis import given
from hypothesis import strategies as st

from workbench.histories import (
    NIL,
    Fate,
    History,
    MicroOperation,
    Operation,
    TransactionError,
    Transactions,
    isolation,
    transaction,
)

APPEND, READ_LIST = MicroOperation.APPEND, MicroOperation.READ_LIST


def columns(**changed):
    """Return an append of 1 to key 7, and a read of it."""
    given = {"offsets": [0, 1, 2], "kind": [APPEND, READ_LIST], "key": [7, 7], "value": [1, 0]}
    return Transactions.from_arrays(**(given | {"lists": [0, 0, 1], "elements": [1]} | changed))


@given(seed=st.integers(0, 10_000), kind=st.sampled_from([random_lists, random_registers]))
def test_columns_through_arrow_give_the_same_verdict(seed, kind):
    whole = Transactions.from_history(history_of(kind(seed)))
    again = Transactions.from_arrow(whole.to_arrow())
    expected, verdict = isolation(whole), isolation(again)
    assert (verdict.holds, verdict.counts, verdict.levels) == (
        expected.holds,
        expected.counts,
        expected.levels,
    )


@given(seed=st.integers(0, 10_000))
def test_keys_and_values_may_be_any_numbers(seed):
    rng = np.random.default_rng(seed)
    whole = Transactions.from_history(history_of(random_lists(seed)))
    keys = rng.integers(-(2**62), 2**62, 3)
    values = rng.permutation(100) * 10**15 - 5 * 10**16
    far = Transactions.from_arrays(
        whole.offsets, whole.kind, keys[whole.key], values[whole.value], lists=whole.lists,
        elements=values[whole.elements],
    )  # fmt: skip
    assert isolation(far).counts == isolation(whole).counts


def test_columns_are_judged_without_objects():
    verdict = isolation(columns())
    assert verdict.holds
    assert repr(columns()) == "Transactions: 2 of 2 micro-operations on 1 key"
    stale = columns(lists=[0, 0, 0], elements=[])
    assert isolation(stale).holds


def test_fates_are_numbers():
    aborted = columns(fate=[Fate.ABORTED, Fate.COMMITTED])
    assert isolation(aborted).counts == {"G1a": 1}
    assert "1 aborted" in repr(aborted)


def test_real_time_needs_times():
    with pytest.raises(TransactionError, match="they have no times"):
        isolation(columns(), "strict-serializable")
    timed = columns(call_s=[0, 2], return_s=[1, 3], process=[1, 2])
    assert isolation(timed, "strict-serializable").holds


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"offsets": [0, 1]}, "offsets must ascend from 0 to 2"),
        ({"offsets": [0, 2, 1, 2]}, "offsets must ascend"),
        ({"lists": [0, 0, 2]}, "lists must ascend from 0 to 1"),
        ({"key": [7]}, r"key has the shape \(1,\), expected \(2,\)"),
        ({"kind": [1, 9]}, "kind holds 1 to 9, expected 0 to 4"),
        ({"fate": [0, 5]}, "fate holds 0 to 5, expected 0 to 2"),
        ({"fate": [0]}, "fate has the shape"),
        ({"kind": [APPEND, MicroOperation.READ]}, "appended to and written"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changed, said):
    with pytest.raises(TransactionError, match=said):
        isolation(columns(**changed))


def test_a_table_without_a_column_is_refused():
    with pytest.raises(TransactionError, match="no column 'key'"):
        Transactions.from_arrow(columns().to_arrow().drop_columns(["key"]))


def test_rows_of_a_transaction_stand_together():
    table = columns().to_arrow()
    mixed = pa.concat_tables([table, table])
    with pytest.raises(TransactionError, match="must stand together"):
        Transactions.from_arrow(mixed)


@pytest.mark.parametrize(
    ("asked", "told", "said"),
    [
        (("read",), None, r'expected the input \("txn"'),
        (("txn", (("pop", "x"),)), None, "expected"),
        (("txn", (("read", "x"),)), ("done",), r'expected the output \("committed", results\)'),
        (("txn", (("read", "x"),)), ("committed", ()), "0 results for 1 micro-operations"),
        (("txn", (("append", "x", 1), ("read", "x"))), ("committed", (None, 5)), "expected a list"),
        (("txn", (("write", "x", {}),)), ("committed", (None,)), "cannot be hashed"),
    ],
)
def test_an_operation_that_is_no_transaction_is_refused_with_its_number(asked, told, said):
    with pytest.raises(TransactionError, match=said) as caught:
        isolation(History([Operation(1, 0, 1, asked, told)]))
    assert str(caught.value).startswith("operation 0")


NAMES = {
    "numbers": lambda number: number,
    "texts": lambda number: f"n{number}",
    "numbers and texts": lambda number: number if number % 2 else f"n{number}",
    "large numbers": lambda number: number << 80,
    "the least of all": lambda number: number - (1 << 63),
    "complex numbers": lambda number: complex(number, 1),
}


@given(seed=st.integers(0, 10_000), names=st.sampled_from(sorted(NAMES)))
def test_columns_say_of_each_transaction_what_its_operation_says(seed, names):
    """Lists and registers, all fates, results that are missing or nothing, tuples and lists."""
    rng, name = random.Random(seed), NAMES[names]
    numbers, operations = iter(range(1000)), []
    for place in range(rng.randrange(6)):
        asked, told = [], []
        for _ in range(rng.randrange(5)):
            key, is_list = rng.randrange(8), rng.random() < 0.5
            key = name(2 * key + is_list)
            if rng.random() < 0.5:
                asked.append(("append" if is_list else "write", key, name(next(numbers))))
                told.append(None)
                continue
            seen = [name(next(numbers)) for _ in range(rng.randrange(3))]
            result = rng.choice([tuple, list])(seen) if is_list else rng.choice([name(next(numbers)), NIL])
            asked.append(rng.choice([tuple, list])(("read", key)))
            told.append(rng.choice([result, result, NIL, None]))
        fate = rng.choice(["committed", "aborted", "indeterminate"])
        known = told if fate == "committed" else told[: rng.randint(0, len(told))]
        answer = rng.choice([(fate, known), [fate, tuple(known)]])
        question = ("txn", rng.choice([tuple, list])(asked))
        operations.append(Operation(f"p{place}", place, place + 0.5, question, answer))
    made = Transactions.from_history(History(operations))
    assert len(made) == len(operations)
    for txn, operation in enumerate(operations):
        fate, known = operation.output
        assert Fate(made.fate[txn]).name.lower() == fate
        assert made.process_name(txn) == operation.process
        assert made.call_s[txn] == operation.call_s
        assert np.isnan(made.return_s[txn]) == (fate == "indeterminate")
        expected = []
        for place, (function, key, *value) in enumerate(operation.input[1]):
            result = known[place] if place < len(known) else None
            if function == "read" and isinstance(result, tuple | list):
                result = list(result)
            expected.append((function, key, value[0] if value else result))
        found = made.micro_operations(txn)
        for (function, key, value), want in zip(found, expected, strict=True):
            is_nothing = function == "read" and want[2] is NIL and value == []
            assert (function, key) == want[:2]
            assert is_nothing or (value == want[2] and type(value) is type(want[2]))


@pytest.mark.parametrize("names", [lambda name: name, str], ids=["numbers", "texts"])
def test_an_order_of_versions_names_values_that_there_are(names):
    asked = ("txn", (("write", names(7), names(1)),))
    made = Transactions.from_history(History([Operation(0, 0, 1, asked, ("committed", (None,)))]))
    assert made.with_version_order({names(7): [names(1)]})
    with pytest.raises(TransactionError, match=r"the value .*2.*, which no transaction has"):
        made.with_version_order({names(7): [names(2)]})
    with pytest.raises(TransactionError, match=r"the key .*8.*, which no transaction has"):
        made.with_version_order({names(8): [names(1)]})


def test_an_operation_without_output_is_indeterminate():
    history = History([Operation(1, 0, None, ("txn", (("append", "x", 1), ("read", "y"))))])
    made = Transactions.from_history(history)
    assert made.fate.tolist() == [Fate.INDETERMINATE]
    assert made.text(0) == "append(x, 1), read(y) -> ?"


@pytest.mark.parametrize("micro", [("pop", "x"), ("append", "x"), ("read",), ("read", "x", 1, 2)])
def test_the_builder_refuses_what_is_no_micro_operation(micro):
    with pytest.raises(TransactionError, match="micro-operation"):
        transaction(micro)


def test_the_builder_refuses_a_status_that_there_is_not():
    with pytest.raises(TransactionError, match="status is 'done'"):
        transaction(status="done")


def test_transactions_are_tables_of_what_was_done():
    made = Transactions.from_notation("r1(x0) w1(x1) a1 w2(y2) r2(x0) c2")
    rows = made.to_pandas().values.tolist()
    assert rows[:2] == [[0, "aborted", "read", "x", NIL], [0, "aborted", "write", "x", "x1"]]
    assert made.text(1) == "write(y, y2), read(x) -> nothing"
    assert "write(y, y2)" in made._repr_html_()
    assert made.text(0, most=1) == "read(x) -> nothing, 1 more"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("w1(x1) q2(x1)", "'q2.*is no event"),
        ("w1(x1) c1 [x1 << y1]", "is no order of versions"),
        ("w1(x1) c1 [x1 < x2]", "is no order of versions"),
    ],
)
def test_notation_that_says_nothing_is_refused(text, said):
    with pytest.raises(TransactionError, match=said):
        Transactions.from_notation(text)


def test_who_neither_commits_nor_aborts_is_indeterminate():
    assert Transactions.from_notation("w1(x1) r2(x1) c2").fate.tolist() == [
        Fate.INDETERMINATE,
        Fate.COMMITTED,
    ]
