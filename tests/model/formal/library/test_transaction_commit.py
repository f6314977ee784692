"""Transaction commit, and Paxos Commit as a way to it."""

from itertools import combinations

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import PaxosCommit, TransactionCommit


def test_three_resource_managers_have_the_published_counts(checked, counted):
    """TLA+ Examples, transaction_commit/TCommit.cfg: 34 distinct, 94 generated, depth 7."""
    verdict = checked(TransactionCommit(rm=3))
    assert verdict.holds is True
    assert counted(verdict) == (34, 94, 7)


def test_who_commits_without_looking_at_the_others_is_inconsistent_after_three_steps(interpreted):
    class Blind(TransactionCommit(rm=3)):
        @wb.action(r=range(3))
        def commit(s, r):
            wb.require(s.rms[r] == "prepared")
            s.rms[r] = "committed"

    verdict = interpreted(Blind, stop_at_first=True)
    assert verdict.property == "consistent"
    assert len(verdict.trace) - 1 == 3


@pytest.mark.slow
def test_paxos_commit_has_the_published_counts(compiled):
    """TLA+ Examples, transaction_commit/PaxosCommit.cfg: 1,321,761 distinct, depth 28."""
    verdict = compiled(PaxosCommit(rm=2, acceptors=3, ballots=2))
    assert verdict.holds is True
    assert (verdict.distinct, verdict.depth) == (1_321_761, 28)


@pytest.mark.slow
def test_paxos_commit_generates_the_published_number_if_each_way_to_see_a_decision_is_a_step(
    compiled, counted
):
    """16,959,159: TLC takes the same decision once for each ballot and majority that show it."""
    quorums = tuple(combinations(range(3), 2))

    class Repeating(PaxosCommit(rm=2, acceptors=3, ballots=2)):
        @wb.action(b=range(2), quorum=quorums, b_too=range(2), quorum_too=quorums)
        def decide_to_commit(s, b, quorum, b_too, quorum_too):
            wb.require(all("prepared" in s.votes[0][b][a] for a in quorum))
            wb.require(all("prepared" in s.votes[1][b_too][a] for a in quorum_too))
            s.commit_sent = True

        @wb.action(r=range(2), b=range(2), quorum=quorums)
        def decide_to_abort(s, r, b, quorum):
            wb.require(all("aborted" in s.votes[r][b][a] for a in quorum))
            s.abort_sent = True

    assert counted(compiled(Repeating)) == (1_321_761, 16_959_159, 28)


def test_both_engines_agree_on_paxos_commit_with_one_ballot(checked, counted, breadth_first):
    """With ballot 0 alone, an acceptor accepts what its resource manager proposed, or does nothing."""
    verdict = checked(PaxosCommit(rm=2, acceptors=2, ballots=1))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*paxos_commit_of_one_ballot(acceptors=2))


def paxos_commit_of_one_ballot(acceptors):
    """Plain states: of each resource manager its state, proposal and votes; which decisions were sent."""
    working = ("working", None, frozenset())

    def successors(state):
        *rms, commit, abort = state
        for r, (role, proposal, votes) in enumerate(rms):
            followers = []
            if role == "working":
                followers += [("prepared", "prepared", votes), ("aborted", "aborted", votes)]
            followers += [("committed", proposal, votes)] * commit + [("aborted", proposal, votes)] * abort
            if proposal is not None:
                followers += [(role, proposal, votes | {a}) for a in range(acceptors)]
            for follower in followers:
                yield (*rms[:r], follower, *rms[r + 1 :], commit, abort)
        chosen = [proposal for _, proposal, votes in rms if 2 * len(votes) > acceptors]
        if chosen == ["prepared", "prepared"]:
            yield (*rms, True, abort)
        if "aborted" in chosen:
            yield (*rms, commit, True)

    return [(working, working, False, False)], successors


def test_paxos_commit_that_decides_without_a_majority_is_inconsistent(interpreted):
    class Hasty(PaxosCommit(rm=2, acceptors=3, ballots=1)):
        @wb.action
        def decide_to_commit(s):
            wb.require("prepared" in s.proposals[0][0])
            s.commit_sent = True

    verdict = interpreted(Hasty, stop_at_first=True)
    assert verdict.property == "consistent"
    assert len(verdict.trace) - 1 == 4


def test_paxos_commit_can_commit_in_nine_steps(reaches):
    """Two proposals, two votes for each, the decision, and two that hear of it: 2 + 4 + 1 + 2 = 9."""
    assert len(reaches(PaxosCommit(rm=2, acceptors=3, ballots=1), "all_committed")) - 1 == 9
