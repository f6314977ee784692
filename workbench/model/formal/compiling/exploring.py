"""Breadth-first search by the compiled engine: memory that grows, limits, and what was found."""

import math
import time
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from workbench.model.formal._explorations import Edges, Exploration, Found, Limits, States
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal._storages import EXACT, Storage
from workbench.model.formal._watching import Watch
from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.checkpoints import put_aside, taken_up
from workbench.model.formal.compiling.clusters import Cluster
from workbench.model.formal.compiling.machines import Machine, machine_of
from workbench.model.formal.compiling.memory import Memory
from workbench.model.formal.compiling.programs import Alike, Text
from workbench.model.formal.compiling.ways import ways_to
from workbench.model.formal.errors import FormalError
from workbench.model.formal.interpreting.exploring import Canonical, Search
from workbench.model.formal.interpreting.steps import successors, truth

__all__ = ["blame", "explore", "explore_graph", "found_in", "packed_start"]

SAVE_EVERY_S = 60.0
LATEST = np.iinfo(np.int64).max


def explore(  # noqa: PLR0913
    declared: Specification,
    limits: Limits,
    *,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    executor: Executor | None = None,
    alike: Alike = "",
    canonical: Canonical = lambda state: state,
    storage: Storage = EXACT,
) -> Exploration:
    """Explore a model breadth first, by its compiled form.

    Parameters
    ----------
    alike, canonical
        Which states count as the same, by name and by a function that maps those to one key.
    storage
        What is kept of the states.

    Raises
    ------
    NotCompilableError
        When the model has no compiled form.
    CheckpointError
        When the checkpoint is damaged, or another model's.
    """
    machine = machine_of(declared, alike)
    started, first = packed_start(machine, limits, canonical)
    memory = Memory(machine, first, storage=storage)
    run = _Run(machine, memory, limits, started, watch)
    if executor is not None:
        run.advance = Cluster(memory, executor).advance
    if checkpoint is None:
        run.run()
    else:
        run.run_with(checkpoint)
    return _all_kept(run) if storage == EXACT else _found_again(run, first)


def explore_graph(declared: Specification, limits: Limits, *, watch: Watch | None = None) -> Edges:
    """Explore a model, and return all steps between the states that were found.

    Raises
    ------
    NotCompilableError
        When the model has no compiled form.
    """
    machine = machine_of(declared)
    started, first = packed_start(machine, limits)
    memory = Memory(machine, first)
    run = _Run(machine, memory, limits, started, watch)
    run.run()
    return Edges(_all_kept(run), *memory.edges())


def _all_kept(run: "_Run") -> Exploration:
    return run.explored(run.memory.states(), run.memory.parents[: run.memory.count])


def _found_again(run: "_Run", first: npt.NDArray[np.int64]) -> Exploration:
    """Return what a search found that let its states go; those on the way to violations are found again."""
    memory = run.memory
    wanted = {found.state for found in (*run.started.violations.values(), *run.found())}
    ways = ways_to(run.machine, memory.storage, first, memory.count, wanted)
    run.parent = ways.parents.__getitem__
    return run.explored(ways, ways.parents)


def packed_start(
    machine: Machine, limits: Limits, canonical: Canonical = lambda state: state
) -> tuple[Search, npt.NDArray[np.int64]]:
    """Return the initial states, as the interpreted engine meets them, and their words."""
    started = Search(machine.text.declared, canonical, limits)
    for state in machine.text.declared.initial():
        started.meet(state, -1, None)
    words = [machine.text.layout.pack(state) for state in started.states]
    return started, np.array(words, np.int64).reshape(-1, machine.text.layout.words)


