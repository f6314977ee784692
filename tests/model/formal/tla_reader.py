"""A reader of the part of TLA+ that exports use, which knows nothing of how they are made.

It evaluates `Init` and the actions of a module over states that are dictionaries, and so counts states.
"""

import functools
import re

TOKEN = re.compile(
    r"""\s*("(?:\\.|[^"\\])*"|\d+|\w+'?|/\\|\\/|\\in|\\div|\|->|:>|@@|->|\.\.|<<|>>|<=|\S)""", re.VERBOSE
)
STRENGTH = {"\\/": 1, "/\\": 2, "=": 4, "#": 4, "<": 4, "<=": 4, "\\in": 4, "+": 6, "-": 6, "*": 7, "%": 7}
STRENGTH |= {"\\div": 7, "..": 5, "@@": 5, ":>": 5.5}


class Module:
    """A module's definitions, as text."""

    def __init__(self, text):
        body = text[text.index("*)") + 2 :]
        self.variables = re.search(r"VARIABLES (.*)", body)[1].split(", ")
        blocks = re.findall(r"^(\w+) ==(.*?)(?=^\w+ ==|^====)", body, re.MULTILINE | re.DOTALL)
        self.definitions = {name: text.strip("\n") for name, text in blocks}
        self.constraints = re.findall(r"^CONSTRAINT (\w+)", text, re.MULTILINE)
        self.actions = re.findall(r"\\/ (\w+)", self.definitions["Next"])

    def initial(self):
        """Return the initial states."""
        return [self._assigned(way, {}, "") for way in ways(self.definitions["Init"])]

    def successors(self, state):
        """Yield the states after each action."""
        for name in self.actions:
            for way in ways(self.definitions[name]):
                after = self._assigned(way, state, "'")
                if after is not None:
                    yield after

    def holds(self, name, state):
        """Return whether a definition is true of a state."""
        text = self.definitions[name]
        return all(evaluated(part, state) for part in ways(text)[0])

    def reachable(self):
        """Return every state that can be reached."""
        seen, waiting = {}, self.initial()
        while waiting:
            state = waiting.pop()
            kept = all(self.holds(name, state) for name in self.constraints)
            if kept and repr(state) not in seen:
                seen[repr(state)] = state
                waiting.extend(self.successors(state))
        return list(seen.values())

    def _assigned(self, conjuncts, state, prime):
        """Return what a list of conjuncts sets the variables to; None where one of them is false."""
        after = {}
        for text in conjuncts:
            target = re.match(rf"(\w+){prime} = ", text)
            unchanged = re.match(r"UNCHANGED (?:<<(.*)>>|(\w+))$", text)
            if unchanged:
                names = (unchanged[1] or unchanged[2]).split(", ")
                after |= {name: state[name] for name in (self.variables if names == ["vars"] else names)}
            elif target and target[1] in self.variables and (prime or target[1] not in after):
                after[target[1]] = evaluated(text[target.end() :], state)
            elif not evaluated(text, state):
                return None
        assert sorted(after) == sorted(self.variables), "an action says of each variable what becomes of it"
        return {name: after[name] for name in self.variables}


def ways(text):
    """Split a definition's body into its disjuncts, and each into its conjuncts, by how they are laid out."""
    found = []
    for line in text.strip("\n").split("\n"):
        line = line.strip()  # noqa: PLW2901
        if line.startswith("\\/ /\\ ") or not found:
            found.append([])
        found[-1].append(re.sub(r"^(\\/ )?/\\ ", "", line))
    return found


def evaluated(text, state):
    """Return the value of an expression in a state."""
    return Reader(tokens_of(text), state).whole()


@functools.cache
def tokens_of(text):
    """Return the tokens of an expression."""
    return TOKEN.findall(text)


class Reader:
    """Evaluates the tokens of one expression."""

    def __init__(self, tokens, state):
        self.tokens, self.state, self.at = tokens, state, 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.tokens[self.at]
        assert wanted in (None, token), f"expected {wanted}, found {token} in {' '.join(self.tokens)}"
        self.at += 1
        return token

    def whole(self):
        value = self.expression(0)
        assert self.peek() is None, self.tokens
        return value

    def expression(self, least):
        left = self.operand()
        while self.peek() in STRENGTH and STRENGTH[self.peek()] > least:
            sign = self.take()
            left = operated(sign, left, self.expression(STRENGTH[sign]))
        return left

    def operand(self):
        value = self.simple()
        while self.peek() == "[":
            self.take()
            value = value[self.expression(0)]
            self.take("]")
        return value

    def simple(self):  # noqa: C901, PLR0911 - one for each form
        token = self.take()
        if token == "(":
            value = self.expression(0)
            self.take(")")
            return value
        if token == "~":
            return not self.expression(3)
        if token == "-":
            return -self.operand()
        if token == "IF":
            test = self.expression(0)
            self.take("THEN")
            yes = self.expression(0)
            self.take("ELSE")
            no = self.expression(0)
            return yes if test else no
        if token == "[":
            return self.function()
        if token == "{":
            return frozenset(self.listed("}"))
        if token == "Assert":
            raise AssertionError
        if token in ("TRUE", "FALSE"):
            return token == "TRUE"
        if token == "BOOLEAN":
            return frozenset((False, True))
        if token.isdigit():
            return int(token)
        return token if token.startswith('"') else self.state[token]

    def listed(self, end):
        found = [self.expression(0)]
        while self.peek() == ",":
            self.take()
            found.append(self.expression(0))
        self.take(end)
        return found

    def function(self):
        if self.tokens[self.at + 1] == "EXCEPT":
            return self.changed()
        if self.tokens[self.at + 1] == "\\in":
            self.at += 2
            keys = self.expression(0)
            self.take("|->")
            value = self.expression(0)
            self.take("]")
            return dict.fromkeys(sorted(keys), value)
        keys = sorted(self.expression(0))
        self.take("->")
        values = self.expression(0)
        self.take("]")
        return Functions(keys, values)

    def changed(self):
        value = self.state[self.take()]
        self.take("EXCEPT")
        while self.peek() != "]":
            self.take("!")
            places = []
            while self.peek() == "[":
                self.take()
                places.append(self.expression(0))
                self.take("]")
            self.take("=")
            value = replaced(value, places, self.expression(0))
            if self.peek() == ",":
                self.take()
        self.take("]")
        return value


class Functions:
    """The set of functions from some keys to some values."""

    def __init__(self, keys, values):
        self.keys, self.values = keys, values

    def __contains__(self, function):
        return list(function) == self.keys and all(value in self.values for value in function.values())


def replaced(value, places, new):
    """Return a function with another value in one place."""
    return {**value, places[0]: replaced(value[places[0]], places[1:], new)} if places else new


def operated(sign, left, right):  # noqa: C901, PLR0911, PLR0912 - one for each operator
    """Return the outcome of an operator."""
    match sign:
        case "/\\":
            return left and right
        case "\\/":
            return left or right
        case "=":
            return left == right
        case "#":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case "\\in":
            return left in right
        case "..":
            return frozenset(range(left, right + 1))
        case ":>":
            return {left: right}
        case "@@":
            return dict(sorted({**right, **left}.items()))
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "%":
            return left % right
        case _:
            return left // right
