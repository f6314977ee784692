"""The text of a compiled model: `expand`, which writes the successors of a batch of states, and `judge`.

Where different states may count as the same, `expand` writes their keys too, and `rekey` those of any states.

All are called by address with addresses. What they find they write into slots, one for each thing that may
be wrong: the number of the state where it was met first (-1 while it was not), the action instance, and the
state after it.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from workbench.model.formal._declaring import Action, Declared
from workbench.model.formal._models import Specification
from workbench.model.formal.compiling import calls, statements
from workbench.model.formal.compiling.frames import ASSERTION, ERROR, NOT_ENABLED, OK, Program
from workbench.model.formal.compiling.functions import write_function
from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.compiling.representatives import write_representative
from workbench.model.formal.compiling.values import Constant, Number, State, Worth
from workbench.model.formal.compiling.views import write_view

__all__ = ["OWNER_BITS", "Alike", "Text", "written"]

Alike: TypeAlias = Literal["", "symmetry", "view"]
OWNER_BITS = (
    6  # of an owner: which state of the batch a successor is of, and above it which action instance led there
)
GRAMMAR = calls, statements  # what they declare to be written, `Frame` finds


@dataclass
class Text:
    """A model's compiled form as text.

    Attributes
    ----------
    source : str
        Python that Numba compiles, with the functions `expand` and `judge`, and `rekey` where it is needed.
    slots : list of (kind, name)
        What each slot is for.
    alike : "", "symmetry" or "view"
        Which states count as the same; equal ones only, if empty.
    key_words : int
        How many words say which ones do.
    """

    declared: Specification
    layout: StateLayout
    alike: Alike = ""
    key_words: int = 0
    source: str = ""
    slots: list[tuple[str, str]] = field(default_factory=list)

    @property
    def keyed(self) -> bool:
        """Whether a state's key is something else than the state."""
        return self.alike != ""

    @property
    def short_keys(self) -> bool:
        """Whether a key has at most 63 bits: a view's may have all."""
        return self.key_words == 1 and self.alike != "view"

    @cached_property
    def slot_words(self) -> int:
        """How many words a slot takes."""
        return 2 + self.layout.words


def written(declared: Specification, alike: Alike = "") -> Text:
    """Return a model's compiled form as text.

    Parameters
    ----------
    alike
        Which states count as the same.

    Raises
    ------
    NotCompilableError
        Naming the line of the model that the compiled engine does not know, and why.
    """
    text = Text(declared, StateLayout(dict(declared.fields)), alike)
    program = Program(text.layout, declared.model)
    _Writer(program, text).write()
    text.source = "\n\n\n".join(program.functions) + "\n"
    return text


