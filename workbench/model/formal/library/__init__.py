"""Shipped models: puzzles, locks, protocols, and the policies of this library as models.

A model that has parameters is a function that returns a class: `TwoPhaseCommit(rm=3)`.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.model.formal.library.alternating_bit import AlternatingBit
    from workbench.model.formal.library.bakery import Bakery
    from workbench.model.formal.library.chandy_misra import ChandyMisra
    from workbench.model.formal.library.chang_roberts import ChangRoberts
    from workbench.model.formal.library.coffee_can import CoffeeCan
    from workbench.model.formal.library.dekker import Dekker
    from workbench.model.formal.library.die_hard import DieHard
    from workbench.model.formal.library.dining_philosophers import (
        DiningPhilosophers,
        OrderedPhilosophers,
        SeatedPhilosophers,
    )
    from workbench.model.formal.library.ewd840 import EWD840
    from workbench.model.formal.library.game_of_life import GameOfLife
    from workbench.model.formal.library.hanoi import Hanoi
    from workbench.model.formal.library.missionaries import MissionariesAndCannibals
    from workbench.model.formal.library.peterson import Peterson
    from workbench.model.formal.library.readers_writers import ReadersWriters
    from workbench.model.formal.library.token_ring import TokenRing
    from workbench.model.formal.library.transaction_commit import TransactionCommit
    from workbench.model.formal.library.two_phase_commit import TwoPhaseCommit

__all__ = [
    "EWD840",
    "AlternatingBit",
    "Bakery",
    "ChandyMisra",
    "ChangRoberts",
    "CoffeeCan",
    "Dekker",
    "DieHard",
    "DiningPhilosophers",
    "GameOfLife",
    "Hanoi",
    "MissionariesAndCannibals",
    "OrderedPhilosophers",
    "Peterson",
    "ReadersWriters",
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
        "ChandyMisra": "chandy_misra",
        "ChangRoberts": "chang_roberts",
        "CoffeeCan": "coffee_can",
        "Dekker": "dekker",
        "DieHard": "die_hard",
        "DiningPhilosophers": "dining_philosophers",
        "EWD840": "ewd840",
        "GameOfLife": "game_of_life",
        "Hanoi": "hanoi",
        "MissionariesAndCannibals": "missionaries",
        "OrderedPhilosophers": "dining_philosophers",
        "Peterson": "peterson",
        "ReadersWriters": "readers_writers",
        "SeatedPhilosophers": "dining_philosophers",
        "TokenRing": "token_ring",
        "TransactionCommit": "transaction_commit",
        "TwoPhaseCommit": "two_phase_commit",
    },
)
