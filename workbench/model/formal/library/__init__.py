"""Shipped models: puzzles, locks, protocols, and the policies of this library as models.

A model that has parameters is a function that returns a class: `TwoPhaseCommit(rm=3)`.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.model.formal.library.alternating_bit import AlternatingBit
    from workbench.model.formal.library.bakery import Bakery
    from workbench.model.formal.library.bounded_buffer import BoundedBuffer, BoundedBufferTwoQueues
    from workbench.model.formal.library.chandy_misra import ChandyMisra
    from workbench.model.formal.library.chang_roberts import ChangRoberts
    from workbench.model.formal.library.checkout_saga import CheckoutSaga
    from workbench.model.formal.library.circuit_breaker import CircuitBreaker
    from workbench.model.formal.library.coffee_can import CoffeeCan
    from workbench.model.formal.library.dekker import Dekker
    from workbench.model.formal.library.die_hard import DieHard
    from workbench.model.formal.library.dining_philosophers import (
        DiningPhilosophers,
        OrderedPhilosophers,
        SeatedPhilosophers,
    )
    from workbench.model.formal.library.distributed_lock import FencedLock, LeaseLock
    from workbench.model.formal.library.ewd840 import EWD840
    from workbench.model.formal.library.ewd998 import EWD998
    from workbench.model.formal.library.game_of_life import GameOfLife
    from workbench.model.formal.library.hanoi import Hanoi
    from workbench.model.formal.library.lamport_mutex import LamportMutex
    from workbench.model.formal.library.missionaries import MissionariesAndCannibals
    from workbench.model.formal.library.paxos import Paxos
    from workbench.model.formal.library.paxos_commit import PaxosCommit
    from workbench.model.formal.library.peterson import Peterson
    from workbench.model.formal.library.raft_election import RaftElection
    from workbench.model.formal.library.readers_writers import ReadersWriters
    from workbench.model.formal.library.retry_pipeline import RetryPipeline
    from workbench.model.formal.library.token_ring import TokenRing
    from workbench.model.formal.library.transaction_commit import TransactionCommit
    from workbench.model.formal.library.two_phase_commit import TwoPhaseCommit

__all__ = [
    "EWD840",
    "EWD998",
    "AlternatingBit",
    "Bakery",
    "BoundedBuffer",
    "BoundedBufferTwoQueues",
    "ChandyMisra",
    "ChangRoberts",
    "CheckoutSaga",
    "CircuitBreaker",
    "CoffeeCan",
    "Dekker",
    "DieHard",
    "DiningPhilosophers",
    "FencedLock",
    "GameOfLife",
    "Hanoi",
    "LamportMutex",
    "LeaseLock",
    "MissionariesAndCannibals",
    "OrderedPhilosophers",
    "Paxos",
    "PaxosCommit",
    "Peterson",
    "RaftElection",
    "ReadersWriters",
    "RetryPipeline",
    "SeatedPhilosophers",
    "TokenRing",
    "TransactionCommit",
    "TwoPhaseCommit",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AlternatingBit": "alternating_bit",
        "Bakery": "bakery",
        "BoundedBuffer": "bounded_buffer",
        "BoundedBufferTwoQueues": "bounded_buffer",
        "ChandyMisra": "chandy_misra",
        "ChangRoberts": "chang_roberts",
        "CheckoutSaga": "checkout_saga",
        "CircuitBreaker": "circuit_breaker",
        "CoffeeCan": "coffee_can",
        "Dekker": "dekker",
        "DieHard": "die_hard",
        "DiningPhilosophers": "dining_philosophers",
        "EWD840": "ewd840",
        "EWD998": "ewd998",
        "FencedLock": "distributed_lock",
        "GameOfLife": "game_of_life",
        "Hanoi": "hanoi",
        "LamportMutex": "lamport_mutex",
        "LeaseLock": "distributed_lock",
        "MissionariesAndCannibals": "missionaries",
        "OrderedPhilosophers": "dining_philosophers",
        "Paxos": "paxos",
        "PaxosCommit": "paxos_commit",
        "Peterson": "peterson",
        "RaftElection": "raft_election",
        "ReadersWriters": "readers_writers",
        "RetryPipeline": "retry_pipeline",
        "SeatedPhilosophers": "dining_philosophers",
        "TokenRing": "token_ring",
        "TransactionCommit": "transaction_commit",
        "TwoPhaseCommit": "two_phase_commit",
    },
)
