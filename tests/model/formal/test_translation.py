"""The translation of a model's text: in every state, each action and property does what Python does."""

import random
from itertools import pairwise

import pytest
from agreement import checked_by_both
from written import Written

import workbench.model.formal as wb
from workbench.model.formal._models import specification
from workbench.model.formal.interpreting.steps import Broken, successor

Message = wb.Record(kind=wb.Enum("ask", "tell"), sender=range(3), value=wb.Maybe(range(4)))


def limited(n):
    """Return the double of a number, at most five."""
    if n > 2:
        return 5
    return n * 2


class Everything(wb.Model):
    """Uses the whole language: each kind of domain, of statement and of expression."""

    n = wb.Int(-3, 9)
    flag = wb.Bool()
    mode = wb.Enum("idle", "busy", "done")
    leader = wb.Maybe(range(3))
    grid = wb.Array(3, wb.Array(2, wb.Int(0, 5)))
    votes = wb.Array(("a", "b", "c"), wb.Int(0, 3))
    members = wb.Set(range(3))
    sent = wb.Set(Message)
    queue = wb.Seq(wb.Int(0, 6), 4)
    inbox = wb.Array(2, wb.Seq(Message, 3))
    owner = wb.Map(range(3), wb.Enum("x", "y"))
    last = Message
    pair = wb.Tuple(wb.Int(0, 4), wb.Bool())
    big = wb.Array(30, wb.Int(0, 15))
    wide = wb.Set(range(100))

    def twice(s, k):
        return s.n * 2 + k

    @property
    def is_idle(s):
        return s.mode == "idle"

    @wb.predicate
    def someone_leads(s):
        return s.leader is not None

    @wb.action
    def arithmetic(s):
        s.n = (s.n * 3 - 4) % 7 + s.n // 2

    @wb.action(k=range(-1, 4))
    def parameters(s, k):
        wb.require(s.n + k >= 0 and s.n + k <= 9)
        s.n += k

    @wb.action(m=("idle", "busy", "done"))
    def texts(s, m):
        wb.require(s.mode != m)
        s.mode = m
        s.flag = m == "done" or s.flag

    @wb.action
    def branches(s):
        if s.n < 0:
            s.mode = "idle"
        elif s.n == 3 or not s.flag:
            s.mode = "busy"
            s.flag = s.n > 2
        else:
            s.mode = "done" if s.flag else "idle"
        k = 1
        if s.mode == "busy":
            k = 2
        s.n = limited(k) - 1

    @wb.action(i=range(3), j=range(2))
    def nested(s, i, j):
        s.grid[i][j] = s.grid[(i + 1) % 3][1 - j]
        row = s.grid[i]
        row[0] = min(row[0] + 1, 5)

    @wb.action(i=range(3))
    def whole_row(s, i):
        s.grid[i] = [i, max(s.grid[i])]

    @wb.action
    def by_name(s):
        s.votes["a"], s.votes["b"] = s.votes["b"], s.votes["a"]
        s.votes["c"] = sum(s.votes) % 4

    @wb.action(i=range(3))
    def sets(s, i):
        wb.require(i in s.members or len(s.members) < 2)
        if i in s.members:
            s.members.remove(i)
        else:
            s.members.add(i)
        s.flag = s.members == {0, 1, 2} or s.members <= {0, 1}

    @wb.action
    def algebra(s):
        wb.require(s.members)
        s.members = ({0, 1, 2} - s.members) | {x for x in s.members if x > 0}

    @wb.action(i=range(3))
    def messages(s, i):
        m = Message(kind="ask", sender=i, value=s.leader)
        wb.require(m not in s.sent)
        s.sent.add(m)
        s.last = m

    @wb.action
    def answer(s):
        wb.require(any(m.kind == "ask" and m.value is not None for m in s.sent))
        for m in s.sent:
            if m.kind == "ask" and m.value is not None:
                s.sent.add(m.replace(kind="tell", value=(m.value + 1) % 4))

    @wb.action
    def forget(s):
        s.sent = {m for m in s.sent if m.kind == "tell"}
        s.last.value = None

    @wb.action(k=range(7))
    def push(s, k):
        wb.require(len(s.queue) < 4 and k not in s.queue)
        s.queue.append(k)

    @wb.action
    def pop(s):
        wb.require(s.queue)
        s.n = s.queue.pop(0)

    @wb.action
    def pop_last(s):
        wb.require(len(s.queue) > 1)
        s.n = s.queue.pop() + s.queue[0] - s.queue[-1]

    @wb.action
    def rotate(s):
        wb.require(len(s.queue) >= 1)
        s.queue = [*s.queue[1:], s.queue[0]]

    @wb.action(i=range(2))
    def deliver(s, i):
        wb.require(len(s.inbox[i]) < 3)
        s.inbox[i].append(s.last)

    @wb.action(i=range(2))
    def read(s, i):
        wb.require(s.inbox[i] and s.inbox[i][0].value is not None)
        m = s.inbox[i].pop(0)
        s.n = m.value
        s.leader = m.sender if m.kind == "tell" else None

    @wb.action(i=range(3))
    def maps(s, i):
        if i in s.owner:
            wb.require(s.owner[i] == "x" or len(s.owner) > 1)
            del s.owner[i]
        else:
            s.owner[i] = "y" if s.owner.get(0) == "x" else "x"

    @wb.action
    def tuples(s):
        first, second = s.pair
        s.pair = ((first + 1) % 5, not second)

    @wb.action(i=range(12, 16))
    def far(s, i):
        s.big[i] = (s.big[29 - i] + 1) % 16
        s.wide.add(s.big[i] * 6)

    @wb.action
    def far_loop(s):
        total = 0
        for x in s.big:
            if x == 15:
                break
            if x % 2:
                continue
            total += x
        s.n = total % 10
        s.flag = len(s.wide) > 3 and 6 in s.wide

    @wb.action
    def loops(s):
        k = 0
        while k < 3 and s.grid[k][0] > 0:
            k += 1
        s.n = k
        for i in range(2):
            for x in s.queue:
                s.n = max(s.n, x - i)

    @wb.action
    def helpers(s):
        wb.require(s.is_idle or s.someone_leads())
        s.n = s.twice(1) % 9

    @wb.action
    def may_leave_the_domain(s):
        s.n += 5
        s.queue.append(s.n)

    @wb.action
    def asserts(s):
        assert s.n < 7
        s.n += 1

    @wb.action
    def unwraps(s):
        s.n = s.leader + 1
        s.grid[s.leader][1] = 2

    @wb.invariant
    def counts(s):
        return sum(1 for x in s.grid if x[0] > x[1]) <= 2 and all(0 <= x < 16 for x in s.big)

    @wb.invariant
    def compares(s):
        return s.last == Message(kind="ask", sender=0, value=None) or s.pair != (0, False)

    @wb.action_property
    def steps(before, after):
        return after.n >= before.n or before.members != after.members


