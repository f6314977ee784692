"""Raft's election."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import RaftElection


def raft(servers, terms):  # noqa: C901 - the protocol again, in one piece
    """Servers (role, term, vote); requests (term, candidate), votes (term, candidate, voter), leaders."""

    def successors(state):
        nodes, asked, votes, leaders = state
        for i, (role, term, vote) in enumerate(nodes):

            def with_node(*node, i=i):
                return (*nodes[:i], node, *nodes[i + 1 :])

            if role != "L" and term < terms:
                new = term + 1
                yield with_node("C", new, i), asked | {(new, i)}, votes | {(new, i, i)}, leaders
            for higher in range(term + 1, terms + 1):
                if any(t == higher for t, _ in asked):
                    yield with_node("F", higher, None), asked, votes, leaders
            for candidate in range(servers):
                if (term, candidate) in asked and vote is None:
                    yield with_node(role, term, candidate), asked, votes | {(term, candidate, i)}, leaders
            if role == "C" and 2 * sum((term, i, j) in votes for j in range(servers)) > servers:
                yield with_node("L", term, vote), asked, votes, leaders | {(term, i)}
            if role != "F":
                yield with_node("F", term, vote), asked, votes, leaders

    nothing = frozenset()
    return [((("F", 0, None),) * servers, nothing, nothing, nothing)], successors


def test_one_term_has_the_states_of_an_independent_count(checked, counted, breadth_first):
    verdict = checked(RaftElection(servers=3, terms=1))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*raft(3, 1))


@pytest.mark.slow
def test_two_terms_have_the_states_of_an_independent_count(compiled, counted, breadth_first):
    verdict = compiled(RaftElection(servers=3, terms=2))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*raft(3, 2))


def test_a_server_that_forgets_its_vote_in_a_restart_elects_two(checked):
    class Forgetful(RaftElection(servers=3, terms=1)):
        @wb.action(i=range(3))
        def restart(s, i):
            s.role[i] = "follower"
            s.voted_for[i] = None

    verdict = checked(Forgetful, stop_at_first=True)
    assert verdict.property == "one_leader_a_term"
    assert len(verdict.trace) - 1 == 8


def test_a_candidate_that_does_not_count_elects_two_after_four_steps(interpreted):
    class Bold(RaftElection(servers=3, terms=1)):
        @wb.action(i=range(3))
        def win(s, i):
            wb.require(s.role[i] == "candidate")
            s.role[i] = "leader"
            s.leaders[s.term[i]].add(i)

    verdict = interpreted(Bold, stop_at_first=True)
    assert verdict.property == "one_leader_a_term"
    assert len(verdict.trace) - 1 == 4


def test_a_leader_is_elected_after_four_steps(reaches):
    """A candidate, a server that sees the term and votes, and the election."""
    assert len(reaches(RaftElection(servers=3, terms=1), "somebody_leads")) - 1 == 4
