"""Verdicts against every order of small histories, thousands of them."""

import random

import pytest
from histories.transactions.isolation_oracles import is_serializable, is_snapshot_isolated
from histories.transactions.transaction_histories import history_of, random_lists, random_registers

from workbench.histories import isolation

SEEDS = range(8)
EACH = 80


def both(holds, truth, transactions):
    assert holds is truth, transactions


@pytest.mark.parametrize("batch", SEEDS)
def test_list_histories_are_serializable_when_some_order_of_all_explains_them(batch):
    seen = set()
    for seed in range(batch * EACH, (batch + 1) * EACH):
        transactions = random_lists(seed)
        truth = is_serializable(transactions)
        seen.add(truth)
        both(isolation(history_of(transactions)).holds, truth, transactions)
    assert seen == {True, False}


@pytest.mark.parametrize("batch", SEEDS)
def test_list_histories_are_snapshot_isolated_when_some_starts_and_commits_explain_them(batch):
    seen = set()
    for seed in range(batch * EACH, (batch + 1) * EACH):
        transactions = random_lists(seed, keys=3)
        truth = is_snapshot_isolated(transactions)
        seen.add(truth)
        both(isolation(history_of(transactions), "snapshot").holds, truth, transactions)
    assert seen == {True, False}


@pytest.mark.parametrize("batch", SEEDS)
def test_register_histories_are_serializable_when_some_order_of_all_explains_them(batch):
    seen = set()
    for seed in range(batch * EACH, (batch + 1) * EACH):
        transactions = random_registers(seed)
        truth = is_serializable(transactions)
        seen.add(truth)
        both(isolation(history_of(transactions)).holds, truth, transactions)
    assert seen == {True, False}


@pytest.mark.parametrize("batch", SEEDS)
def test_register_histories_are_snapshot_isolated_when_some_starts_and_commits_explain_them(batch):
    seen = set()
    for seed in range(batch * EACH, (batch + 1) * EACH):
        transactions = random_registers(seed, keys=3)
        truth = is_snapshot_isolated(transactions)
        seen.add(truth)
        both(isolation(history_of(transactions), "snapshot").holds, truth, transactions)
    assert seen == {True, False}


@pytest.mark.parametrize("kind", [random_lists, random_registers], ids=["lists", "registers"])
@pytest.mark.parametrize(
    ("level", "oracle"),
    [
        ("strict-serializable", is_serializable),
        ("strong-snapshot", is_snapshot_isolated),
        ("strong-session-serializable", is_serializable),
        ("strong-session-snapshot", is_snapshot_isolated),
    ],
)
def test_levels_with_an_order_keep_real_time_or_that_of_each_process(kind, level, oracle):
    seen = set()
    for seed in range(150):
        rng = random.Random(seed)
        transactions = kind(seed)
        starts = sorted(rng.sample(range(20), len(transactions)))
        lanes = [rng.randrange(2) for _ in transactions]
        times = [
            (
                start,
                min(
                    [
                        start + rng.uniform(0.1, 6),
                        *(s for s, q in zip(starts, lanes, strict=True) if s > start and q == p),
                    ]
                ),
            )
            for start, p in zip(starts, lanes, strict=True)
        ]
        count = range(len(transactions))
        if level.startswith("strong-session"):
            before = [(a, b) for a in count for b in count if a < b and lanes[a] == lanes[b]]
        else:
            before = [(a, b) for a in count for b in count if times[a][1] < times[b][0]]
            before += [(a, b) for a in count for b in count if a < b and lanes[a] == lanes[b]]
        truth = oracle(transactions, before)
        seen.add(truth)
        both(
            isolation(history_of(transactions, times=times, processes=lanes), level).holds,
            truth,
            (transactions, times),
        )
    assert seen == {True, False}
