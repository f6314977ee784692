"""`Team`: threads that share one table of the states that they have met.

A thread keeps the states that it was the first to meet; who that was is decided by one atomic operation on
the table, so there are no locks (A. Laarman, J. van de Pol, M. Weber, Boosting multi-core reachability
performance with shared hash tables, FMCAD 2010). Memory grows only where all threads have met.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench.model.formal.compiling import _kernel_sharing as sharing
from workbench.model.formal.compiling.machines import Machine
from workbench.model.formal.compiling.memory import BATCH, MOST_MADE, doubled, recent_of

__all__ = ["Member", "Team"]

Words = npt.NDArray[np.int64]
CHUNK = 16  # batches that a thread expands before it looks up
ROUND = 64  # chunks of each thread between two meetings: some 20 ms


class Member:
    """What a thread has to itself: the states that it met first, and the room to expand a batch."""

    def __init__(self, machine: Machine, number: int, first: Words, recent: Words) -> None:
        text, words = machine.text, machine.text.layout.words
        fanout = max(1, len(text.declared.instances))
        batch = max(1, min(BATCH, MOST_MADE // fanout))
        self.chunk, self.most_made = CHUNK * batch, CHUNK * batch * fanout
        self.out = np.empty(batch * fanout * words, np.int64)
        self.owners = np.empty(batch * fanout, np.int32)
        self.recent = recent
        self.taken = np.zeros(fanout, np.int64)
        self.found = np.full(len(text.slots) * text.slot_words, -1, np.int64)
        self.here = np.zeros(sharing.FIELDS, np.int64)
        self.here[[sharing.COUNT, sharing.SELF]] = len(first), number
        self.here[[sharing.BATCH, sharing.WORDS]] = batch, words
        self.here[[sharing.SLOTS, sharing.SLOT_WORDS]] = len(text.slots), text.slot_words
        self.queue = np.empty((len(first) + self.most_made) * words, np.int64)
        self.queue[: first.size] = first.ravel()
        self.parents = np.full(len(first) + self.most_made, -1, np.int64)

    @property
    def number(self) -> int:
        """Which of the threads it is."""
        return int(self.here[sharing.SELF])

    @property
    def states(self) -> Words:
        """The words of the states that it met first."""
        return self.queue[: self.count * int(self.here[sharing.WORDS])]

    @property
    def count(self) -> int:
        """The states that it met first."""
        return int(self.here[sharing.COUNT])

    def grow(self) -> None:
        """Make room for what follows a chunk."""
        while self.count + self.most_made > len(self.parents):
            self.queue = doubled(self.queue, self.count * int(self.here[sharing.WORDS]))
            self.parents = doubled(self.parents, self.count)


class Team:
    """Threads, what they share, and the level that they are at."""

    def __init__(self, machine: Machine, first: Words, threads: int, *, stop_at_first: bool) -> None:
        self.machine = machine
        parts = np.array_split(first, threads)
        self.members = [
            Member(machine, number, part, recent_of(first.ravel(), machine.text.layout.words))
            for number, part in enumerate(parts)
        ]
        for member in self.members:
            member.here[sharing.STOP] = stop_at_first
        self.starts: list[list[int]] = []  # of each level, the number of its first state at each thread
        self.ends = [0] * threads  # of the level that is expanded
        self.chunks = np.empty((0, 3), np.int64)
        self.cursor = np.zeros(1, np.int64)  # the next chunk that no thread has taken
        self.table = np.zeros(0, np.int64)
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="formal")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.pool.shutdown()

    @property
    def counts(self) -> list[int]:
        """The distinct states so far, by the thread that met them first."""
        return [member.count for member in self.members]

    @property
    def count(self) -> int:
        """The distinct states so far."""
        return sum(self.counts)

    @property
    def has_chunks(self) -> bool:
        """Whether states of the level are left to expand."""
        return int(self.cursor[0]) < len(self.chunks)

    @property
    def waiting(self) -> int:
        """The states that are not yet expanded."""
        left = self.chunks[int(self.cursor[0]) :]
        return int((left[:, sharing.TO] - left[:, sharing.FROM]).sum()) + self.count - sum(self.ends)

    @property
    def bytes_held(self) -> int:
        """The memory that the states take."""
        return self.table.nbytes + sum(member.queue.nbytes + member.parents.nbytes for member in self.members)

    def each(self, work: Callable[[Member], Any]) -> list[Any]:
        """Have each thread do something with what is its own."""
        return list(self.pool.map(work, self.members))

    def found_something(self) -> bool:
        """Tell whether any thread found a violation."""
        width = self.machine.text.slot_words
        return any((member.found[::width] >= 0).any() for member in self.members)

    def begin_level(self) -> bool:
        """Let what was found last be expanded next; return whether there is anything."""
        starts, self.ends = self.ends, self.counts
        if starts == self.ends:
            return False
        self.starts.append(starts)
        self.chunks, self.cursor[0] = self._divided(starts), 0
        return True

    def advance(self) -> Any:
        """Let all threads expand chunks until they meet; return the state that one cannot expand."""
        self._make_room()
        first = int(self.cursor[0])
        chunks = self.chunks[first : first + ROUND * len(self.members)]
        cursor = np.zeros(1, np.int64)
        queues = self._queues()

        def work(member: Member) -> int:
            at = self.machine.expand.address, self.machine.judge.address
            own = member.parents, member.out, member.owners, member.taken, member.found
            shared = member.here, chunks, cursor, queues, member.recent, self.table
            return int(sharing.share(*at, *shared, *own))

        reasons = self.each(work)
        self.cursor[0] = first + min(int(cursor[0]), len(chunks))
        for member, reason in zip(self.members, reasons, strict=True):
            if reason == sharing.FAILED:
                return self.state(int(member.here[sharing.FAULT]))
        return None

    def state(self, coded: int) -> Words:
        """Return the words of a state, of which a number says whose it is."""
        words, own = self.machine.text.layout.words, coded & sharing.OWN
        queue = self.members[coded >> sharing.THREAD_SHIFT].queue
        return queue[words * own : words * (own + 1)]

    def drop_table(self) -> None:
        """Give back the memory of the table: the search is over."""
        self.table = np.zeros(0, np.int64)

    def _divided(self, starts: list[int]) -> Words:
        """Divide a level into chunks: the first of each thread, the second of each, ..."""
        size = max(1, min(self.members[0].chunk, -(-self.count // (4 * len(self.members)))))
        parts = []
        for number, (start, end) in enumerate(zip(starts, self.ends, strict=True)):
            firsts = np.arange(start, end, size, dtype=np.int64)
            parts.append(np.stack([np.full_like(firsts, number), firsts, np.minimum(firsts + size, end)], 1))
        order = np.concatenate([np.arange(len(part)) for part in parts])
        return np.ascontiguousarray(np.concatenate(parts)[np.argsort(order, kind="stable")])

    def _queues(self) -> Words:
        return np.array([member.queue.ctypes.data for member in self.members], np.int64)

    def _make_room(self) -> None:
        """Let memory grow until each thread can expand a chunk; share what room there is among them."""
        self.each(Member.grow)
        threads, most_made = len(self.members), self.members[0].most_made
        needed = 2 * (self.count + threads * most_made)
        if needed > len(self.table):
            self.table = np.zeros(1 << needed.bit_length(), np.int64)
            queues = self._queues()
            self.each(lambda own: sharing.insert_shared(own.here, queues, self.table))
        room = (len(self.table) // 2 - self.count) // threads
        for member in self.members:
            most = min(len(member.parents), member.count + room)
            member.here[sharing.MOST] = most - most_made
