"""Read uncommitted and read committed against their definitions, spelled out on small histories."""

import random
from itertools import pairwise

import networkx as nx
import pytest
from histories.transactions.transaction_histories import random_lists

from workbench.histories import History, isolation, transaction


def random_dirty_lists(seed):
    """Return list transactions some of which aborted or read half of another's writes, and their fates."""
    rng = random.Random(seed)
    transactions = random_lists(seed, most=5)
    fates = [rng.choice(["committed"] * 5 + ["aborted"]) for _ in transactions]
    return transactions, fates


def judge(transactions, fates, level):
    operations = [
        transaction(*micro, process=number, status=fate)
        for number, (micro, fate) in enumerate(zip(transactions, fates, strict=True))
    ]
    return isolation(History(operations), level).holds


class Definitions:
    """Version orders from the longest reads, as plain lists; G0 and G1 as they are defined."""

    def __init__(self, transactions, fates):
        self.done = [number for number, fate in enumerate(fates) if fate == "committed"]
        self.fates, self.transactions = fates, transactions
        self.writer = {
            (key, v): n for n, txn in enumerate(transactions) for f, key, v in txn if f == "append"
        }
        self.reads = [(number, *read) for number in self.done for read in self._external(number)]
        self.order, self.lists = {}, []
        for _, key, value in (micro for number in self.done for micro in transactions[number]):
            if not isinstance(value, tuple):
                continue
            self.lists.append((key, value))
            if len(value) > len(self.order.get(key, ())):
                self.order[key] = value

    def _external(self, number):
        """Yield what a transaction read of others: key and list, without its own appends at the end."""
        own = {}
        for function, key, value in self.transactions[number]:
            if function == "append":
                own.setdefault(key, []).append(value)
            else:
                yield key, value[: len(value) - len(own.get(key, ()))]

    def dependencies(self):
        """Return the edges ww and wr between committed transactions."""
        ww, wr = set(), set()
        for key, order in self.order.items():
            committed = [self.writer[key, v] for v in order if self.writer[key, v] in self.done]
            ww |= set(pairwise(committed))
            unread = {
                n for (k, v), n in self.writer.items() if k == key and v not in order and n in self.done
            }
            ww |= {(committed[-1], late) for late in unread if committed}
        for reader, key, value in self.reads:
            seen = [self.writer[key, v] for v in value if self.writer[key, v] in self.done]
            wr |= {(writer, reader) for writer in seen[-1:]}
        return [{(a, b) for a, b in edges if a != b} for edges in (ww, wr)]

    def has_nonsense(self):
        """Whether a transaction has seen its own write before it, or its appends stand in a wrong order."""
        early = any(self.writer[key, v] == reader for reader, key, value in self.reads for v in value)
        return early or any(
            self._misplaced(number, key)
            for number in self.done
            for key in {k for _, k, _ in self.transactions[number]}
        )

    def _misplaced(self, number, key):
        mine = [v for f, k, v in self.transactions[number] if f == "append" and k == key]
        shown = [v for v in self.order.get(key, ()) if v in mine]
        return shown != mine[: len(shown)]

    def has_g0(self):
        return bool(list(nx.simple_cycles(nx.DiGraph(list(self.dependencies()[0])))))

    def has_g1(self):
        ww, wr = self.dependencies()
        aborted = any(
            self.fates[self.writer[key, v]] == "aborted" for _, key, value in self.reads for v in value
        )
        odd = any(self.order[key][: len(value)] != value for key, value in self.lists if value)
        circle = bool(list(nx.simple_cycles(nx.DiGraph(list(ww | wr)))))
        return aborted or odd or circle or any(self._is_half(*read) for read in self.reads)

    def _is_half(self, reader, key, value):
        """Whether a list ends amid the appends of one transaction."""
        if not value:
            return False
        writer = self.writer[key, value[-1]]
        last = [v for f, k, v in self.transactions[writer] if f == "append" and k == key][-1]
        return writer != reader and writer in self.done and value[-1] != last


@pytest.mark.parametrize("batch", range(4))
def test_levels_below_snapshot_follow_their_definitions(batch):
    seen = set()
    for seed in range(batch * 250, (batch + 1) * 250):
        transactions, fates = random_dirty_lists(seed)
        plain = Definitions(transactions, fates)
        uncommitted = not (plain.has_nonsense() or plain.has_g0())
        committed = uncommitted and not plain.has_g1()
        seen.add((uncommitted, committed))
        assert judge(transactions, fates, "read-uncommitted") is uncommitted, (transactions, fates)
        assert judge(transactions, fates, "read-committed") is committed, (transactions, fates)
    assert seen == {(True, True), (True, False), (False, False)}
