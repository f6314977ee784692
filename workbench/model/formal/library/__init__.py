"""Shipped models: puzzles, locks, protocols, and the policies of this library as models.

A model that has parameters is a function that returns a class: `TwoPhaseCommit(rm=3)`.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.model.formal.library.die_hard import DieHard
    from workbench.model.formal.library.dining_philosophers import (
        DiningPhilosophers,
        OrderedPhilosophers,
        SeatedPhilosophers,
    )
    from workbench.model.formal.library.peterson import Peterson
    from workbench.model.formal.library.two_phase_commit import TwoPhaseCommit

__all__ = [
    "DieHard",
    "DiningPhilosophers",
    "OrderedPhilosophers",
    "Peterson",
    "SeatedPhilosophers",
    "TwoPhaseCommit",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DieHard": "die_hard",
        "DiningPhilosophers": "dining_philosophers",
        "OrderedPhilosophers": "dining_philosophers",
        "Peterson": "peterson",
        "SeatedPhilosophers": "dining_philosophers",
        "TwoPhaseCommit": "two_phase_commit",
    },
)
