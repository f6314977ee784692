"""Breadth-first search by the compiled engine: memory that grows, limits, and what was found."""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.compiling.machines import Machine, machine_of
from workbench.model.formal.errors import FormalError
from workbench.model.formal.explorations import Edges, Exploration, Found, Limits
from workbench.model.formal.interpreting.exploring import Search
from workbench.model.formal.interpreting.steps import successors, truth
from workbench.model.formal.models import Frozen, Specification
from workbench.model.formal.watching import Watch

__all__ = ["PackedStates", "explore", "explore_graph"]

Words = npt.NDArray[np.int64]
BATCH = 64  # states expanded together
MOST_MADE = 1 << 16  # successors of a batch
LATEST = np.iinfo(np.int64).max


class PackedStates(Sequence[Frozen]):
    """States in words, unpacked when they are asked for."""

    def __init__(self, words: Words, layout: StateLayout) -> None:
        self.words, self.layout = words, layout

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, number: Any) -> Any:
        return self.layout.unpack(self.words[number])


class _Memory:
    """The arrays of a search; they double when they are full."""

    def __init__(self, machine: Machine, first: Words) -> None:
        self.machine = machine
        self.words = machine.text.layout.words
        fanout = max(1, len(machine.text.declared.instances))
        self.batch = max(1, min(BATCH, MOST_MADE // fanout))
        made = self.batch * fanout
        self.out = np.empty(made * self.words, np.int64)
        self.owners = np.empty(made, np.int32)
        self.taken = np.zeros(fanout, np.int64)
        self.slots = len(machine.text.slots)
        self.found = np.full(self.slots * machine.text.slot_words, -1, np.int64)
        capacity = 1 << max(12, int(math.log2(len(first) + 2 * made)) + 1)
        self.queue = np.empty(capacity * self.words, np.int64)
        self.queue[: first.size] = first.ravel()
        self.parents = np.empty(capacity, np.int32)
        self.parents[: len(first)] = -1
        self.table = np.zeros(2 * capacity, np.int64)
        self.control = np.zeros(12, np.int64)
        self.control[[search.COUNT, search.BATCH, search.FANOUT]] = len(first), self.batch, fanout
        self.control[[search.WORDS, search.KEY_WORDS]] = self.words
        self.control[[search.SLOTS, search.SLOT_WORDS]] = self.slots, machine.text.slot_words
        self._fill()

    @property
    def count(self) -> int:
        """The distinct states so far."""
        return int(self.control[search.COUNT])

    @property
    def bytes_held(self) -> int:
        """The memory that the states take."""
        return self.queue.nbytes + self.parents.nbytes + self.table.nbytes

    def _fill(self) -> None:
        if self.words == 1:
            search.insert(self.table, self.queue, self.count)
        else:
            search.insert_wide(self.table, self.queue, self.words, self.count)

    def grow(self) -> None:
        """Double the memory; the table is made again of the states."""
        size = len(self.table)
        del self.table
        for name in ("queue", "parents"):
            old = getattr(self, name)
            new = np.empty(2 * len(old), old.dtype)
            used = self.count * (self.words if name == "queue" else 1)
            new[:used] = old[:used]
            setattr(self, name, new)
            del old
        self.table = np.zeros(2 * size, np.int64)
        self._fill()

    def advance(self) -> int:
        """Go on until the level is done or something must be decided."""
        at = self.machine.expand.address, self.machine.judge.address
        if self.words == 1:
            shared = self.parents, self.out, self.owners, self.taken, self.found
            return int(search.advance(*at, self.control, self.table, self.queue, *shared))
        return int(
            search.advance_wide(
                *at,
                self.control,
                self.table,
                self.queue,
                self.queue,
                self.parents,
                self.out,
                self.out,
                self.owners,
                self.taken,
                self.found,
            )
        )

    def edges(self) -> tuple[Words, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return all steps: where each state's begin, where they lead, and by which action instances."""
        at = self.machine.expand.address
        taken, found = np.zeros_like(self.taken), np.zeros_like(self.found)
        starts = np.zeros(self.count + 1, np.int64)
        shared = self.queue, self.out, self.out, self.owners, taken, found
        fault = search.measure(at, self.control, *shared, starts)
        if fault >= 0:
            msg = f"state {fault} cannot be expanded again"
            raise FormalError(msg)
        table = np.zeros(len(self.table), np.int64)
        search.insert_wide(table, self.queue, self.words, self.count)
        targets, labels = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
        search.connect(at, self.control, table, *shared, targets, labels)
        return starts, targets, labels

    def states(self) -> PackedStates:
        """Return the states found so far."""
        words = self.queue[: self.count * self.words].reshape(-1, self.words)
        return PackedStates(words, self.machine.text.layout)


def explore(declared: Specification, limits: Limits, *, watch: Watch | None = None) -> Exploration:
    """Explore a model breadth first, by its compiled form.

    Raises
    ------
    NotCompilableError
        When the model has no compiled form.
    """
    return _explored(declared, limits, watch)[0]


def explore_graph(declared: Specification, limits: Limits, *, watch: Watch | None = None) -> Edges:
    """Explore a model, and return all steps between the states that were found.

    Raises
    ------
    NotCompilableError
        When the model has no compiled form.
    """
    explored, memory = _explored(declared, limits, watch)
    starts, targets, labels = memory.edges()
    return Edges(explored, starts, targets, labels)


def _explored(declared: Specification, limits: Limits, watch: Watch | None) -> tuple[Exploration, "_Memory"]:
    machine = machine_of(declared)
    started = Search(declared, lambda state: state, limits)
    for state in declared.initial():
        started.meet(state, -1, None)
    words = [machine.text.layout.pack(state) for state in started.states]
    memory = _Memory(machine, np.array(words, np.int64).reshape(-1, machine.text.layout.words))
    run = _Run(machine, memory, limits, started, watch)
    run.run()
    explored = Exploration(
        states=memory.states(),
        parents=memory.parents[: memory.count],
        levels=run.levels,
        generated=started.generated + int(memory.taken.sum()),
        taken=memory.taken[: len(declared.instances)].copy(),
        violations=run.violations(),
        bound=run.bound,
        engine="compiled",
    )
    return explored, memory


class _Run:
    """A search level by level, until everything was seen or a limit ends it."""

    def __init__(
        self, machine: Machine, memory: _Memory, limits: Limits, started: Search, watch: Watch | None
    ) -> None:
        self.machine, self.memory, self.limits, self.started, self.watch = (
            machine,
            memory,
            limits,
            started,
            watch,
        )
        self.declared = machine.text.declared
        self.bound = ""
        self.levels = [0] if memory.count else []
        self.ends_at = time.monotonic() + (math.inf if limits.timeout_s is None else limits.timeout_s)
        memory.control[search.STOP_COUNT] = LATEST if limits.max_states is None else limits.max_states
        memory.control[search.STOP] = limits.stop_at_first
        memory.control[search.LEVEL_END] = memory.count

    @property
    def position(self) -> int:
        """The number of the next state to be expanded."""
        return int(self.memory.control[search.NEXT])

    def run(self) -> None:
        """Explore."""
        self._look_at_start()
        while not self.bound and self.position < self.memory.count:
            if self.limits.max_depth is not None and len(self.levels) >= self.limits.max_depth:
                self.bound = f"max_depth={self.limits.max_depth}"
                return
            self._go_on()
            if self.position == self.memory.control[search.LEVEL_END] < self.memory.count:
                self.levels.append(self.position)
                self.memory.control[search.LEVEL_END] = self.memory.count

    def _look_at_start(self) -> None:
        if self.limits.stop_at_first and self.started.violations:
            self.bound = "stop_at_first"
        elif self.limits.max_states is not None and self.memory.count >= self.limits.max_states:
            self.bound = f"max_states={self.limits.max_states}"

    def _go_on(self) -> None:
        reason = self.memory.advance()
        if reason == search.FAILED:
            self._blame(int(self.memory.control[search.FAULT]))
        if reason == search.GROW:
            self._grow()
        self._cut()
        if not self.bound and time.monotonic() > self.ends_at:
            self.bound = f"timeout_s={self.limits.timeout_s:g}"
        if self.watch is not None:
            self.watch(self.memory.count, self.memory.count - self.position, len(self.levels))

    def _grow(self) -> None:
        most = self.limits.memory_bytes
        if most is not None and 2 * self.memory.bytes_held > most:
            self.bound = f"memory_bytes={most:,}"
        else:
            self.memory.grow()

    def _cut(self) -> None:
        """End where the interpreted engine would: after the state whose successors reached a limit."""
        last, bound = LATEST, ""
        if self.limits.max_states is not None and self.memory.count >= self.limits.max_states:
            last = int(self.memory.parents[self.limits.max_states - 1])
            bound = f"max_states={self.limits.max_states}"
        if self.limits.stop_at_first:
            for found in self._slots():
                at = (
                    int(self.memory.parents[found.state])
                    if found.kind == "invariant" and found.instance is None
                    else found.state
                )
                if at <= last:
                    last, bound = at, "stop_at_first"
        if bound:
            self._end_after(last)
            if self.position < self.memory.count:
                self.bound = bound

    def _end_after(self, last: int) -> None:
        """Forget what was found by expanding the states after one."""
        memory, control = self.memory, self.memory.control
        beyond = self.position - (last + 1)
        if beyond > 0:
            counted = np.zeros_like(memory.taken)
            unseen = np.zeros_like(memory.found)
            at = memory.queue.ctypes.data + 8 * memory.words * (last + 1)
            self.machine.expand.ctypes(
                at,
                beyond,
                last + 1,
                memory.out.ctypes.data,
                memory.out.ctypes.data,
                memory.owners.ctypes.data,
                counted.ctypes.data,
                unseen.ctypes.data,
            )
            memory.taken -= counted
        control[search.NEXT] = last + 1
        control[search.COUNT] = int(np.searchsorted(memory.parents[: memory.count], last, "right"))

    def _slots(self) -> list[Found]:
        """Return what the compiled functions found, as far as it was not cut off."""
        text, words = self.machine.text, self.memory.found.reshape(-1, self.machine.text.slot_words)
        found: list[Found] = []
        for (kind, name), (state, instance, *after) in zip(text.slots, words.tolist(), strict=True):
            if state < 0 or state >= (self.memory.count if kind == "invariant" else self.position):
                continue
            if kind in ("deadlock", "invariant"):
                found.append(Found(kind, name, state))
            elif kind == "assertion":
                found.append(Found(kind, name, state, instance))
            else:
                shown = "invariant" if kind == "left out" else kind
                found.append(Found(shown, name, state, instance, text.layout.unpack(after)))
        return found

    def violations(self) -> list[Found]:
        """Return the first violation of each property, in the order of their discovery."""
        kept = dict(self.started.violations)
        for found in sorted(self._slots(), key=self._discovered):
            kept.setdefault((found.kind, found.name), found)
        return sorted(kept.values(), key=lambda found: (found.state, found.kind))

    def _discovered(self, found: Found) -> tuple[int, int]:
        """Return when a violation was met: while which state was expanded, and there after the steps."""
        if found.kind == "invariant" and found.instance is None:
            return int(self.memory.parents[found.state]), 0
        return found.state, 1

    def _blame(self, number: int) -> None:
        """Let the interpreted engine say what is wrong around a state."""
        state = self.memory.states()[number]
        for member in self.declared.of_kind("terminal"):
            truth(self.declared, member, state)
        for _, after in successors(self.declared, state):
            if isinstance(after, tuple):
                for kind in ("constraint", "invariant"):
                    for member in self.declared.of_kind(kind):
                        truth(self.declared, member, after)
                for member in self.declared.of_kind("action property"):
                    truth(self.declared, member, state, after)
        msg = f"{self.declared.name}: the two engines disagree about what follows {self.declared.show(state)}"
        raise FormalError(msg)
