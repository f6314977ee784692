"""Plain judges of tiny transaction histories, which know no dependency graphs.

A history is a list of transactions, each a list of ``(function, key, value)``: the value written, or the one
that was read. All of them committed.
"""

from itertools import permutations, product

__all__ = ["is_serializable", "is_snapshot_isolated", "serial_orders"]


def _run(transaction, state):
    """Return whether a transaction reads what it says when it runs on a state, and the state it leaves."""
    own = dict(state)
    for function, key, value in transaction:
        if function == "append":
            own[key] = (*own.get(key, ()), value)
        elif function == "write":
            own[key] = value
        elif own.get(key) != (value or None if isinstance(value, tuple) else value):
            return False, own
    return True, own


def _installed(transaction, state):
    """Return a state with the writes of a transaction, whatever it has read."""
    return _run([micro for micro in transaction if micro[0] != "read"], state)[1]


def serial_orders(transactions, before=()):
    """Yield every order in which the transactions could have run alone, one after another."""
    for order in permutations(range(len(transactions))):
        place = {txn: number for number, txn in enumerate(order)}
        if any(place[first] > place[second] for first, second in before):
            continue
        state = {}
        for txn in order:
            fits, state = _run(transactions[txn], state)
            if not fits:
                break
        else:
            yield order


def is_serializable(transactions, before=()):
    """Try every order of all transactions."""
    return next(serial_orders(transactions, before), None) is not None


def is_snapshot_isolated(transactions, before=()):
    """Try every order of starts and commits.

    A transaction reads from the state of all that committed before its start, and its own writes; of two that
    write one key, one commits before the other starts. Pairs in `before`: the first commits before the second
    starts.
    """
    writes = [{key for function, key, _ in txn if function != "read"} for txn in transactions]
    return any(
        _fits(transactions, writes, commits, snapshots, before)
        for commits in permutations(range(len(transactions)))
        for snapshots in product(*(range(place + 1) for place in range(len(transactions))))
    )


def _fits(transactions, writes, commits, snapshots, before):
    """Whether transactions that commit in this order, each on the first so many commits, read as they say."""
    start = {txn: snapshots[place] for place, txn in enumerate(commits)}
    commit = {txn: place for place, txn in enumerate(commits)}
    if any(commit[first] >= start[second] for first, second in before):
        return False
    states = [{}]
    for place, txn in enumerate(commits):
        if any(writes[txn] & writes[other] for other in commits[start[txn] : place]):
            return False
        fits, _ = _run(transactions[txn], states[start[txn]])
        if not fits:
            return False
        states.append(_installed(transactions[txn], states[-1]))
    return True
