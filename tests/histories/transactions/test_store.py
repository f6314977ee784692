"""A store keeps the level that it is switched to, and shows the anomalies of the next."""

from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest

from workbench.histories import (
    NIL,
    TransactionAbortedError,
    TransactionError,
    TransactionStore,
    isolation,
    isolation_levels,
    run_workload,
)

STORE_LEVELS = ("read-uncommitted", "read-committed", "consistent-view", "snapshot", "serializable")


def attempt(step):
    with suppress(TransactionAbortedError):
        step()


def run(level, seed, function="append"):
    """Return a store after random transactions."""
    store = TransactionStore(level, replicas=2 if level == "consistent-view" else 1)
    run_workload(store, seed=seed, transactions=20, keys=4, processes=3, function=function)
    return store


@pytest.mark.parametrize("level", STORE_LEVELS)
@pytest.mark.parametrize("seed", range(20))
def test_lists_of_a_store_keep_its_level(level, seed):
    verdict = isolation(run(level, seed).history(), level)
    assert verdict.holds, verdict


@pytest.mark.parametrize("level", STORE_LEVELS)
@pytest.mark.parametrize("seed", range(10))
def test_registers_of_a_store_keep_its_level_by_the_order_of_its_commits(level, seed):
    store = run(level, seed, function="write")
    verdict = isolation(store.history(), level, version_order=store.version_order())
    assert verdict.holds, verdict


@pytest.mark.parametrize(("weaker", "stronger"), list(pairwise(STORE_LEVELS)))
def test_a_store_does_not_keep_the_next_level(weaker, stronger):
    verdicts = (isolation(run(weaker, seed).history(), stronger) for seed in range(20))
    assert any(verdict.holds is False and verdict.strongest == weaker for verdict in verdicts)


@pytest.mark.parametrize(("weaker", "stronger"), list(pairwise(STORE_LEVELS)))
def test_registers_without_an_order_of_versions_show_the_next_level_too(weaker, stronger):
    histories = (run(weaker, seed, function="write").history() for seed in range(20))
    assert any(isolation(history, stronger).holds is False for history in histories)


def test_the_second_writer_of_a_key_aborts_at_once_where_writes_are_locked():
    for level, aborts in (("snapshot", False), ("read-committed", True), ("read-uncommitted", True)):
        store = TransactionStore(level)
        one, two = store.begin("A"), store.begin("B")
        one.write("x", 1)
        attempt(partial(two.write, "x", 2))
        assert two.is_over is aborts


@pytest.mark.parametrize("seed", range(10))
def test_a_serializable_store_of_one_replica_is_strictly_so(seed):
    assert isolation(run("serializable", seed).history(), "strict-serializable").holds


def test_a_reader_of_uncommitted_writes_sees_what_is_then_aborted():
    store = TransactionStore("read-uncommitted")
    writer, reader = store.begin("writer"), store.begin("reader")
    writer.append("x", 1)
    assert reader.read("x") == [1]
    writer.abort()
    reader.commit()
    verdict = isolation(store.history(), "read-committed")
    assert [anomaly.name for anomaly in verdict.anomalies] == ["G1a"]
    assert verdict.anomalies[0].text == "T1 did read(x) -> [1]: it saw append(x, 1) of T0, which aborted"


def test_a_transaction_reads_its_own_writes():
    store = TransactionStore("snapshot")
    with store.begin() as transaction:
        assert transaction.read("x") == []
        transaction.append("x", 1)
        assert transaction.read("x") == [1]
        transaction.write("y", 2)
        assert transaction.read("y") == 2
    assert store.history()[0].output == ("committed", (NIL, None, (1,), None, 2))


def test_the_same_seed_gives_the_same_history():
    assert run("snapshot", 3).history() == run("snapshot", 3).history() != run("snapshot", 4).history()


def test_a_transaction_that_still_runs_is_indeterminate():
    store = TransactionStore("read-uncommitted")
    running = store.begin("A")
    running.append("x", 1)
    assert store.history()[0].output == ("indeterminate", (None,))
    assert store.history()[0].is_pending


def test_a_block_that_raises_aborts():
    store = TransactionStore("snapshot")

    def fail():
        with store.begin() as transaction:
            transaction.append("x", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.history()[0].output[0] == "aborted"
    assert store.begin().read("x") == []


def test_the_second_of_two_writers_of_a_snapshot_aborts_and_may_not_go_on():
    store = TransactionStore("snapshot")
    one, two = store.begin("A"), store.begin("B")
    one.append("x", 1)
    two.append("x", 2)
    one.commit()
    with pytest.raises(TransactionAbortedError, match="'x' has been written since it began"):
        two.commit()
    with pytest.raises(TransactionError, match="has ended"):
        two.read("x")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"level": "chaos"}, "there is no level 'chaos'"),
        ({"level": "snapshot", "replicas": 2}, "only consistent-view has more than one"),
        ({"level": "consistent-view", "replicas": 0}, "0 replicas"),
    ],
)
def test_a_store_that_cannot_be_is_refused(arguments, said):
    with pytest.raises(TransactionError, match=said):
        TransactionStore(**arguments)


def test_there_is_no_replica_beyond_the_last():
    with pytest.raises(TransactionError, match="no replica 2"):
        TransactionStore("consistent-view", replicas=2).begin(replica=2)


def test_every_level_of_the_store_is_one_that_is_judged():
    assert set(STORE_LEVELS) <= {level.name for level in isolation_levels()}
