"""Who goes on after an operation that never returned: a process of another name.

A process that lost an answer goes on, while what it asked may still happen. In a history that takes two
processes; the second of ``worker`` is ``worker (2)``.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

__all__ = ["Draft", "succeeding"]


class Draft(NamedTuple):
    """An operation whose process may have lost an answer before."""

    process: Hashable
    call_s: float
    return_s: float | None
    asked: tuple[Any, ...]
    told: Any


def succeeding(drafts: list[Draft]) -> list[Draft]:
    """Return operations by their calls, each of a process that lost no answer before."""
    lives: dict[Hashable, int] = {}
    found = []
    for draft in sorted(drafts, key=lambda each: each.call_s):
        life = lives.setdefault(draft.process, 1)
        found.append(draft if life == 1 else draft._replace(process=f"{draft.process} ({life})"))
        lives[draft.process] += draft.return_s is None
    return found
