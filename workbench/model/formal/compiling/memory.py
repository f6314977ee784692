"""The memory of a search: states in the order of their discovery, how each was reached, a table of all."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._models import Frozen
from workbench.model.formal._storages import EXACT, Omissions, Storage, omissions_of
from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling._kernel_recent import RECENT
from workbench.model.formal.compiling._kernel_tables import insert_wide
from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.compiling.machines import Machine
from workbench.model.formal.compiling.visited import visited_by
from workbench.model.formal.errors import FormalError

__all__ = ["BATCH", "MOST_MADE", "Memory", "PackedStates", "doubled", "recent_of"]

Words = npt.NDArray[np.int64]
BATCH = 64  # states expanded together
MOST_MADE = 1 << 16  # successors of a batch


class PackedStates(Sequence[Frozen]):
    """States in words, unpacked when they are asked for."""

    def __init__(self, words: Words, layout: StateLayout) -> None:
        self.words, self.layout = words, layout

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, number: Any) -> Any:
        return self.layout.unpack(self.words[number])


class Memory:
    """The arrays of a search; they double when they are full.

    Where whole keys are kept, `queue` holds all states. Otherwise it holds those of the level that is
    expanded, and of the next one: it begins with the state of number `base`, from which parents are counted.
    """

    def __init__(
        self, machine: Machine, first: Words, parents: Any = np.int32, storage: Storage = EXACT
    ) -> None:
        self.machine, self.storage = machine, storage
        text = machine.text
        self.words, self.key_words = text.layout.words, text.key_words
        self.fanout = fanout = max(1, len(text.declared.instances))
        self.batch = max(1, min(BATCH, MOST_MADE // fanout))
        self.most = self.batch * fanout
        self.out = np.empty(self.most * self.words, np.int64)
        self.out_keys = np.empty(self.most * self.key_words, np.int64) if text.keyed else self.out
        self.owners = np.empty(self.most, np.int32)
        self.taken = np.zeros(fanout, np.int64)
        self.found = np.full(len(text.slots) * text.slot_words, -1, np.int64)
        self._make(first, parents)
        self._make_control(len(first))

    def _make(self, first: Words, parents: Any) -> None:
        room = 1 << max(12, int(math.log2(len(first) + 2 * self.most)) + 1)
        self.queue = np.empty(room * self.words, np.int64)
        self.queue[: first.size] = first.ravel()
        self.parents = np.empty(room, parents)
        self.parents[: len(first)] = -1
        keys = self._keys_of(first)
        self.own_keys = self.machine.text.keyed and self.storage == EXACT
        self.keys = np.empty(room * self.key_words, np.int64) if self.own_keys else self.queue
        if self.own_keys:
            self.keys[: keys.size] = keys
        self.visited = visited_by(self.storage, self.key_words, room, short=self.machine.text.short_keys)
        self.visited.learn(keys, len(first))
        self.recent = recent_of(keys, self.key_words)

    def _make_control(self, count: int) -> None:
        text = self.machine.text
        self.control = np.zeros(search.CONTROL, np.int64)
        self.control[[search.COUNT, search.BATCH, search.FANOUT]] = count, self.batch, self.fanout
        self.control[[search.WORDS, search.KEY_WORDS]] = self.words, self.key_words
        self.control[[search.SLOTS, search.SLOT_WORDS]] = len(text.slots), text.slot_words
        self.control[[search.KIND, search.ROOM]] = self.visited.kind, self.visited.room

    def _keys_of(self, first: Words) -> Words:
        return self.machine.keys_of(first) if self.machine.text.keyed else first.ravel()

    @property
    def count(self) -> int:
        """The distinct states so far."""
        return int(self.control[search.COUNT])

    @property
    def base(self) -> int:
        """The number of the state with which the queue begins."""
        return int(self.control[search.BASE])

    @property
    def table(self) -> Words:
        """The memory of the table."""
        return self.visited.table

    @property
    def bytes_held(self) -> int:
        """The memory that the states take."""
        return self._bytes_of_arrays + self.table.nbytes

    @property
    def _bytes_of_arrays(self) -> int:
        return self.queue.nbytes + self.parents.nbytes + (self.keys.nbytes if self.own_keys else 0)

    @property
    def bytes_after_growing(self) -> int:
        """The memory that the states will take when it has grown once."""
        arrays = self._bytes_of_arrays * (2 if self._queue_is_full else 1)
        return arrays + (self.visited.bytes_after_growing if self._table_is_full else self.table.nbytes)

    @property
    def room(self) -> int:
        """How many states can be taken in before memory has to grow."""
        return min(len(self.queue) // self.words + self.base, self.visited.room) - self.count

    @property
    def _queue_is_full(self) -> bool:
        return self.count - self.base + self.most > len(self.queue) // self.words

    @property
    def _table_is_full(self) -> bool:
        return self.count + self.most > self.visited.room

    def grow(self) -> None:
        """Double what is full; a table of whole keys is made again of them."""
        queue, table = self._queue_is_full, self._table_is_full
        if not (queue or table):  # the caller needs more room than a batch
            queue = table = True
        if table:
            self.visited.release()
        if queue:
            self._grow_arrays()
        if table:
            self.visited.grow(self.keys, self.count)
            self.control[search.ROOM] = self.visited.room

    def _grow_arrays(self) -> None:
        held = self.count - self.base
        if self.own_keys:
            self.keys = doubled(self.keys, held * self.key_words)
            self.queue = doubled(self.queue, held * self.words)
        else:
            self.queue = self.keys = doubled(self.queue, held * self.words)
        self.parents = doubled(self.parents, held)

    def begin_level(self) -> None:
        """Let what was found last be expanded next; states that are done with go, unless all are kept."""
        control, count = self.control, self.count
        control[search.LEVEL_END] = count
        if self.storage == EXACT:
            return
        done, held = int(control[search.NEXT]) - self.base, count - self.base
        self.queue[: (held - done) * self.words] = self.queue[done * self.words : held * self.words]
        self.parents[: held - done] = self.parents[done:held]
        control[search.BASE] = control[search.NEXT]

    def absorb(self, made: Words, came_from: Words) -> int:
        """Take in successors that were made elsewhere, with the numbers of the states that they follow."""
        at = self.machine.judge.address
        shared = self.control, self.table, self.queue, self.parents
        return int(search.absorb(at, *shared, made, came_from, self.found))

    def restore(self, queue: Words, parents: Any, taken: Words, found: Words) -> None:
        """Take over the states of a search that was put aside."""
        count = len(parents)
        self.control[search.COUNT] = 0
        while len(self.parents) < 2 * count + self.most:
            self.grow()
        self.queue[: len(queue)], self.parents[:count] = queue, parents
        self.taken[:], self.found[:] = taken, found
        self.control[search.COUNT] = count
        self.visited.learn(self.keys, count)

    def drop_table(self) -> None:
        """Give back the memory of the table: the search is over."""
        self.visited.release()

    def advance(self) -> int:
        """Go on until the level is done or something must be decided."""
        return int(
            search.advance(
                self.machine.expand.address,
                self.machine.judge.address,
                self.control,
                self.recent,
                self.table,
                self.visited.shape,
                self.queue,
                self.keys,
                self.parents,
                self.out,
                self.out_keys,
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
        insert_wide(table, self.queue, self.words, self.count)
        targets, labels = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
        search.connect(at, self.control, table, *shared, targets, labels)
        return starts, targets, labels

    def words_of(self, number: int) -> Words:
        """Return the words of a state that is held."""
        at = (number - self.base) * self.words
        return self.queue[at : at + self.words]

    def omissions(self) -> Omissions | None:
        """Return what the storage has perhaps omitted; None where it keeps all."""
        if self.storage == EXACT:
            return None
        exact_state = 8 * self.words + self.parents.itemsize + 2 * 8  # with two places of the table
        return omissions_of(self.storage, self.count, self.bytes_held, self.count * exact_state)

    def state(self, number: int) -> Frozen:
        """Return a state that is held."""
        found: Frozen = self.machine.text.layout.unpack(self.words_of(number))
        return found

    def parent(self, number: int) -> int:
        """Return from which state one of the level that is being found was reached; -1 for an initial one."""
        found = int(self.parents[number - self.base])
        return found if found < 0 else found + self.base

    def states(self) -> PackedStates:
        """Return the states found so far, where all are held."""
        words = self.queue[: self.count * self.words].reshape(-1, self.words)
        return PackedStates(words, self.machine.text.layout)


def recent_of(keys: Words, words: int) -> Words:
    """Return the array of keys that were looked up last, before any was: all are the first of some known."""
    return np.tile(keys[:words] if keys.size else np.zeros(words, np.int64), RECENT)


def doubled(array: Any, used: int) -> Any:
    """Return an array of twice the length, with the first elements of another."""
    larger = np.empty(2 * len(array), array.dtype)
    larger[:used] = array[:used]
    return larger
