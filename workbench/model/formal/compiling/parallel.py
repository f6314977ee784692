"""Breadth-first search by several threads, each of which owns a part of the states.

Level by level: every thread expands its states and sorts their successors into boxes, by the thread that owns
them; then every thread takes in what lies in its boxes. No two threads ever write to the same memory, so
there are no locks and no atomic operations (U. Stern, D. Dill, Parallelizing the Murphi verifier, 1997).
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._explorations import Exploration, Found, Limits
from workbench.model.formal._models import Specification
from workbench.model.formal._watching import Watch
from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.exploring import blame, found_in, packed_start
from workbench.model.formal.compiling.machines import Machine, machine_of
from workbench.model.formal.compiling.memory import Memory, PackedStates
from workbench.model.formal.errors import NotCompilableError

__all__ = ["explore"]

Words = npt.NDArray[np.int64]
BOX = 1 << 16  # states: half a megabyte, which the processor's cache holds
NUMBER = (1 << search.TAG_SHIFT) - 1


def explore(
    declared: Specification, limits: Limits, threads: int, *, watch: Watch | None = None
) -> Exploration:
    """Explore a model breadth first by several threads.

    Limits are looked at when the threads meet, so a search may go a little beyond them. A trace is one of the
    shortest, as with one thread, but may be another one.

    Raises
    ------
    NotCompilableError
        When the model has no compiled form, or its states take more than 63 bits.
    """
    machine = machine_of(declared)
    if machine.text.layout.words > 1:
        bits = machine.text.layout.bits
        msg = f"a state of {declared.name} takes {bits} bits; threads share states of up to 63"
        raise NotCompilableError(msg)
    started, first = packed_start(machine, limits)
    team = _Team(machine, first, threads)
    try:
        bound = _run(team, limits, watch, begun=bool(started.violations))
        return team.explored(started.generated, dict(started.violations), bound)
    finally:
        team.close()


def _run(team: "_Team", limits: Limits, watch: Watch | None, *, begun: bool) -> str:
    """Explore level by level; return what ended it early."""
    ends_at = time.monotonic() + (math.inf if limits.timeout_s is None else limits.timeout_s)
    while team.begin_level():
        if limits.max_depth is not None and len(team.starts) > limits.max_depth:
            team.starts.pop()
            return f"max_depth={limits.max_depth}"
        while team.advance() != search.LEVEL:
            bound = _bound(team, limits, ends_at, begun=begun)
            if bound:
                return bound
            if watch is not None:
                watch(team.count, team.waiting, len(team.starts))
        bound = _bound(team, limits, ends_at, begun=begun)
        if bound and team.waiting:
            return bound
    return ""


def _bound(team: "_Team", limits: Limits, ends_at: float, *, begun: bool) -> str:
    if limits.stop_at_first and (begun or team.found_something()):
        return "stop_at_first"
    if limits.max_states is not None and team.count >= limits.max_states:
        return f"max_states={limits.max_states}"
    if time.monotonic() > ends_at:
        return f"timeout_s={limits.timeout_s:g}"
    if limits.memory_bytes is not None and team.bytes_held > limits.memory_bytes:
        return f"memory_bytes={limits.memory_bytes:,}"
    return ""


class _Team:
    """Threads with a memory each, and boxes between them."""

    def __init__(self, machine: Machine, first: Words, threads: int) -> None:
        self.machine = machine
        owner = _owners(first, threads)
        self.members = [Memory(machine, first[owner == number], np.int64) for number in range(threads)]
        room = BOX + self.members[0].batch * self.members[0].fanout
        self.boxes = [np.empty((threads, room), np.int64) for _ in range(threads)]
        self.parents = [np.empty((threads, room), np.int64) for _ in range(threads)]
        self.filled = np.zeros((threads, threads), np.int64)
        self.starts: list[list[int]] = []  # of each level, the number of its first state at each thread
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="formal")

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown()

    def _each(self, work: Callable[[int], Any]) -> list[Any]:
        return list(self.pool.map(work, range(len(self.members))))

    @property
    def count(self) -> int:
        """The distinct states so far."""
        return sum(member.count for member in self.members)

    @property
    def waiting(self) -> int:
        """The states that are not yet expanded."""
        return self.count - sum(int(member.control[search.NEXT]) for member in self.members)

    @property
    def bytes_held(self) -> int:
        """The memory that the states take."""
        return sum(member.bytes_held for member in self.members)

    def found_something(self) -> bool:
        """Tell whether any thread found a violation."""
        width = self.machine.text.slot_words
        return any((member.found[::width] >= 0).any() for member in self.members)

    def begin_level(self) -> bool:
        """Let what was found last be expanded next; return whether there is anything."""
        if not self.waiting:
            return False
        self.starts.append([int(member.control[search.NEXT]) for member in self.members])
        for member in self.members:
            member.control[search.LEVEL_END] = member.count
        return True

    def advance(self) -> int:
        """Go on until the level is done, or the boxes are full; return which."""
        reasons = self._each(self._scatter)
        self._look(reasons)
        for number, member in enumerate(self.members):
            while member.room < self.filled[:, number].sum():
                member.grow()
        self._look(self._each(self._gather))
        self.filled[:] = 0
        return search.AGAIN if search.AGAIN in reasons else search.LEVEL

    def _look(self, reasons: list[int]) -> None:
        for member, reason in zip(self.members, reasons, strict=True):
            if reason == search.FAILED:
                blame(self.machine.text.declared, member.states()[int(member.control[search.FAULT])])

    def _scatter(self, number: int) -> int:
        member = self.members[number]
        return int(
            search.scatter(
                self.machine.expand.address,
                member.control,
                member.queue,
                member.out,
                member.owners,
                member.taken,
                member.found,
                self.boxes[number],
                self.parents[number],
                self.filled[number],
            )
        )

    def _gather(self, number: int) -> int:
        member, reason = self.members[number], search.LEVEL
        for source in range(len(self.members)):
            found = search.gather(
                self.machine.judge.address,
                member.control,
                member.table,
                member.queue,
                member.parents,
                self.boxes[source][number],
                self.parents[source][number],
                self.filled[source, number],
                source,
                member.found,
            )
            reason = max(reason, int(found))
        return reason

    def explored(self, generated: int, violations: dict[tuple[str, str], Found], bound: str) -> Exploration:
        """Return what was found, the states of each level together."""
        held = self.bytes_held
        for member in self.members:
            member.drop_table()
        starts = np.array([*self.starts, [member.count for member in self.members]], np.int64)
        starts = starts.reshape(-1, len(self.members))
        counts = np.diff(starts, axis=0)
        if bound:  # the last level's states, and what was already found beyond it
            starts, counts = _with_rest(self, starts)
        bases = np.concatenate([[0], np.cumsum(counts.ravel())])[:-1].reshape(counts.shape)
        numbering = _Numbering(starts, bases)
        taken = sum(member.taken for member in self.members)
        return Exploration(
            states=PackedStates(self._joined(starts, counts)[:, None], self.machine.text.layout),
            parents=self._parents(numbering, starts, counts),
            levels=[int(base) for base in bases[:, 0][: len(self.starts)]],
            generated=generated + int(np.sum(taken)),
            taken=np.asarray(taken)[: len(self.machine.text.declared.instances)],
            violations=self._violations(numbering, violations),
            bound=bound,
            engine="compiled",
            memory_bytes=held,
        )

    def _joined(self, starts: Words, counts: Words) -> Words:
        parts = [
            member.queue[starts[level, number] : starts[level, number] + counts[level, number]]
            for level in range(len(counts))
            for number, member in enumerate(self.members)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _parents(self, numbering: "_Numbering", starts: Words, counts: Words) -> Words:
        parts = []
        for level in range(len(counts)):
            for number, member in enumerate(self.members):
                first = starts[level, number]
                coded = member.parents[first : first + counts[level, number]]
                known = coded >= 0
                parts.append(np.where(known, numbering.of(coded >> search.TAG_SHIFT, coded & NUMBER), -1))
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _violations(self, numbering: "_Numbering", violations: dict[tuple[str, str], Found]) -> list[Found]:
        found: list[Found] = []
        for number, member in enumerate(self.members):
            for each in found_in(self.machine, member):
                state = int(numbering.of(np.array([number]), np.array([each.state]))[0])
                found.append(Found(each.kind, each.name, state, each.instance, each.after))
        for each in sorted(found, key=lambda one: one.state):
            violations.setdefault((each.kind, each.name), each)
        return sorted(violations.values(), key=lambda one: (one.state, one.kind))


class _Numbering:
    """From a thread's own numbers of its states to those of all states together."""

    def __init__(self, starts: Words, bases: Words) -> None:
        self.starts, self.bases = starts, bases

    def of(self, threads: Words, numbers: Words) -> Words:
        """Return the numbers of states among all."""
        found = np.empty(len(numbers), np.int64)
        for thread in range(self.starts.shape[1]):
            mine = threads == thread
            own = numbers[mine]
            level = np.searchsorted(self.starts[:, thread], own, "right") - 1
            level = np.minimum(level, len(self.bases) - 1)
            found[mine] = self.bases[level, thread] + own - self.starts[level, thread]
        return found


def _with_rest(team: _Team, starts: Words) -> tuple[Words, Words]:
    """Divide what a search that ended early has found last into its level and the states beyond."""
    ends = np.array([int(member.control[search.LEVEL_END]) for member in team.members], np.int64)
    divided = np.concatenate([starts[:-1], ends[None, :], starts[-1:]])
    return divided, np.diff(divided, axis=0)


def _owners(states: Words, threads: int) -> npt.NDArray[np.int64]:
    words = states[:, 0].astype(np.uint64)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        words ^= words >> np.uint64(33)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(33)
    return (words >> np.uint64(search.OWNED_BY)).astype(np.int64) & (threads - 1)
