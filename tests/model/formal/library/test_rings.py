"""Rings: termination detection, a token that finds itself, and an election."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import EWD840, EWD998, ChangRoberts, TokenRing


def test_three_nodes_of_ewd_840_have_the_published_counts(checked, counted):
    """TLA+ Examples, ewd840/EWD840.cfg: 302 distinct, 2,001 generated.

    The manifest says depth 10, where breadth first there are nine levels, as the plain count below has too:
    TLC with several workers may see a state first by a longer way. Of four nodes all three published numbers
    are met.
    """
    verdict = checked(EWD840(3))
    assert verdict.holds is True
    assert counted(verdict)[:2] == (302, 2001)


def test_four_nodes_of_ewd_840_have_the_published_counts(interpreted, counted):
    """TLA+ Examples, ewd840/EWD840_json.cfg: 1,566 distinct, 15,986 generated, depth 12."""
    verdict = interpreted(EWD840(4))
    assert verdict.holds is True
    assert counted(verdict) == (1566, 15986, 12)


def ewd840(n):
    """Activity and colours as tuples, the token's place and colour; a step for each of its reasons."""

    def put(values, i, value):
        return (*values[:i], value, *values[i + 1 :])

    def successors(state):
        active, black, at, token = state
        if at == 0:
            for _ in range(token + black[0]):
                yield active, put(black, 0, 0), n - 1, 0
        else:
            for _ in range((1 - active[at]) + black[at] + token):
                yield active, put(black, at, 0), at - 1, max(token, black[at])
        for i in range(n):
            if active[i]:
                yield put(active, i, 0), black, at, token
                for j in range(n):
                    if j != i:
                        yield put(active, j, 1), put(black, i, 1) if j > i else black, at, token

    bits = [tuple(number >> i & 1 for i in range(n)) for number in range(2**n)]
    return [(active, black, at, 1) for active in bits for black in bits for at in range(n)], successors


@pytest.mark.parametrize("n", [2, 3])
def test_ewd_840_has_the_states_of_an_independent_count(interpreted, counted, breadth_first, n):
    assert counted(interpreted(EWD840(n))) == breadth_first(*ewd840(n))


def test_a_token_that_is_not_stained_tells_wrongly(interpreted):
    class Clean(EWD840(3)):
        @wb.action(i=range(1, 3))
        def pass_token(s, i):
            wb.require(s.token_at == i)
            s.token_at = i - 1
            s.black[i] = False

    wrong = next(each for each in interpreted(Clean).violations if each.property == "detection_is_right")
    assert len(wrong.trace) - 1 == 3


def ewd998(n, most):  # noqa: C901 - the algorithm again, in one piece
    """Per node (active, black, count, pending); the token's place, sum and colour."""

    def put(nodes, i, **changes):
        names = ("active", "black", "count", "pending")
        node = tuple(changes.get(name, value) for name, value in zip(names, nodes[i], strict=True))
        return (*nodes[:i], node, *nodes[i + 1 :])

    def successors(state):
        nodes, at, total, stained = state
        active, black, count, _ = nodes[at]
        if at == 0:
            for _ in range(stained + black + (count + total > 0)):
                yield put(nodes, 0, black=False), n - 1, 0, False
        elif not active:
            yield put(nodes, at, black=False), at - 1, total + count, stained or black
        for i, (active, _, count, pending) in enumerate(nodes):
            if active:
                yield put(nodes, i, active=False), at, total, stained
                for j in range(n):
                    if i != j:
                        sent = put(nodes, i, count=count + 1)
                        yield put(sent, j, pending=sent[j][3] + 1), at, total, stained
            if pending:
                yield (
                    put(nodes, i, active=True, black=True, count=count - 1, pending=pending - 1),
                    at,
                    total,
                    stained,
                )

    def within(state):
        nodes, _, total, _ = state
        return total <= 3 * most and all(count <= most and pending <= most for *_, count, pending in nodes)

    def boards(length):
        if length == 0:
            return [()]
        nodes = [(a, b, 0, 0) for a in (False, True) for b in (False, True)]
        return [(*board, node) for board in boards(length - 1) for node in nodes]

    return [(board, at, 0, True) for board in boards(n) for at in range(n)], successors, within


