"""Where a function of the model is being written: its lines so far, its names, and how to give up.

::

    Program            the functions written so far, and those that others call
    └── Body           one function: lines, indentation, variables
        └── Frame      one that is a function of the model: its text, and what its names stand for
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.compiling.values import Constant, Worth
from workbench.model.formal.errors import NotCompilableError

__all__ = [
    "ASSERTION",
    "ERROR",
    "NOT_ENABLED",
    "NO_KEY",
    "OK",
    "Body",
    "Frame",
    "Program",
    "source_of",
    "writes",
]

NOT_ENABLED, OK, ASSERTION, ERROR = 0, 1, 2, 3  # what a written function returns first
NO_KEY = "no_key"  # in place of a view's words where it gives up: how many those are is known at its end


_GRAMMAR: dict[type, Callable[..., Any]] = {}


def writes(*kinds: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare which kinds of expressions or statements a function writes, given the frame and the node."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        _GRAMMAR.update(dict.fromkeys(kinds, function))
        return function

    return declare


class Program:
    """The text of a compiled model while it is written."""

    def __init__(self, layout: StateLayout, model: type) -> None:
        self.layout = layout
        self.model = model
        self.functions: list[str] = []
        self.known: dict[Any, Any] = {}
        self.writing: set[Any] = set()
        self.read = self.written = 0  # the bits of the state that the functions so far read and write

    def registers(self, prefix: str) -> list[str]:
        """Return the variables that hold a state."""
        return [f"{prefix}{number}" for number in range(self.layout.words)]

    def add(self, text: str) -> None:
        """Add a finished function."""
        self.functions.append(text)


class Body:
    """One function while it is written."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lines: list[str] = []
        self.depth = 1
        self.count = 0

    def emit(self, line: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.depth + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a line, and those that follow within it."""
        self.emit(head)
        length = len(self.lines)
        self.depth += 1
        try:
            yield
        finally:
            if len(self.lines) == length:
                self.emit("pass")
            self.depth -= 1

    def fresh(self) -> str:
        """Return the name of a new variable."""
        self.count += 1
        return f"t{self.count}"

    def keep(self, text: str) -> str:
        """Return a variable, or literal, that holds what a text is worth now."""
        if text.lstrip("-").isdigit() or (
            text.isidentifier() and text.startswith("t") and text[1:].isdigit()
        ):
            return text
        name = self.fresh()
        self.emit(f"{name} = {text}")
        return name


class Frame(Body):
    """One function of the model while it is written."""

    def __init__(
        self, program: Program, function: Callable[..., Any], changed: str | None, *, judged: bool = False
    ) -> None:
        super().__init__(program)
        self.function = function
        self.judged = judged  # whether of its result the truth alone counts
        self.changed = changed  # the prefix of the state that is returned with the result
        self.tree, self.file, self.first_line = source_of(function)
        self.names: dict[str, Worth] = {}
        self.stale: set[str] = set()
        self.result: Any = None
        self.key: Callable[[Frame, Worth, ast.AST], str] | None = None  # how a view's result is returned
        self.assigned = _assignments(self.tree)

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        """Say that a piece of the model cannot be compiled: where, and why."""
        line = self.first_line + getattr(node, "lineno", 1) - 1
        text = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
        shown = text.splitlines()[0] if text else ""
        msg = f"{self.file}:{line}: in {self.function.__name__}: `{shown}`: {reason}"
        raise NotCompilableError(msg)

    def expression(self, node: ast.expr) -> Worth:
        """Write what an expression needs before it, and return what it stands for."""
        found: Worth = self._written(node)
        return found

    def statement(self, node: ast.stmt) -> None:
        """Write a statement."""
        self._written(node)

    def _written(self, node: ast.AST) -> Any:
        known = _GRAMMAR.get(type(node))
        if known is None:
            self.refuse(node, f"{type(node).__name__} is not known to the compiled engine")
        return known(self, node)

    def returning(self, status: int | str, value: str = "0") -> str:
        """Return the statement that leaves the function."""
        if self.key is not None:
            return f"return ({status}, {NO_KEY},)"
        words = self.program.registers(self.changed) if self.changed else []
        return f"return ({', '.join([str(status), value, *words])},)"

    def fail(self, condition: str) -> None:
        """Write: give up where a condition holds; the interpreted engine then says what is wrong."""
        with self.block(f"if {condition}:"):
            self.emit(self.returning(ERROR))

    def lookup(self, node: ast.Name) -> Worth:
        """Return what a name stands for: a variable of the function, or a constant around it."""
        if node.id in self.names:
            return self.names[node.id]
        if node.id in self.assigned:
            self.refuse(node, "the variable may have no value here")
        return Constant(self._around(node))

    def _around(self, node: ast.Name) -> Any:
        code = self.function.__code__
        if node.id in code.co_freevars:
            return self.function.__closure__[code.co_freevars.index(node.id)].cell_contents  # type: ignore[index]
        if node.id in self.function.__globals__:
            return self.function.__globals__[node.id]
        if hasattr(builtins, node.id):
            return getattr(builtins, node.id)
        return self.refuse(node, "the name is not known")


def source_of(function: Callable[..., Any]) -> tuple[ast.FunctionDef, str, int]:
    """Return a function's tree, its file and its first line.

    Raises
    ------
    NotCompilableError
        When there is no text, as for a lambda or what was made by `exec`.
    """
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        msg = f"the text of {function.__qualname__} is not at hand, so it cannot be compiled"
        raise NotCompilableError(msg) from None
    tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        msg = f"{function.__qualname__} is no plain function, so it cannot be compiled: use def"
        raise NotCompilableError(msg)
    return tree, inspect.getsourcefile(function) or "?", first


def _assignments(tree: ast.FunctionDef) -> dict[str, int]:
    """Count how often each variable of a function is assigned."""
    counts: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            counts[node.id] = counts.get(node.id, 0) + 1
    return counts
