"""From a formula of linear time to an automaton that accepts the behaviours of which it is true.

The construction is the tableau of Gerth, Peled, Vardi and Wolper (Simple on-the-fly automatic verification of
linear temporal logic, 1995): each of its states is a set of formulas that must be true now, and one of those
that must be true next; a generalised Büchi automaton, with a set of accepting states for each `until`.
"""

from dataclasses import dataclass

from workbench.model.formal.temporal.formulas import Atom, Constant, Formula, Linear

__all__ = ["Automaton", "automaton_of", "negation"]


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


@dataclass(slots=True)
class _Node:
    number: int
    incoming: set[int]
    new: set[Formula]
    old: set[Formula]
    later: set[Formula]

    def split(self, number: int, new: set[Formula], later: set[Formula]) -> "_Node":
        return _Node(
            number, set(self.incoming), self.new | (new - self.old), set(self.old), self.later | later
        )


START = -1


def automaton_of(formula: Formula) -> Automaton:
    """Return the automaton of a formula whose negations stand before atoms.

    Notes
    -----
    It may have as many states as 2 to the power of the formula's size; formulas that people write have few.
    """
    nodes = _expanded(formula)
    numbers = {node.number: position for position, node in enumerate(nodes)}
    following: list[list[int]] = [[] for _ in nodes]
    for node in nodes:
        for before in sorted(node.incoming - {START}):
            following[numbers[before]].append(numbers[node.number])
    return Automaton(
        needed=tuple(_needed(node) for node in nodes),
        initial=tuple(numbers[node.number] for node in nodes if START in node.incoming),
        following=tuple(tuple(each) for each in following),
        accepting=tuple(_accepting(nodes, each) for each in _untils(formula)),
    )


def _needed(node: _Node) -> tuple[frozenset[Atom], frozenset[Atom]]:
    wanted = {each for each in node.old if isinstance(each, Atom)}
    unwanted = {each.parts[0] for each in node.old if isinstance(each, Linear) and each.operator == "not"}
    return frozenset(wanted), frozenset(unwanted)  # type: ignore[arg-type]


def _untils(formula: Formula) -> list[Linear]:
    """Return the different `until` formulas within a formula, in the order in which they are met."""
    found: dict[Linear, None] = {}
    pending = [formula]
    while pending:
        each = pending.pop()
        if isinstance(each, Linear):
            if each.operator == "until":
                found.setdefault(each)
            pending.extend(each.parts)
    return list(found)


def _accepting(nodes: list[_Node], until: Linear) -> frozenset[int]:
    """Return the states that do not still owe the end of an `until`."""
    return frozenset(
        position
        for position, node in enumerate(nodes)
        if until not in node.old or until.parts[1] in node.old or until.parts[1] == Constant(True)
    )


def _expanded(formula: Formula) -> list[_Node]:
    finished: list[_Node] = []
    known: dict[tuple[frozenset[Formula], frozenset[Formula]], _Node] = {}
    count = 0
    pending = [_Node(count, {START}, {formula}, set(), set())]
    while pending:
        node = pending.pop()
        if not node.new:
            key = frozenset(node.old), frozenset(node.later)
            if key in known:
                known[key].incoming |= node.incoming
                continue
            known[key] = node
            finished.append(node)
            count += 1
            pending.append(_Node(count, {node.number}, set(node.later), set(), set()))
            continue
        each = min(node.new, key=repr)
        node.new.discard(each)
        count, split = _processed(node, each, count)
        pending.extend(split)
    return finished


def _processed(node: _Node, each: Formula, count: int) -> tuple[int, list[_Node]]:
    """Take one formula that must be true now; return the nodes by which it can be."""
    if isinstance(each, Constant):
        return count, [node] if each.value else []
    if isinstance(each, Atom) or (isinstance(each, Linear) and each.operator == "not"):
        opposite = each.parts[0] if isinstance(each, Linear) else Linear("not", (each,))
        if opposite in node.old:
            return count, []
        node.old.add(each)
        return count, [node]
    if not isinstance(each, Linear):
        msg = f"{each!r} is no formula of linear time"
        raise TypeError(msg)
    node.old.add(each)
    if each.operator == "and":
        return count, [node.split(node.number, set(each.parts), set())]
    if each.operator == "next":
        return count, [node.split(node.number, set(), set(each.parts))]
    return _branched(node, each, count)


def _branched(node: _Node, each: Linear, count: int) -> tuple[int, list[_Node]]:
    left, right = each.parts[0], each.parts[-1]
    if each.operator == "or":
        ways: list[tuple[set[Formula], set[Formula]]] = [({part}, set()) for part in each.parts]
    elif each.operator == "until":
        ways = [({left}, {each}), ({right}, set())]
    else:
        ways = [({right}, {each}), ({left, right}, set())]
    made = []
    for number, (new, later) in enumerate(ways):
        count += bool(number)
        made.append(node.split(count if number else node.number, new, later))
    return count, made