class _Run:
    """A search level by level, until everything was seen or a limit ends it."""

    def __init__(
        self, machine: Machine, memory: Memory, limits: Limits, started: Search, watch: Watch | None
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
        self.checkpoint: Path | None = None
        self.advance, self.parent = memory.advance, memory.parent
        self.saved_at = time.monotonic()
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
            self._begin_level()

    def run_with(self, path: Path) -> None:
        """Explore, beginning where a checkpoint ended; leave one behind unless everything was seen."""
        self.levels = taken_up(path, self.memory) or self.levels
        self.checkpoint = path
        try:
            self._begin_level()
            self.run()
        except BaseException:
            put_aside(path, self.memory, self.levels)
            raise
        if self.bound:
            put_aside(path, self.memory, self.levels)
        else:
            path.unlink(missing_ok=True)

    def _begin_level(self) -> None:
        if self.position == self.memory.control[search.LEVEL_END] < self.memory.count:
            self.levels.append(self.position)
            self.memory.begin_level()

    def _look_at_start(self) -> None:
        if self.limits.stop_at_first and self.started.violations:
            self.bound = "stop_at_first"
        elif self.limits.max_states is not None and self.memory.count >= self.limits.max_states:
            self.bound = f"max_states={self.limits.max_states}"

    def _go_on(self) -> None:
        reason = self.advance()
        if reason == search.FAILED:
            blame(self.declared, self.memory.state(int(self.memory.control[search.FAULT])))
        if reason == search.GROW:
            self._grow()
        self._cut()
        if not self.bound and time.monotonic() > self.ends_at:
            self.bound = f"timeout_s={self.limits.timeout_s:g}"
        if self.checkpoint is not None and time.monotonic() > self.saved_at + SAVE_EVERY_S:
            put_aside(self.checkpoint, self.memory, self.levels)
            self.saved_at = time.monotonic()
        if self.watch is not None:
            self.watch(self.memory.count, self.memory.count - self.position, len(self.levels))

    def _grow(self) -> None:
        most = self.limits.memory_bytes
        if most is not None and self.memory.bytes_after_growing > most:
            self.bound = f"memory_bytes={most:,}"
        else:
            self.memory.grow()

    def _cut(self) -> None:
        """End where the interpreted engine would: after the state whose successors reached a limit."""
        last, bound = LATEST, ""
        if self.limits.max_states is not None and self.memory.count >= self.limits.max_states:
            last = self.parent(self.limits.max_states - 1)
            bound = f"max_states={self.limits.max_states}"
        if self.limits.stop_at_first:
            for found in self.found():
                at = (
                    self.parent(found.state)
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
            self.machine.expand.ctypes(
                memory.words_of(last + 1).ctypes.data,
                beyond,
                last + 1,
                memory.out.ctypes.data,
                memory.out_keys.ctypes.data,
                memory.owners.ctypes.data,
                counted.ctypes.data,
                unseen.ctypes.data,
            )
            memory.taken -= counted
        control[search.NEXT] = last + 1
        found = memory.parents[memory.control[search.LEVEL_END] - memory.base : memory.count - memory.base]
        control[search.COUNT] = control[search.LEVEL_END] + np.searchsorted(
            found, last - memory.base, "right"
        )

    def violations(self) -> list[Found]:
        """Return the first violation of each property, in the order of their discovery."""
        kept = dict(self.started.violations)
        for found in sorted(self.found(), key=self._discovered):
            kept.setdefault((found.kind, found.name), found)
        return sorted(kept.values(), key=lambda found: (found.state, found.kind))

    def found(self) -> list[Found]:
        """Return what the compiled functions found, as far as it was not cut off."""
        ends = {True: self.memory.count, False: self.position}
        return [
            found
            for found in found_in(self.machine.text, self.memory.found)
            if found.state < ends[found.kind == "invariant" and found.instance is None]
        ]

    def _discovered(self, found: Found) -> tuple[int, int]:
        """Return when a violation was met: while which state was expanded, and there after the steps."""
        if found.kind == "invariant" and found.instance is None:
            return self.parent(found.state), 0
        return found.state, 1

    def explored(self, states: States, parents: Any) -> Exploration:
        """Return what was found, given the states and how each was reached."""
        memory = self.memory
        return Exploration(
            states=states,
            parents=parents,
            levels=self.levels,
            generated=self.started.generated + int(memory.taken.sum()),
            taken=memory.taken[: len(self.declared.instances)].copy(),
            violations=self.violations(),
            bound=self.bound,
            engine="compiled",
            memory_bytes=memory.bytes_held,
            omissions=memory.omissions(),
        )


def found_in(text: Text, found: npt.NDArray[np.int64]) -> list[Found]:
    """Return what the compiled functions found."""
    kept: list[Found] = []
    for (kind, name), (state, instance, *after) in zip(
        text.slots, found.reshape(-1, text.slot_words).tolist(), strict=True
    ):
        if state < 0:
            continue
        if kind in ("deadlock", "invariant"):
            kept.append(Found(kind, name, state))
        elif kind == "assertion":
            kept.append(Found(kind, name, state, instance))
        else:
            shown = "invariant" if kind == "left out" else kind
            kept.append(Found(shown, name, state, instance, text.layout.unpack(after)))
    return kept


def blame(declared: Specification, state: Frozen) -> NoReturn:
    """Let the interpreted engine say what is wrong around a state.

    Raises
    ------
    ActionError
        What it says.
    FormalError
        When it finds nothing wrong: then the engines disagree.
    """
    for member in declared.of_kind("terminal"):
        truth(declared, member, state)
    for _, after in successors(declared, state):
        if isinstance(after, tuple):
            for kind in ("constraint", "invariant"):
                for member in declared.of_kind(kind):
                    truth(declared, member, after)
            for member in declared.of_kind("action property"):
                truth(declared, member, state, after)
            for member in declared.of_kind("view"):
                truth(declared, member, after)
    msg = f"{declared.name}: the two engines disagree about what follows {declared.show(state)}"
    raise FormalError(msg)
