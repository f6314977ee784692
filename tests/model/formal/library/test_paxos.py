"""Single-decree Paxos."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import Paxos


@pytest.mark.slow
def test_two_ballots_have_the_published_counts(checked, counted):
    """TLA+ Examples, PaxosHowToWin.../MCPaxosTiny.cfg: 3,921 distinct, 23,563 generated, depth 17."""
    verdict = checked(Paxos(acceptors=3, values=2, ballots=2))
    assert verdict.holds is True
    assert counted(verdict) == (3921, 23563, 17)


def test_one_acceptor_and_one_value_have_the_published_counts(checked, counted):
    """TLA+ Examples, Paxos/MCPaxos.cfg: 25 distinct, 82 generated, depth 9; its symmetry is trivial."""
    verdict = checked(Paxos(acceptors=1, values=1, ballots=2))
    assert counted(verdict) == (25, 82, 9)


def test_a_leader_that_proposes_its_own_value_in_any_case_breaks_agreement(interpreted):
    class Stubborn(Paxos(acceptors=1, values=2, ballots=2)):
        @wb.action(b=range(2), v=range(2), quorum=((0,),))
        def propose_freely(s, b, v, quorum):
            wb.require(len(s.proposals[b]) == 0)
            wb.require(all(s.promises[b][a].sent for a in quorum))
            s.proposals[b].add(v)

    verdict = interpreted(Stubborn, stop_at_first=True)
    assert verdict.property == "agreement"
    assert len(verdict.trace) - 1 == 8


def test_a_leader_that_proposes_twice_breaks_agreement(interpreted):
    class Twofold(Paxos(acceptors=1, values=2, ballots=1)):
        @wb.action(b=range(1), v=range(2), quorum=((0,),))
        def propose_freely(s, b, v, quorum):
            wb.require(all(s.promises[b][a].sent and s.promises[b][a].ballot is None for a in quorum))
            s.proposals[b].add(v)

    verdict = interpreted(Twofold, stop_at_first=True)
    assert verdict.property == "agreement"
    assert len(verdict.trace) - 1 == 6


@pytest.mark.slow
def test_quorums_that_do_not_meet_break_agreement(interpreted):
    class Split(Paxos(acceptors=2, values=2, ballots=2)):
        @wb.action(b=range(2), v=range(2), quorum=((0,), (1,)))
        def propose_freely(s, b, v, quorum):
            wb.require(len(s.proposals[b]) == 0)
            wb.require(all(s.promises[b][a].sent and s.promises[b][a].ballot is None for a in quorum))
            s.proposals[b].add(v)

        def is_chosen(s, v):
            return any(v in s.votes[b][a] for b in range(2) for a in range(2))

    assert interpreted(Split, stop_at_first=True).property == "agreement"


def test_a_value_can_be_chosen(reaches):
    """Prepare, promises of two, the proposal, votes of two."""
    trace = reaches(Paxos(acceptors=3, values=1, ballots=1), "decided")
    assert len(trace) - 1 == 1 + 2 + 1 + 2
