"""A model as Promela, the language of SPIN.

One process takes one action after another; each action is one `d_step`, so that the states that SPIN stores
are those of the model. Source: G. J. Holzmann, The SPIN Model Checker (2003); the manual pages of Promela.
"""

from collections.abc import Iterator
from typing import Any

from workbench.model.formal._models import specification
from workbench.model.formal.errors import NotExportableError
from workbench.model.formal.exporting.commands import Command, Commands, commands_of, refused
from workbench.model.formal.exporting.names import Names
from workbench.model.formal.exporting.reserved import IN_PROMELA
from workbench.model.formal.exporting.terms import TRUE, Cell, Term, both, cells_in, either, negated

__all__ = ["to_promela"]

SPACED = {"=": "==", "//": "/"}
BYTES = {"bit": 1, "byte": 1, "short": 2, "int": 4}
VECTOR_BYTES = 1024 - 64  # what SPIN's verifier has room for, unless it is told, less what is its own


def to_promela(model: Any) -> str:
    """Return a model as Promela text.

    SPIN's search without reduction (`spin -a`, its verifier compiled with `-DSAFETY -DNOREDUCE`) stores as
    many states as `check` counts; one more if there are several initial states: that in which one of them is
    chosen. States of about a thousand bytes and more need `-DVECTORSZ`, with what the text's first lines say.
    Invariants and assertions are Promela's assertions, deadlocks SPIN's invalid end states. Temporal
    properties and fairness are left out.

    Parameters
    ----------
    model : class
        Derived from `Model`.

    Raises
    ------
    ModelError
        When this is no model.
    NotExportableError
        Naming the line of the model that has no equal in Promela, and why.

    Notes
    -----
    Each choice of an action's parameters is written out, and so is each way through its `if`s. Sets are
    arrays of bits, and constants of an enumeration are numbers with a name.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> text = wb.to_promela(wb.library.DieHard)
    >>> print(text[text.index("fill_big") - 3 :].splitlines()[1])
      :: d_step { true -> big = 5 }
    """
    return _Writer(commands_of(specification(model))).text()


