"""From a formula of linear time to an automaton that accepts the behaviours of which it is true.

The construction is the tableau of Gerth, Peled, Vardi and Wolper (Simple on-the-fly automatic verification of
linear temporal logic, 1995): each of its states is a set of formulas that must be true now, and one of those
that must be true next; a generalised Büchi automaton, with a set of accepting states for each `until`. A set
of formulas is held as the bits of an integer, and what must be true next is expanded once for all states that
agree in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from workbench.model.formal.errors import ModelError
from workbench.model.formal.temporal.formulas import Atom, Constant, Formula, Linear

__all__ = ["MOST_STATES", "Automaton", "automaton_of", "negation"]

MOST_STATES = 2_000  # of an automaton; nine conditions that must come true again and again make more
MOST_TEXT = 200  # characters of a formula in an error
Bits: TypeAlias = int  # a set of formulas: bit i stands for the i-th


@dataclass(frozen=True, slots=True)
class Automaton:
    """A generalised Büchi automaton over the states of a behaviour.

    Attributes
    ----------
    needed : tuple of (wanted, unwanted)
        For each of its states the atoms that must be true, and those that must be false.
    initial : tuple of int
        Where a run may begin.
    following : tuple of tuple of int
        Where a run may go on from each state.
    accepting : tuple of frozenset of int
        A run is accepted when it visits each of these sets again and again.
    """

    needed: tuple[tuple[frozenset[Atom], frozenset[Atom]], ...]
    initial: tuple[int, ...]
    following: tuple[tuple[int, ...], ...]
    accepting: tuple[frozenset[int], ...]


def negation(formula: Formula) -> Formula:
    """Return what is true exactly where a formula is not, with negations at atoms only."""
    return _pushed(Linear("not", (formula,)))


def _pushed(formula: Formula) -> Formula:
    """Move negations inwards until they stand before atoms."""
    if not isinstance(formula, Linear):
        return formula
    if formula.operator != "not":
        return Linear(formula.operator, tuple(_pushed(part) for part in formula.parts))
    inner = formula.parts[0]
    if isinstance(inner, Constant):
        return Constant(not inner.value)
    if not isinstance(inner, Linear):
        return formula
    if inner.operator == "not":
        return _pushed(inner.parts[0])
    dual = {"and": "or", "or": "and", "next": "next", "until": "release", "release": "until"}
    return Linear(dual[inner.operator], tuple(_pushed(Linear("not", (part,))) for part in inner.parts))


class _Node(NamedTuple):
    """A state of the automaton: what is true now, and what must be true next."""

    now: Bits
    later: Bits


class _Open(NamedTuple):
    """A state while it is made: what is still to be looked at, what was, and what must be true next."""

    new: Bits
    now: Bits
    later: Bits


def automaton_of(formula: Formula) -> Automaton:
    """Return the automaton of a formula whose negations stand before atoms.

    Raises
    ------
    ModelError
        When it would have more than `MOST_STATES` states: it may have as many as 2 to the power of the
        formula's size. Formulas that people write have few.
    """
    tableau = _Tableau(formula)
    numbers: dict[_Node, int] = {}
    following: list[tuple[int, ...]] = []

    def numbered(nodes: tuple[_Node, ...]) -> tuple[int, ...]:
        return tuple(numbers.setdefault(node, len(numbers)) for node in nodes)

    initial = numbered(tableau.expanded(1))
    nodes = list(numbers)
    for node in nodes:
        following.append(numbered(tableau.expanded(node.later)))
        nodes.extend(list(numbers)[len(nodes) :])
        tableau.check_size(len(nodes))
    needed = tuple(tableau.needed(node) for node in nodes)
    return Automaton(needed, initial, tuple(following), tuple(tableau.accepting(nodes)))


class _Tableau:
    """The formulas within a formula, numbered, and how each can be true: now, or by what comes next."""

    def __init__(self, formula: Formula) -> None:
        self.whole = formula
        self.formulas = _within(formula)
        self._numbers = {each: number for number, each in enumerate(self.formulas)}
        self._known: dict[Bits, tuple[_Node, ...]] = {}
        self._truths = sum(1 << n for n, each in enumerate(self.formulas) if each == Constant(True))
        self._opposite = self._opposites()

    def _opposites(self) -> list[Bits]:
        """Return for each atom, or negation of one, the bit of its opposite; 0 where there is none."""
        found = [0] * len(self.formulas)
        for number, each in enumerate(self.formulas):
            if isinstance(each, Linear) and each.operator == "not":
                atom = self._numbers[each.parts[0]]
                found[number], found[atom] = 1 << atom, 1 << number
        return found

    def _bits(self, *formulas: Formula) -> Bits:
        bits = 0
        for each in formulas:
            bits |= 1 << self._numbers[each]
        return bits

    def check_size(self, states: int) -> None:
        """Refuse what would take too long."""
        if states > MOST_STATES:
            text = repr(self.whole)
            shown = text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
            msg = (
                f"a temporal property is too large: the automaton of {shown} has more than {MOST_STATES:,} "
                "states; declare several properties in place of one that joins them, and what is fair at the "
                "actions, by fair='weak' or 'strong'"
            )
            raise ModelError(msg)

    def expanded(self, wanted: Bits) -> tuple[_Node, ...]:
        """Return the states in which some formulas are true."""
        if wanted not in self._known:
            self._known[wanted] = self._expand(wanted)
        return self._known[wanted]

    def _expand(self, wanted: Bits) -> tuple[_Node, ...]:
        found: dict[_Node, None] = {}
        pending = [_Open(wanted, 0, 0)]
        seen = set(pending)
        while pending:
            node = pending.pop()
            if not node.new:
                found.setdefault(_Node(node.now, node.later))
                self.check_size(len(found))
                continue
            for way in self._ways(node):
                if way not in seen:
                    seen.add(way)
                    pending.append(way)
        return tuple(found)

    def _ways(self, node: _Open) -> Iterator[_Open]:
        """Take the first formula that must be true; yield the ways in which it can be."""
        number = (node.new & -node.new).bit_length() - 1
        each, new = self.formulas[number], node.new & (node.new - 1)
        if isinstance(each, Constant):
            if each.value:
                yield _Open(new, node.now, node.later)
            return
        if self._opposite[number] & node.now:
            return
        now = node.now | 1 << number
        for more, later in self._asked(each):
            yield _Open(new | (more & ~now), now, node.later | later)

    def _asked(self, each: Formula) -> Iterator[tuple[Bits, Bits]]:
        """Yield the ways in which a formula can be true: what must be true now for it, and what next."""
        if isinstance(each, Atom) or (isinstance(each, Linear) and each.operator == "not"):
            yield 0, 0
            return
        if not isinstance(each, Linear):
            msg = f"{each!r} is no formula of linear time"
            raise TypeError(msg)
        parts, itself = each.parts, self._bits(each)
        if each.operator == "and":
            yield self._bits(*parts), 0
        elif each.operator == "next":
            yield 0, self._bits(*parts)
        elif each.operator == "or":
            yield from ((self._bits(part), 0) for part in parts)
        elif each.operator == "until":
            yield self._bits(parts[0]), itself
            yield self._bits(parts[1]), 0
        else:
            yield self._bits(parts[1]), itself
            yield self._bits(*parts), 0

    def needed(self, node: _Node) -> tuple[frozenset[Atom], frozenset[Atom]]:
        """Return the atoms that must be true in a state, and those that must be false."""
        now = [each for number, each in enumerate(self.formulas) if node.now >> number & 1]
        wanted = {each for each in now if isinstance(each, Atom)}
        unwanted = {each.parts[0] for each in now if isinstance(each, Linear) and each.operator == "not"}
        return frozenset(wanted), frozenset(unwanted)  # type: ignore[arg-type]

    def accepting(self, nodes: list[_Node]) -> Iterator[frozenset[int]]:
        """Yield, for each `until`, the states that do not still owe its end."""
        for each in self.formulas:
            if isinstance(each, Linear) and each.operator == "until":
                owed, end = self._bits(each), self._bits(each.parts[1])
                yield frozenset(
                    number
                    for number, node in enumerate(nodes)
                    if not node.now & owed or node.now & end or end & self._truths
                )


def _within(formula: Formula) -> list[Formula]:
    """Return the different formulas within a formula, itself first, in the order in which they are met."""
    found: dict[Formula, None] = {}
    pending = [formula]
    while pending:
        each = pending.pop()
        if each not in found:
            found.setdefault(each)
            pending.extend(reversed(getattr(each, "parts", ())))
    return list(found)
