"""A model as a TLA+ module, for TLC.

Source: L. Lamport, Specifying Systems (2002), chapters 2 and 14 to 16.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from workbench.model.formal._models import specification
from workbench.model.formal.exporting.commands import Command, Commands, commands_of
from workbench.model.formal.exporting.names import Names
from workbench.model.formal.exporting.reserved import IN_TLA
from workbench.model.formal.exporting.terms import Cell, Term, either

__all__ = ["to_tla"]

SIGNS = {"<=": "<=", "//": "\\div"}


def to_tla(model: Any) -> str:
    r"""Return a model as a TLA+ module.

    It has `Init`, a definition for each action with its parameters' values, `Next`, `Spec`, `TypeOK`, and the
    model's invariants, constraints and action properties by name; the comment at its head is what TLC's
    configuration file should say. Temporal properties and fairness are left out.

    Parameters
    ----------
    model : class
        Derived from `Model`.

    Raises
    ------
    ModelError
        When this is no model.
    NotExportableError
        Naming the line of the model that cannot be exported, and why.

    Notes
    -----
    Arrays are functions of positions, which begin with 0; sets are functions to BOOLEAN, sequences have a
    length and a function of places.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> text = wb.to_tla(wb.library.DieHard)
    >>> print(text[text.index("fill_big ==") :].split("\n\n")[0])
    fill_big ==
      /\ TRUE
      /\ big' = 5
      /\ UNCHANGED small
    """
    return _Writer(commands_of(specification(model))).text()


class _Writer:
    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.names = Names(IN_TLA, ("WF_", "SF_"))
        self.module = self.names.of("module", commands.declared.name)
        self.variables: dict[str, list[Cell]] = {}
        for cell in commands.cells:
            self.variables.setdefault(self.variable(cell), []).append(cell)
        self.actions: list[str] = []

    def text(self) -> str:
        """Return the whole module."""
        variables = ", ".join(self.variables)
        actions = ["\n".join(lines) for lines in self._actions()]
        properties = [f"{name} == {text}" for name, text in self._properties()]
        parts = [
            f"---- MODULE {self.module} ----\n{self._header()}\nEXTENDS Integers, TLC",
            f"VARIABLES {variables}\nvars == <<{variables}>>",
            "\n".join(["TypeOK ==", *(f"  /\\ {line}" for line in self._types())]),
            "\n".join(["Init ==", *self._initial()]),
            *actions,
            "\n".join(["Next ==", *(f"  \\/ {name}" for name in self.actions)]),
            "Spec == Init /\\ [][Next]_vars",
            *properties,
            "====",
        ]
        return "\n\n".join(parts) + "\n"

    def _header(self) -> str:
        kinds = self.commands.properties
        lines = ["(* Written by workbench.model.formal.to_tla. TLC's configuration:", "SPECIFICATION Spec"]
        lines += [
            f"INVARIANT {name}" for name in ("TypeOK", *(self._property(each) for each in kinds["invariant"]))
        ]
        lines += [f"CONSTRAINT {self._property(each)}" for each in kinds["constraint"]]
        lines += [f"PROPERTY {self._property(each)}" for each in kinds["action property"]]
        if self.commands.declared.temporal:
            lines.append(f"Left out, temporal properties: {', '.join(self.commands.declared.temporal)}")
        return "\n".join(lines) + " *)"

    def variable(self, cell: Cell) -> str:
        """Return the name of a cell's variable."""
        return self.names.of(cell.shape, "_".join(cell.variable))

    def _property(self, name: str) -> str:
        return self.names.of("property", name)

    def _types(self) -> Iterator[str]:
        for name, cells in self.variables.items():
            yield f"{name} \\in {self._functions(cells, 0)}"

    def _functions(self, cells: list[Cell], depth: int) -> str:
        if len(cells[0].index) == depth:
            return _values(cells[0])
        rows = [list(row) for _, row in groupby(cells, key=lambda cell: cell.index[: depth + 1])]
        return f"[0..{len(rows) - 1} -> {self._functions(rows[0], depth + 1)}]"

    def _initial(self) -> Iterator[str]:
        several = len(self.commands.initial) > 1
        for state in self.commands.initial:
            values = dict(zip(self.commands.cells, state, strict=True))
            for number, (name, cells) in enumerate(self.variables.items()):
                lead = ("\\/ " if number == 0 else "   ") if several else ""
                yield f"  {lead}/\\ {name} = {self._constant(cells, values, 0)}"

    def _constant(self, cells: list[Cell], values: dict[Cell, Term], depth: int) -> str:
        if len(cells[0].index) == depth:
            return self.print(values[cells[0]])
        rows = [list(row) for _, row in groupby(cells, key=lambda cell: cell.index[: depth + 1])]
        shown = [self._constant(row, values, depth + 1) for row in rows]
        if len(set(shown)) == 1:
            return f"[{'ijk'[depth % 3]} \\in 0..{len(shown) - 1} |-> {shown[0]}]"
        return "(" + " @@ ".join(f"{key} :> {value}" for key, value in enumerate(shown)) + ")"

    def _actions(self) -> Iterator[list[str]]:
        for instance, group in groupby(self.commands.commands, key=lambda each: each.instance):
            arguments = "".join(f"_{value}" for value in instance.arguments.values())
            name = self.names.of(instance.number, instance.action.name + arguments)
            self.actions.append(name)
            ways = list(group)
            yield [f"{name} ==", *(line for way in ways for line in self._way(way, several=len(ways) > 1))]
        terminal = self.commands.properties["terminal"]
        if terminal:
            self.actions.append("Terminated")
            condition = self.print(either(*terminal.values()))
            yield ["Terminated ==", f"  /\\ {condition}", "  /\\ UNCHANGED vars"]

    def _way(self, command: Command, *, several: bool) -> Iterator[str]:
        for number, line in enumerate(self._conjuncts(command)):
            lead = ("\\/ " if number == 0 else "   ") if several else ""
            yield f"  {lead}/\\ {line}"

    def _conjuncts(self, command: Command) -> Iterator[str]:
        guards = command.guard.args if command.guard.op == "and" else (command.guard,)
        yield from map(self.print, guards)
        if command.fails:
            yield f"Assert(FALSE, {_quoted(command.fails)})"
            return
        changed: dict[str, list[tuple[Cell, Term]]] = {}
        for cell, term in command.sets:
            changed.setdefault(self.variable(cell), []).append((cell, term))
        for name, sets in changed.items():
            yield f"{name}' = {self._changed(name, sets)}"
        same = [name for name in self.variables if name not in changed]
        if same:
            yield f"UNCHANGED {same[0] if len(same) == 1 else '<<' + ', '.join(same) + '>>'}"

    def _changed(self, name: str, sets: list[tuple[Cell, Term]]) -> str:
        if not sets[0][0].index:
            return self.print(sets[0][1])
        changes = [f"!{_places(cell)} = {self.print(term)}" for cell, term in sets]
        return f"[{name} EXCEPT {', '.join(changes)}]"

    def _properties(self) -> Iterator[tuple[str, str]]:
        for kind in ("invariant", "constraint"):
            for name, term in self.commands.properties[kind].items():
                yield self._property(name), self.print(term)
        for name, term in self.commands.properties["action property"].items():
            yield self._property(name), f"[][{self.print(term)}]_vars"

    def print(self, term: Term) -> str:  # noqa: PLR0911 - one for each operation
        """Return a term as TLA+ text; parts are in parentheses, the whole is not."""
        op, args = term.op, term.args
        if op == "constant":
            return _constant_text(*args)
        if op == "cell":
            return f"{self.variable(args[0])}{chr(39) if args[0].primed else ''}{_places(args[0])}"
        if op == "number":
            return f"IF {self.print(args[0])} THEN 1 ELSE 0"
        if op == "not":
            return self._negated(args[0])
        if op in ("and", "or"):
            return {"and": " /\\ ", "or": " \\/ "}[op].join(map(self.part, args))
        if op == "if":
            return f"IF {self.print(args[0])} THEN {self.part(args[1])} ELSE {self.part(args[2])}"
        return f"{self.part(args[0])} {SIGNS.get(op, op)} {self.part(args[1])}"

    def _negated(self, term: Term) -> str:
        if term.op == "=":
            return f"{self.part(term.args[0])} # {self.part(term.args[1])}"
        return f"~{self.part(term)}"

    def part(self, term: Term) -> str:
        """Return a term as part of another one."""
        text = self.print(term)
        return text if term.op in ("constant", "cell") and not text.startswith("-") else f"({text})"


def _places(cell: Cell) -> str:
    return "".join(f"[{place}]" for place in cell.index)


def _values(cell: Cell) -> str:
    if cell.truth:
        return "BOOLEAN"
    if cell.enum is not None:
        return "{" + ", ".join(_constant_text(n, cell.enum) for n in range(len(cell.enum.members))) + "}"
    return f"{cell.low}..{cell.high}"


def _constant_text(value: int, kind: Any) -> str:
    if kind is None:
        return str(value)
    if kind == "truth":
        return str(value).upper()
    shown = [str(getattr(member, "name", member)) for member in kind.members]
    return _quoted(shown[value] if len(set(shown)) == len(shown) else repr(kind.members[value]))


def _quoted(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
