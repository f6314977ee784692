"""Twins of the search that know nothing of it: every order of the events is tried, one after the other."""

from itertools import permutations

import workbench.model.formal as wb


def table_model(size, tables):
    """Return a model of one number, whose actions are tables: from each number to the next, or to None.

    `tables` holds, for each of the actions a, b and c, one table for each value of their argument.
    """
    a_to, b_to, c_to = tables

    class Table(wb.Model):
        at = wb.Int(0, size - 1)

        @wb.action(k=range(2))
        def a(s, k):
            wb.require(a_to[k][s.at] is not None)
            s.at = a_to[k][s.at]

        @wb.action(k=range(2))
        def b(s, k):
            wb.require(b_to[k][s.at] is not None)
            s.at = b_to[k][s.at]

        @wb.action(k=range(2))
        def c(s, k):
            wb.require(c_to[k][s.at] is not None)
            s.at = c_to[k][s.at]

    return Table


def precedes(one, other):
    """Tell whether an event (name, k, start, end) was over before another began."""
    return one[3] < other[2]


def linear_extensions(events):
    """Yield every order of events that has each after those that precede it."""
    for order in permutations(events):
        places = range(len(order))
        if not any(precedes(order[later], order[earlier]) for later in places for earlier in range(later)):
            yield order


def closure(states, hidden):
    """Return the states that hidden tables lead to, those themselves included."""
    found = set(states)
    while True:
        more = {table[state] for table in hidden for state in found} - {None} - found
        if not more:
            return found
        found |= more


def longest(events, tables, hidden):
    """Return the longest prefix of any order that the tables have, and the states after a whole order."""
    named = dict(zip("abc", tables, strict=True))
    silent = [table for name in hidden for table in named[name]]
    best, ends = 0, set()
    for order in linear_extensions(events):
        states = {0}
        for number, (name, k, _, _) in enumerate(order):
            chosen = named[name] if k is None else [named[name][k]]
            states = {table[state] for table in chosen for state in closure(states, silent)} - {None}
            if not states:
                break
            best = max(best, number + 1)
        else:
            ends |= states
    return best, ends
