"""Random tiny histories of transactions: some right, some wrong in all the ways that reads can be."""

import random
from itertools import count

from workbench.histories import NIL, History, transaction

__all__ = ["history_of", "random_lists", "random_registers"]


def history_of(transactions, *, times=None, processes=None):
    """Return transactions, all committed, as a history; each in a process of its own, at one time."""
    operations = []
    for number, micro in enumerate(transactions):
        call_s, return_s = times[number] if times else (0.0, 1.0)
        process = processes[number] if processes else number
        told = [(function, key, _result(function, value)) for function, key, value in micro]
        operations.append(transaction(*told, process=process, call_s=call_s, return_s=return_s))
    return History(operations)


def _result(function, value):
    return NIL if function == "read" and value is None else value


def _plans(write, rng, most, keys):
    """Return what transactions ask: one to three writes of new values, or reads, each."""
    fresh = count(1)
    return [
        [
            (write, rng.choice("xyz"[:keys]), next(fresh))
            if rng.random() < 0.5
            else ("read", rng.choice("xyz"[:keys]), None)
            for _ in range(rng.randint(1, 3))
        ]
        for _ in range(rng.randint(2, most))
    ]


def random_lists(seed, *, most=4, keys=2):
    """Return list-append transactions that see prefixes of random orders of versions."""
    rng = random.Random(seed)
    plans = _plans("append", rng, most, keys)
    orders = {}
    for key in "xyz"[:keys]:
        mine = [
            [value for function, name, value in plan if function == "append" and name == key]
            for plan in plans
        ]
        blocks = [block for block in mine if block]
        rng.shuffle(blocks)
        orders[key] = [value for block in blocks for value in block]
        if rng.random() < 0.1:
            rng.shuffle(orders[key])
    return [_with_reads(plan, orders, rng) for plan in plans]


def _with_reads(plan, orders, rng):
    """Fill in reads: a prefix of the key's order that is plausible, and what the transaction has appended."""
    own, seen, told = {}, {}, []
    for function, key, value in plan:
        if function == "append":
            own.setdefault(key, []).append(value)
            told.append((function, key, value))
            continue
        mine = [v for name, k, v in plan if name == "append" and k == key]
        order = orders[key]
        if key not in seen or rng.random() < 0.1:
            limit = min((order.index(v) for v in mine), default=len(order))
            if rng.random() < 0.7:
                seen[key] = tuple(order[: rng.choice([limit, rng.randint(0, limit)])])
            else:
                seen[key] = tuple(v for v in order[: rng.randint(0, len(order))] if v not in mine)
        told.append((function, key, (*seen[key], *own.get(key, ()))))
    return told


def random_registers(seed, *, most=4, keys=2):
    """Return read-write transactions whose reads see any write, or the initial state."""
    rng = random.Random(seed)
    plans = _plans("write", rng, most, keys)
    final = {
        (number, key): value
        for number, plan in enumerate(plans)
        for function, key, value in plan
        if function == "write"
    }
    return [_with_values(number, plan, final, rng) for number, plan in enumerate(plans)]


def _with_values(number, plan, final, rng):
    """Fill in reads: the transaction's own write, or the same last write of another each time, mostly."""
    own, seen, told = {}, {}, []
    for function, key, written in plan:
        if function == "write":
            own[key] = written
        elif key not in own and (key not in seen or rng.random() < 0.05):
            others = [value for (txn, name), value in final.items() if name == key and txn != number]
            seen[key] = rng.choice([None, *others])
        told.append((function, key, own.get(key, seen.get(key))))
    return told