WRITTEN = Written(Everything)


def random_states(seed, count):
    """Return states of random values, and of values as a run has them."""
    rng = random.Random(seed)
    declared = specification(Everything)
    state = next(iter(declared.initial()))
    for number in range(count):
        if number % 2:
            yield tuple(random_value(rng, domain) for domain in declared.fields.values())
            continue

        yield state
        state = walked(rng, declared, state)


def walked(rng, declared, state):
    """Return a state a few steps away."""
    for _ in range(6):
        try:
            after = successor(declared, state, rng.choice(declared.instances))
        except wb.ActionError:
            continue
        if isinstance(after, tuple):
            state = after
    return state


def random_value(rng, domain):  # noqa: PLR0911
    """Return a random frozen value."""
    if isinstance(domain, wb.Maybe):
        return None if rng.random() < 0.4 else random_value(rng, domain.of)
    if isinstance(domain, wb.Set):
        return rng.getrandbits(len(domain.elements)) & rng.getrandbits(len(domain.elements))
    if isinstance(domain, wb.Array):
        return tuple(random_value(rng, domain.of) for _ in domain.keys)
    if isinstance(domain, wb.Map):
        return tuple((random_value(rng, domain.of),) if rng.random() < 0.5 else () for _ in domain.keys)
    if isinstance(domain, wb.Seq):
        return tuple(random_value(rng, domain.of) for _ in range(rng.randint(0, domain.most)))
    if isinstance(domain, wb.Record | wb.Tuple):
        return tuple(random_value(rng, part) for part in domain.parts)
    return rng.choice(list(domain.frozen_values()))


def expected(state, instance):
    """Return what Python says of an action."""
    try:
        after = successor(WRITTEN.declared, state, instance)
    except wb.ActionError:
        return "error"
    return "assertion" if isinstance(after, Broken) else after


@pytest.mark.parametrize("seed", range(2))
def test_every_action_does_what_python_does(seed):
    for state in random_states(seed, 24):
        for instance in WRITTEN.declared.instances:
            assert WRITTEN.after(state, instance) == expected(state, instance), instance.label


@pytest.mark.parametrize("seed", range(4))
def test_every_property_says_what_python_says(seed):
    states = list(random_states(seed, 60))
    for member in WRITTEN.declared.members:
        if member.kind == "action":
            continue
        for state, other in pairwise(states):
            given = (state, other)[: member.function.__code__.co_argcount]
            live = [WRITTEN.declared.thaw(each) for each in given]
            assert WRITTEN.holds(member, *given) == bool(member(*live)), member.name


class Safe(Everything):
    """Without the actions that fail."""

    @wb.action
    def arithmetic(s):
        s.n = (s.n * 3 - 4) % 7 + s.n // 4

    @wb.action
    def may_leave_the_domain(s):
        wb.require(s.n <= 1 and len(s.queue) < 4)
        s.n += 5
        s.queue.append(s.n)

    @wb.action
    def unwraps(s):
        wb.require(s.leader is not None)
        s.n = s.leader + 1
        s.grid[s.leader][1] = 2


@pytest.mark.slow
def test_the_machine_does_what_the_text_says():
    """States of several words, with most things a model may have: both engines see the same."""
    verdict = checked_by_both(Safe, max_states=4000)
    assert verdict.distinct >= 4000