class _Writer:
    def __init__(self, program: Program, text: Text) -> None:
        self.program, self.text, self.declared = program, text, text.declared
        self.lines: list[str] = []

    def write(self) -> None:
        """Write everything: the model's functions first, then those that call them."""
        self.invariants = [self._property(each) for each in self.declared.of_kind("invariant")]
        self.constraints = [self._property(each) for each in self.declared.of_kind("constraint")]
        self.terminals = [self._property(each) for each in self.declared.of_kind("terminal")]
        self.step_properties = [self._property(each) for each in self.declared.of_kind("action property")]
        self.deadlock = self._slot("deadlock", "deadlock")
        self._write_key()
        self._write_expand()
        self._write_judge()
        if self.text.keyed:
            self._write_rekey()

    def _write_key(self) -> None:
        layout = self.text.layout
        self.text.key_words = layout.words
        if self.text.alike == "symmetry":
            write_representative(self.program, self.declared)
        elif self.text.alike == "view":
            self.text.key_words = write_view(self.program, self.declared)

    def _slot(self, kind: str, name: str) -> int:
        self.text.slots.append((kind, name))
        return (len(self.text.slots) - 1) * self.text.slot_words

    def _property(self, member: Declared) -> tuple[str, str]:
        name = f"p{len(self.program.functions)}_{member.name}"
        states: list[Worth] = [State(prefix, fixed=True) for prefix in ("w", "v")]
        count = member.function.__code__.co_argcount
        write_function(self.program, name, member.function, states[:count], None, judged=True)
        return name, member.name

    def _emit(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def _write_expand(self) -> None:
        self._emit(0, "def expand(frontier, count, first, out, keys, owners, taken, found):")
        self._emit(1, "made = 0")
        self._emit(1, "for state in range(count):")
        self._load(2, "w", "frontier", "state")
        self._emit(2, "enabled = False")
        number = 0
        for action in self.declared.actions:
            self._action(action, number)
            number += len(action.choices)
        self._emit(2, f"if not enabled and load64(found + {8 * self.deadlock}) < 0:")
        self._emit(3, "terminal = False")
        for name, _ in self.terminals:
            self._emit(3, f"status = {name}({self._words('w')})")
            self._fail(3, f"status[0] != {OK}")
            self._emit(3, "terminal = terminal or status[1] != 0")
        self._emit(3, "if not terminal:")
        self._emit(4, f"store64(found + {8 * self.deadlock}, first + state)")
        self._emit(1, "return made")
        self.program.add("\n".join(self.lines))
        self.lines = []

    def _words(self, prefix: str) -> str:
        return ", ".join(self.program.registers(prefix))

    def _load(self, depth: int, prefix: str, address: str, number: str) -> None:
        size = self.text.layout.words
        for word, name in enumerate(self.program.registers(prefix)):
            self._emit(depth, f"{name} = load64({address} + 8 * ({number} * {size} + {word}))")

    def _fail(self, depth: int, condition: str) -> None:
        self._emit(depth, f"if {condition}:")
        self._emit(depth + 1, "return -1 - state")

    def _action(self, action: Action, number: int) -> None:
        if not action.choices:  # a parameter ranges over nothing: the action never happens
            return
        assertion = self._slot("assertion", action.name)
        self._choose(action, list(action.parameters.items()), [], str(number), 2, assertion)

    def _choose(  # noqa: PLR0913
        self, action: Action, left: list[Any], worths: list[Worth], number: str, depth: int, assertion: int
    ) -> None:
        """Write a loop over each parameter of integers; other parameters are written out value by value."""
        if not left:
            self._step(action, worths, number, depth, assertion)
            return
        (name, values), rest = left[0], left[1:]
        stride = 1
        for _, others in rest:
            stride *= len(others)
        if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            self._emit(depth, f"for i_{name} in range({len(values)}):")
            contiguous = values == tuple(range(values[0], values[0] + len(values)))
            shown = f"i_{name} + {values[0]}" if contiguous else f"({', '.join(map(str, values))},)[i_{name}]"
            self._emit(depth + 1, f"x_{name} = {shown}")
            worth = Number(f"x_{name}", min(values), max(values))
            at = f"{number} + i_{name} * {stride}"
            self._choose(action, rest, [*worths, worth], at, depth + 1, assertion)
            return
        for position, value in enumerate(values):
            at = f"{number} + {position * stride}"
            self._choose(action, rest, [*worths, Constant(value)], at, depth, assertion)

    def _step(self, action: Action, worths: list[Worth], number: str, depth: int, assertion: int) -> None:
        name = f"a{len(self.program.functions)}_{action.name}"
        write_function(self.program, name, action.function, [State("w"), *worths], "w")
        given = "".join(f", {worth.text}" for worth in worths if isinstance(worth, Number))
        self._emit(depth, f"status = {name}({self._words('w')}{given})")
        self._fail(depth, f"status[0] == {ERROR}")
        self._emit(depth, f"if status[0] != {NOT_ENABLED}:")
        self._emit(depth + 1, "enabled = True")
        self._emit(depth + 1, f"number = {number}")
        self._emit(depth + 1, f"if status[0] == {ASSERTION}:")
        self._note(depth + 2, assertion, after=False)
        self._emit(depth + 1, "else:")
        self._emit(depth + 2, "store64(taken + 8 * number, load64(taken + 8 * number) + 1)")
        for word, register in enumerate(self.program.registers("v")):
            self._emit(depth + 2, f"{register} = status[{2 + word}]")
        for property_name, shown in self.step_properties:
            slot = self._step_slot("action property", shown)
            self._check(depth + 2, property_name, f"{self._words('w')}, {self._words('v')}", slot)
        self._keep(depth + 2)

    def _step_slot(self, kind: str, name: str) -> int:
        if (kind, name) in self.text.slots:
            return self.text.slots.index((kind, name)) * self.text.slot_words
        return self._slot(kind, name)

    def _check(self, depth: int, name: str, words: str, slot: int) -> None:
        """Write: note the step if a property does not hold."""
        self._emit(depth, f"held = {name}({words})")
        self._fail(depth, f"held[0] != {OK}")
        self._emit(depth, "if held[1] == 0:")
        self._note(depth + 1, slot, after=True)

    def _note(self, depth: int, slot: int, *, after: bool) -> None:
        self._emit(depth, f"if load64(found + {8 * slot}) < 0:")
        self._emit(depth + 1, f"store64(found + {8 * slot}, first + state)")
        self._emit(depth + 1, f"store64(found + {8 * (slot + 1)}, number)")
        if after:
            for word, register in enumerate(self.program.registers("v")):
                self._emit(depth + 1, f"store64(found + {8 * (slot + 2 + word)}, {register})")

    def _keep(self, depth: int) -> None:
        """Write: hand the successor on, unless a constraint leaves it out; invariants count all the same."""
        if self.constraints:
            self._emit(depth, "kept = True")
            for name, _ in self.constraints:
                self._emit(depth, f"held = {name}({self._words('v')})")
                self._fail(depth, f"held[0] != {OK}")
                self._emit(depth, "kept = kept and held[1] != 0")
            self._emit(depth, "if not kept:")
            for name, shown in self.invariants:
                self._check(depth + 1, name, self._words("v"), self._step_slot("left out", shown))
            self._emit(depth + 1, "pass")
            self._emit(depth, "if kept:")
            depth += 1
        size = self.text.layout.words
        for word, register in enumerate(self.program.registers("v")):
            self._emit(depth, f"store64(out + 8 * (made * {size} + {word}), {register})")
        if self.text.keyed:
            self._store_key(depth, "v", "keys", "made")
        self._emit(depth, f"store32(owners + 4 * made, number << {OWNER_BITS} | state)")
        self._emit(depth, "made += 1")

    def _store_key(self, depth: int, prefix: str, address: str, number: str) -> None:
        self._emit(depth, f"key = key_of({self._words(prefix)})")
        self._fail(depth, f"key[0] != {OK}")
        size = self.text.key_words
        for word in range(size):
            self._emit(depth, f"store64({address} + 8 * ({number} * {size} + {word}), key[{1 + word}])")

    def _write_rekey(self) -> None:
        self._emit(0, "def rekey(states, count, keys):")
        self._emit(1, "for state in range(count):")
        self._load(2, "w", "states", "state")
        self._store_key(2, "w", "keys", "state")
        self._emit(1, "return 0")
        self.program.add("\n".join(self.lines))
        self.lines = []

    def _write_judge(self) -> None:
        self._emit(0, "def judge(states, count, first, found):")
        if self.invariants:
            self._emit(1, "for state in range(count):")
            self._load(2, "w", "states", "state")
        for name, shown in self.invariants:
            slot = self._slot("invariant", shown)
            self._emit(2, f"if load64(found + {8 * slot}) < 0:")
            self._emit(3, f"held = {name}({self._words('w')})")
            self._fail(3, f"held[0] != {OK}")
            self._emit(3, "if held[1] == 0:")
            self._emit(4, f"store64(found + {8 * slot}, first + state)")
        self._emit(1, "return 0")
        self.program.add("\n".join(self.lines))
        self.lines = []