class _Writer:
    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.names = Names(IN_PROMELA)
        self.variables = {cell: self._variable(cell) for cell in commands.cells}
        self.constants: dict[str, int] = {}
        self.owners: dict[tuple[Any, ...], str] = {}  # of constants: the field that has them first
        for cell in commands.cells:
            if cell.enum is not None:
                self.owners.setdefault(cell.enum.members, "_".join(cell.variable))
        self.spare = 0
        self.bytes = 0  # of a state, as SPIN stores it

    def text(self) -> str:
        """Return the whole text."""
        process = list(self._process())
        properties, declarations = list(self._properties()), list(self._declarations())
        defined = [f"#define {name} {value}" for name, value in self.constants.items()]
        spares = [f"hidden int {self.names.of('spare', f'before{n}')};" for n in range(self.spare)]
        parts = [self._header(), defined, [*declarations, *spares], properties, process]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def _header(self) -> list[str]:
        declared = self.commands.declared
        lines = [f"/* {declared.name}: written by workbench.model.formal.to_promela"]
        if len(self.commands.initial) > 1:
            lines.append(
                "   SPIN stores one state more than the model has: that in which an initial one is chosen"
            )
        if self.bytes > VECTOR_BYTES:
            lines.append(f"   its states are large: compile SPIN's verifier with -DVECTORSZ={self._vector()}")
        if declared.temporal:
            lines.append(f"   left out, temporal properties: {', '.join(declared.temporal)}")
        lines[-1] += " */"
        return lines

    def _vector(self) -> int:
        """Return the next power of two that a state fits into, with what SPIN adds."""
        return 1 << (self.bytes + 64 - 1).bit_length()

    def _variable(self, cell: Cell) -> tuple[str, int | None]:
        """Return the name of a cell's variable, and its place in it if that is an array."""
        rows = cell.index[:-1]
        name = self.names.of((cell.shape, rows), "_".join([*cell.variable, *map(str, rows)]))
        return name, cell.index[-1] if cell.index else None

    def _declarations(self) -> Iterator[str]:
        groups: dict[str, list[tuple[Cell, Term]]] = {}
        for cell, value in zip(self.commands.cells, self.commands.initial[0], strict=True):
            groups.setdefault(self.variables[cell][0], []).append((cell, value))
        for name, pairs in groups.items():
            lowest, highest = min(cell.low for cell, _ in pairs), max(cell.high for cell, _ in pairs)
            kind = _type(lowest, highest, f"field {pairs[0][0].variable[0]}")
            self.bytes += len(pairs) * BYTES[kind]
            values = [self.print(value) for _, value in pairs]
            if self.variables[pairs[0][0]][1] is None:
                yield f"{kind} {name} = {values[0]};"
            else:
                shown = values[0] if len(set(values)) == 1 else f"{{ {', '.join(values)} }}"
                yield f"{kind} {name}[{len(pairs)}] = {shown};"

    def _properties(self) -> Iterator[str]:
        for name, term in self.commands.properties["invariant"].items():
            yield f"#define {self.names.of('invariant', name)} ({self.print(term)})"

    def _process(self) -> Iterator[str]:
        yield f"active proctype {self.names.of('process', self.commands.declared.name)}() {{"
        yield from self._choice()
        terminal = either(*self.commands.properties["terminal"].values())
        if terminal == TRUE:
            yield "end: /* any state is terminal: nothing more need happen */"
        yield "  do"
        label = None
        for command in self.commands.commands:
            if label != command.instance.label:
                label = command.instance.label
                yield f"  /* {_safe(label)} */"
            try:
                yield from self._command(command)
            except NotExportableError as error:
                raise refused(command.instance.action, error) from None
        if not terminal.known:
            yield "  /* terminal: nothing more need happen */"
            yield f"  :: ({self.print(terminal)})"
        for name in self.commands.properties["invariant"]:
            defined = self.names.of("invariant", name)
            yield f"  :: d_step {{ !{defined} -> assert({defined}) }}"
        unread = self._unread()
        if unread:
            yield "  /* never taken: SPIN leaves a variable out of its states that nothing reads */"
            yield f"  :: (false && ({' || '.join(unread)}))"
        yield "  od"
        yield "}"

    def _unread(self) -> list[str]:
        """Return a cell of each variable that nothing reads."""
        terms = [
            term for kind in ("invariant", "terminal") for term in self.commands.properties[kind].values()
        ]
        for command in self.commands.commands:
            terms += [command.guard, command.kept, *(term for _, term in (*command.sets, *command.holds))]
        read = {self.variables[cell][0] for term in set(terms) for cell in cells_in(term) if not cell.primed}
        cells = {self.variables[cell][0]: cell for cell in self.commands.cells}
        return [self.cell(cell) for name, cell in cells.items() if name not in read]

    def _choice(self) -> Iterator[str]:
        if len(self.commands.initial) == 1:
            return
        yield "  if"
        first = self.commands.initial[0]
        for state in self.commands.initial:
            changes = [
                f"{self.cell(cell)} = {self.print(value)}"
                for cell, value, usual in zip(self.commands.cells, state, first, strict=True)
                if value != usual
            ]
            yield f"  :: d_step {{ {'; '.join(['true', *changes])} }}"
        yield "  fi;"

    def _command(self, command: Command) -> Iterator[str]:
        if command.fails:
            when = self.print(command.guard)
            yield f"  :: d_step {{ {when} -> assert(false) }} /* {_safe(command.fails)} */"
            return
        steps = [f"assert({self.print(term)})" for _, term in command.holds if term != TRUE]
        if command.kept != TRUE:
            left_out = both(command.guard, negated(command.kept))
            yield f"  :: ({self.print(left_out)}) /* left out by a constraint */"
        guard = both(command.guard, command.kept)
        body = [*steps, *self._assignments(command.sets)] or ["skip"]
        yield f"  :: d_step {{ {self.print(guard)} -> {'; '.join(body)} }}"

    def _assignments(self, sets: tuple[tuple[Cell, Term], ...]) -> Iterator[str]:
        """Yield assignments in an order in which none changes what a later one reads, if there is one."""
        left = dict(sets)
        for cell, term in sets:
            if term.low < cell.low or term.high > cell.high:
                new = self.part(term)  # looked at before it is stored, where a larger one would be cut
                yield f"assert({new} >= {cell.low} && {new} <= {cell.high})"
        kept: list[tuple[Cell, str]] = []
        while left:
            free = next(
                (c for c in left if not any(c in cells_in(t) for o, t in left.items() if o != c)), None
            )
            cell = next(iter(left)) if free is None else free
            text = self.print(left.pop(cell))
            if free is None:
                spare = self.names.of("spare", f"before{len(kept)}")
                kept.append((cell, spare))
                self.spare = max(self.spare, len(kept))
                yield f"{spare} = {text}"
            else:
                yield f"{self.cell(cell)} = {text}"
        for cell, spare in kept:
            yield f"{self.cell(cell)} = {spare}"
        yield from (f"{spare} = 0" for _, spare in kept)

    def cell(self, cell: Cell) -> str:
        """Return a cell as Promela reads it."""
        name, place = self.variables[cell]
        return name if place is None else f"{name}[{place}]"

    def constant(self, value: int, kind: Any) -> str:
        """Return a constant, by its name if it has one."""
        if kind in (None, "truth"):
            return str(value).lower()
        member = getattr(kind.members[value], "name", kind.members[value])
        name = self.names.of(("constant", kind.members), f"{self.owners[kind.members]}_{member}")
        self.constants[name] = value
        return name

    def print(self, term: Term) -> str:  # noqa: PLR0911 - one for each operation
        """Return a term as Promela text; parts are in parentheses, the whole is not."""
        op, args = term.op, term.args
        if op == "constant":
            return self.constant(*args)
        if op == "cell":
            return self.cell(args[0])
        if op == "number":
            return self.print(args[0])
        if op == "not":
            return f"!{self.part(args[0])}"
        if op in ("and", "or"):
            return {"and": " && ", "or": " || "}[op].join(map(self.part, args))
        if op == "if":
            return f"({self.part(args[0])} -> {self.part(args[1])} : {self.part(args[2])})"
        left, right = map(self.part, args)
        if op in ("+", "-", "*"):
            _type(term.low, term.high, f"{left} {op} {right}")
        rest = f"(({left} % {right}) + {right}) % {right}"  # Promela's own has the sign of what is divided
        if op == "%" and args[0].low < 0:
            return rest
        if op == "//" and args[0].low < 0:
            return f"({left} - ({rest})) / {right}"
        return f"{left} {SPACED.get(op, op)} {right}"

    def part(self, term: Term) -> str:
        """Return a term as part of another one."""
        text = self.print(term)
        simple = term.op in ("constant", "cell", "not", "if") and not text.startswith("-")
        return text if simple else f"({text})"


def _type(low: int, high: int, what: str) -> str:
    """Return the smallest of Promela's types that holds some numbers."""
    for kind, least, most in (("bit", 0, 1), ("byte", 0, 255), ("short", -(2**15), 2**15 - 1)):
        if least <= low and high <= most:
            return kind
    if low < -(2**31) or high >= 2**31:
        msg = f"{what} has values from {low:,} to {high:,}, which do not fit into Promela's int"
        raise NotExportableError(msg)
    return "int"


def _safe(text: str) -> str:
    return " ".join(text.replace("*/", "* /").split())
