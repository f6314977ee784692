"""Random small models given by their edges, random formulas, and what a formula means on a lasso."""

import random

import workbench.model.formal as wb
from workbench.model.formal.temporal.formulas import Atom, Constant

LETTERS = "pq"


def model_of(edges, labels, properties, initial=(0,)):
    """Return a model whose states are numbers: edges by fairness, and in which states p and q are true."""
    count = len(labels)
    weak, strong, plain = edges["weak"], edges["strong"], edges[None]

    class Graph(wb.Model):
        at = wb.Int(0, count - 1)

        def init(s):
            for state in initial:
                s.at = state
                yield

        @wb.action(fair="weak", e=range(len(weak)))
        def weakly(s, e):
            wb.require(s.at == weak[e][0])
            s.at = weak[e][1]

        @wb.action(fair="strong", e=range(len(strong)))
        def strongly(s, e):
            wb.require(s.at == strong[e][0])
            s.at = strong[e][1]

        @wb.action(e=range(len(plain)))
        def freely(s, e):
            wb.require(s.at == plain[e][0])
            s.at = plain[e][1]

        @wb.terminal
        def anywhere(s):
            return True

        @wb.predicate
        def p(s):
            return "p" in labels[s.at]

        @wb.predicate
        def q(s):
            return "q" in labels[s.at]

    return type("Asked", (Graph,), dict(properties))


def random_graph(rng, *, fair):
    """Return edges by fairness, and the letters that are true in each state."""
    count = rng.randint(1, 5)
    kinds = ["weak", "strong", None] if fair else [None]
    edges = {"weak": [], "strong": [], None: []}
    for _ in range(rng.randint(1, 2 * count)):
        edges[rng.choice(kinds)].append((rng.randrange(count), rng.randrange(count)))
    labels = ["".join(each for each in LETTERS if rng.random() < 0.5) for _ in range(count)]
    return edges, labels


def random_formula(rng, depth):
    """Return a random formula of linear time."""
    if depth == 0:
        return wb.formula(rng.choice(["p", "q", "p", "q", "true", "false"]))
    unary = [wb.always, wb.eventually, wb.next, lambda part: ~part]
    binary = [wb.until, wb.release, lambda one, other: one & other, lambda one, other: one >> other]
    if rng.random() < 0.5:
        return rng.choice(unary)(random_formula(rng, depth - 1))
    return rng.choice(binary)(random_formula(rng, depth - 1), random_formula(rng, depth - 1))


def random_branching_formula(rng, depth):
    """Return a random formula of branching time."""
    if depth == 0:
        return wb.formula(rng.choice(["p", "q", "p", "q", "true", "false"]))
    unary = [wb.EX, wb.EF, wb.EG, wb.AX, wb.AF, wb.AG, lambda part: ~part]
    binary = [wb.EU, wb.AU, lambda one, other: one & other, lambda one, other: one >> other]
    if rng.random() < 0.5:
        return rng.choice(unary)(random_branching_formula(rng, depth - 1))
    parts = random_branching_formula(rng, depth - 1), random_branching_formula(rng, rng.randrange(depth))
    return rng.choice(binary)(*parts)


def successors_of(edges, count):
    """Return the states after each; itself after one out of which nothing leads."""
    after = {state: set() for state in range(count)}
    for pairs in edges.values():
        for source, target in pairs:
            after[source].add(target)
    return {state: found or {state} for state, found in after.items()}


def states_with(formula, after, labels):
    """Return in which states a formula of branching time is true: paths of every length are followed."""
    everywhere = set(after)
    if isinstance(formula, Constant):
        return everywhere if formula.value else set()
    if isinstance(formula, Atom):
        return {state for state in after if formula.name in labels[state]}
    parts = [states_with(part, after, labels) for part in formula.parts]
    match formula.operator:
        case "not":
            found = everywhere - parts[0]
        case "and":
            found = parts[0] & parts[1]
        case "or":
            found = parts[0] | parts[1]
        case "EX":
            found = {state for state in after if after[state] & parts[0]}
        case "EU":
            found = {state for state in after if _comes_to(state, after, *parts)}
        case _:
            found = {state for state in after if _goes_on(state, after, *parts)}
    return found


def _comes_to(state, after, before, then):
    """Tell whether some path comes to one of some states, by others only."""
    seen, waiting = set(), [state]
    while waiting:
        at = waiting.pop()
        if at in then:
            return True
        if at in before and at not in seen:
            seen.add(at)
            waiting += after[at]
    return False


def _goes_on(state, after, within):
    """Tell whether some path of more steps than there are states stays within some: then one never ends."""
    here = {state} & within
    for _ in after:
        here = {target for at in here for target in after[at]} & within
    return bool(here)


def holds_on(formula, word, loop):
    """Return in which places of a word that goes back to `loop` for ever a formula is true."""
    count = len(word)
    after = [*range(1, count), loop]
    if isinstance(formula, Constant):
        return [formula.value] * count
    if isinstance(formula, Atom):
        return [formula.name in letters for letters in word]
    parts = [holds_on(part, word, loop) for part in formula.parts]
    if formula.operator == "not":
        return [not each for each in parts[0]]
    if formula.operator in ("and", "or"):
        join = all if formula.operator == "and" else any
        return [join(each) for each in zip(*parts, strict=True)]
    if formula.operator == "next":
        return [parts[0][after[place]] for place in range(count)]
    left, right = parts
    values = [formula.operator == "release"] * count
    for _ in range(2 * count + 2):
        for place in reversed(range(count)):
            later = values[after[place]]
            if formula.operator == "until":
                values[place] = right[place] or (left[place] and later)
            else:
                values[place] = right[place] and (left[place] or later)
    return values


def lassos(edges, count, most):
    """Yield every behaviour of at most so many steps that comes back to one of its states."""
    out = {state: [] for state in range(count)}
    for kind, pairs in edges.items():
        for number, (source, target) in enumerate(pairs):
            out[source].append(((kind, number), target))
    for state, found in out.items():
        if not found:
            found.append((("stays", state), state))

    def walk(states, steps):
        for label, target in out[states[-1]]:
            more = [*steps, label]
            for loop, state in enumerate(states):
                if state == target:
                    yield states, more, loop
            if len(more) < most:
                yield from walk([*states, target], more)

    yield from walk([0], [])


def is_fair(edges, states, steps, loop):
    """Tell whether a lasso treats each fair edge as declared."""
    inside, taken = set(states[loop:]), set(steps[loop:])
    for kind in ("weak", "strong"):
        for number, (source, _) in enumerate(edges[kind]):
            enabled = inside == {source} if kind == "weak" else source in inside
            if enabled and (kind, number) not in taken:
                return False
    return True


def seeded(seed):
    """Return a generator of random numbers of our own."""
    return random.Random(seed)
