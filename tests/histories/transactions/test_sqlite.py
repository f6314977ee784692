"""A real database under threads: right use is serializable, a read outside the transaction loses updates."""

import json
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from workbench.histories import History, isolation

KEYS = "wxyz"
WAIT_S = 30


@pytest.fixture
def database(tmp_path):
    """Return the path of a database with an empty list under each key."""
    path = tmp_path / "lists.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table lists (key text primary key, content text not null)")
        connection.executemany("insert into lists values (?, '[]')", [(key,) for key in KEYS])
    return path


@contextmanager
def connected(path):
    with closing(sqlite3.connect(path, isolation_level=None, timeout=WAIT_S)) as connection:
        yield connection


def read(connection, key):
    return tuple(
        json.loads(connection.execute("select content from lists where key = ?", (key,)).fetchone()[0])
    )


def store(connection, key, content):
    connection.execute("update lists set content = ? where key = ?", (json.dumps(content), key))


def carry_out(connection, asked):
    """Do micro-operations one after another: an append is a read and a write; return their results."""
    results = []
    for function, key, *values in asked:
        content = read(connection, key)
        if function == "append":
            store(connection, key, [*content, *values])
        results.append(content if function == "read" else None)
    return tuple(results)


def random_transactions(seed, count):
    """Return what a client asks, with values that no other client writes."""
    rng = random.Random(seed)
    for number in range(count):
        yield tuple(
            ("read", rng.choice(KEYS))
            if rng.random() < 0.5
            else ("append", rng.choice(KEYS), 1000 * seed + 10 * number + k)
            for k in range(rng.randint(1, 4))
        )


def test_transactions_that_lock_before_they_read_are_strictly_serializable(database):
    recorder = History.record()

    def work(seed):
        with connected(database) as connection:
            for asked in random_transactions(seed, 15):
                with recorder.operation(("txn", asked)) as operation:
                    connection.execute("begin immediate")
                    results = carry_out(connection, asked)
                    connection.execute("commit")
                    operation.output = ("committed", results)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(1, 5)))
    history = recorder.history()
    assert len(history) == 60
    verdict = isolation(history, "strict-serializable")
    assert verdict.holds, verdict


def two_clients(database, begin):
    """Let two clients read x and then append to it, both reads before either write; return the history."""
    recorder, both_have_read = History.record(), threading.Barrier(2, timeout=WAIT_S)
    first_has_written = threading.Event()

    def work(value):
        asked = (("read", "x"), ("append", "x", value))
        with connected(database) as connection, recorder.operation(("txn", asked)) as operation:
            connection.execute(begin)
            content = read(connection, "x")
            both_have_read.wait()
            if value == 2:
                assert first_has_written.wait(WAIT_S)
            try:
                store(connection, "x", [*content, value])
                if connection.in_transaction:
                    connection.execute("commit")
                operation.output = ("committed", (content, None))
            except sqlite3.OperationalError:
                connection.execute("rollback")
                operation.output = ("aborted",)
            finally:
                first_has_written.set()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (1, 2)))
    with connected(database) as connection, recorder.operation(("txn", (("read", "x"),))) as operation:
        operation.output = ("committed", (read(connection, "x"),))
    return recorder.history()


def test_a_read_outside_the_transaction_of_its_write_loses_an_update(database):
    verdict = isolation(two_clients(database, begin="select 1"))
    assert verdict.holds is False
    assert verdict.strongest == "read-committed"
    (lost,) = (anomaly for anomaly in verdict.anomalies if anomaly.name == "lost update")
    assert lost.text == "T0 and T1 read x = nothing, and each replaced it"


def test_a_read_within_the_transaction_makes_the_second_writer_abort(database):
    history = two_clients(database, begin="begin deferred")
    assert sorted(operation.output[0] for operation in history) == ["aborted", "committed", "committed"]
    verdict = isolation(history, "strict-serializable")
    assert verdict.holds, verdict


def test_readers_of_a_write_ahead_log_see_one_snapshot(database):
    """A reader that began before a commit misses all of it, in each of its reads."""
    recorder = History.record()
    with connected(database) as one, connected(database) as two:
        with recorder.operation(("txn", (("read", "x"), ("read", "y"))), process="reader") as reading:
            one.execute("begin")
            first = read(one, "x")
            asked = (("append", "x", 1), ("append", "y", 2))
            with recorder.operation(("txn", asked), process="writer") as writing:
                two.execute("begin immediate")
                results = carry_out(two, asked)
                two.execute("commit")
                writing.output = ("committed", results)
            reading.output = ("committed", (first, read(one, "y")))
            one.execute("commit")
        with recorder.operation(("txn", (("read", "x"), ("read", "y"))), process="reader") as reading:
            reading.output = ("committed", (read(one, "x"), read(one, "y")))
    assert isolation(recorder.history(), "strict-serializable").holds