def test_ewd_998_has_the_states_of_an_independent_count(checked, counted, breadth_first):
    verdict = checked(EWD998(n=2, most=2))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*ewd998(2, 2))


@pytest.mark.slow
def test_three_nodes_of_ewd_998_have_the_states_of_an_independent_count(compiled, counted, breadth_first):
    verdict = compiled(EWD998(n=3, most=1))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*ewd998(3, 1))


@pytest.mark.slow
def test_three_nodes_of_ewd_998_have_the_published_counts_if_the_token_is_at_node_0(compiled):
    """The module, of 01/2021: 1.3 m distinct, 10.1 m generated, diameter 60. Now it starts anywhere."""

    class AtNode0(EWD998(n=3, most=3)):
        def init(s):
            for _ in super().init():
                if s.token_at == 0:
                    yield

    verdict = compiled(AtNode0)
    assert verdict.holds is True
    assert (verdict.distinct // 100_000, verdict.generated // 100_000, verdict.depth) == (13, 101, 60)


def test_without_counts_a_message_on_the_way_is_overlooked(interpreted):
    class Uncounted(EWD998(n=2, most=2)):
        @wb.terminal
        def detected(s):
            return s.token_at == 0 and not s.token_is_black and not s.black[0] and not s.active[0]

    wrong = next(each for each in interpreted(Uncounted).violations if each.property == "detection_is_right")
    assert len(wrong.trace) - 1 == 4


def test_without_black_a_receiver_is_counted_twice(interpreted):
    class White(EWD998(n=2, most=2)):
        @wb.action(i=range(2))
        def receive(s, i):
            wb.require(s.pending[i] > 0)
            s.pending[i] -= 1
            s.count[i] -= 1
            s.active[i] = True

    assert "safra" in {each.property for each in interpreted(White).violations}


@pytest.mark.slow
def test_the_token_ring_has_the_published_counts(compiled, counted):
    """TLA+ Examples, ewd426/TokenRing.cfg (N = 6, M = 6): 46,656 distinct, 248,832 generated, depth 1."""
    verdict = compiled(TokenRing(n=6, numbers=6))
    assert verdict.holds is True
    assert counted(verdict) == (46_656, 248_832, 1)


def test_both_engines_agree_on_a_ring_of_four(checked, counted):
    """Each of the 4^4 states is a first one. Node 0 may step in 4^3 of them, each other in 4^4 - 4^3."""
    assert counted(checked(TokenRing(n=4, numbers=4))) == (256, 256 + 64 + 3 * 192, 1)


def test_a_node_that_steps_without_a_token_makes_new_ones(interpreted):
    class Eager(TokenRing(n=4, numbers=4)):
        @wb.action
        def pass_from_first(s):
            s.number[0] = (s.number[0] + 1) % 4

    verdict = interpreted(Eager)
    assert verdict.property == "no_token_is_made"
    assert len(verdict.trace) - 1 == 1


def test_three_nodes_of_chang_and_roberts_have_the_published_counts(checked, counted):
    """TLA+ Examples, chang_roberts/MCChangRoberts.cfg: 137 distinct, 227 generated, depth 10."""
    verdict = checked(ChangRoberts((0, 1, 2)))
    assert verdict.holds is True
    assert counted(verdict) == (137, 227, 10)


def test_only_the_order_of_the_identities_counts(interpreted, counted):
    assert counted(interpreted(ChangRoberts((3, 7, 12)))) == (137, 227, 10)


def test_who_passes_on_higher_identities_too_lets_two_win(interpreted):
    class Generous(ChangRoberts((0, 1, 2))):
        @wb.action(i=range(3), identity=range(3))
        def receive(s, i, identity):
            wb.require(s.begun[i])
            wb.require(identity in s.inbox[i])
            s.inbox[i].discard(identity)
            if identity == i:
                s.role[i] = "won"
            else:
                s.inbox[(i + 1) % 3].add(identity)

    verdict = interpreted(Generous)
    assert verdict.property == "the_winner_is_the_lowest"
