r"""Temporal formulas as text, in the signs of SPIN and TLA+ and in words.

::

    formula     = implied { ( "<->" | "<=>" | "↔" | "⇔" ) implied }
    implied     = either [ ( "->" | "=>" | "→" | "⇒" | "implies" | "~>" | "leads_to" ) implied ]
    either      = both { ( "||" | "|" | "or" | "\\/" | "∨" ) both }
    both        = timed { ( "&&" | "&" | "and" | "/\\" | "∧" ) timed }
    timed       = unary [ ( "U" | "until" | "W" | "weakuntil" | "R" | "V" | "release" ) timed ]
    unary       = ( "[]" | "□" | "G" | "always" | "<>" | "◇" | "F" | "eventually" | "X" | "○" | "next"
                  | "!" | "~" | "¬" | "not" | "AX" | "EX" | "AF" | "EF" | "AG" | "EG" ) unary
                | ( "A" | "E" ) "[" formula "]" | "(" formula ")" | "true" | "false" | name

`p ~> q` is p leads to q; `p W q` is p until q, or p for ever. Between A[ and ] stands an `until`. What
is an operator here cannot be a predicate's name; in a Python expression, `always(G)`, it can.
"""  # noqa: RUF002 - the signs of logic are no letters

import re
from collections.abc import Callable
from typing import NoReturn

from workbench.model.formal.errors import ModelError
from workbench.model.formal.temporal import formulas as made
from workbench.model.formal.temporal.formulas import Formula

__all__ = ["parsed"]

TOKEN = re.compile(
    r"\s*(<->|<=>|->|=>|~>|\[\]|<>|\|\||&&|\\/|/\\|[!~&|()\[\]□◇○¬∧∨→⇒↔⇔]|[^\W\d]\w*)"  # noqa: RUF001
)
UNARY: dict[str, Callable[[Formula], Formula]] = {
    **dict.fromkeys(("[]", "□", "G", "always"), made.always),
    **dict.fromkeys(("<>", "◇", "F", "eventually"), made.eventually),
    **dict.fromkeys(("X", "○", "next"), made.next),
    **dict.fromkeys(("!", "~", "¬", "not"), lambda part: ~part),
    **{name: getattr(made, name) for name in ("AX", "EX", "AF", "EF", "AG", "EG")},
}
SAME = {"<->", "<=>", "↔", "⇔"}
LEADS_TO = {"~>", "leads_to"}
IMPLIES = {"->", "=>", "→", "⇒", "implies", *LEADS_TO}
OR = {"||", "|", "or", "\\/", "∨"}  # noqa: RUF001
AND = {"&&", "&", "and", "/\\", "∧"}
UNTIL = {"U", "until"}
WEAK_UNTIL = {"W", "weakuntil"}
RELEASE = {"R", "V", "release"}
WORDS = {*UNARY, *IMPLIES, *OR, *AND, *UNTIL, *WEAK_UNTIL, *RELEASE, "A", "E"}


def parsed(text: str) -> Formula:
    """Return the formula that a text stands for.

    Raises
    ------
    ModelError
        Saying at which character the text is no formula, and what may stand there.
    """
    reader = _Reader(text)
    try:
        found = reader.formula()
    except RecursionError:
        msg = f"{text[:60]!r}… is nested too deeply to be read as a temporal formula"
        raise ModelError(msg) from None
    reader.expect("")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if found is None:
                self.fail(at + len(text[at:]) - len(text[at:].lstrip()), "an operator or a name")
            self.tokens.append((found[1], found.start(1)))
            at = found.end()
        self.position = 0

    def fail(self, at: int, wanted: str) -> NoReturn:
        msg = f"{self.text!r} is no temporal formula: at character {at + 1} there should be {wanted}"
        raise ModelError(msg)

    @property
    def token(self) -> str:
        return self.tokens[self.position][0] if self.position < len(self.tokens) else ""

    @property
    def place(self) -> int:
        return self.tokens[self.position][1] if self.token else len(self.text)

    def take(self, wanted: set[str]) -> str:
        token = self.token
        if token and token in wanted:
            self.position += 1
            return token
        return ""

    def expect(self, wanted: str) -> None:
        if self.token != wanted:
            self.fail(self.place, f"{wanted!r}" if wanted else "an operator or the end")
        self.position += bool(wanted)

    def formula(self) -> Formula:
        left = self.implied()
        while self.take(SAME):
            right = self.implied()
            left = (left >> right) & (right >> left)
        return left

    def implied(self) -> Formula:
        left = self.either()
        sign = self.take(IMPLIES)
        if not sign:
            return left
        right = self.implied()
        return made.leads_to(left, right) if sign in LEADS_TO else left >> right

    def either(self) -> Formula:
        left = self.both()
        while self.take(OR):
            left = left | self.both()
        return left

    def both(self) -> Formula:
        left = self.timed()
        while self.take(AND):
            left = left & self.timed()
        return left

    def timed(self) -> Formula:
        left = self.unary()
        if self.take(UNTIL):
            return made.until(left, self.timed())
        if self.take(WEAK_UNTIL):
            after = self.timed()
            return made.release(after, left | after)
        if self.take(RELEASE):
            return made.release(left, self.timed())
        return left

    def unary(self) -> Formula:
        sign = self.take(set(UNARY))
        if sign:
            return UNARY[sign](self.unary())
        quantifier = self.take({"A", "E"})
        if quantifier:
            return self.quantified(quantifier)
        if self.take({"("}):
            found = self.formula()
            self.expect(")")
            return found
        return self.atom()

    def quantified(self, quantifier: str) -> Formula:
        self.expect("[")
        at = self.place
        found = self.formula()
        if not (isinstance(found, made.Linear) and found.operator == "until"):
            self.fail(at, "p U q")
        self.expect("]")
        return (made.AU if quantifier == "A" else made.EU)(*found.parts)

    def atom(self) -> Formula:
        token = self.token
        if token in ("true", "false"):
            self.position += 1
            return made.Constant(token == "true")  # noqa: S105 - no password
        if not token.isidentifier() or token in WORDS:
            operator = f", and {token!r} is an operator" if token in WORDS and token.isidentifier() else ""
            self.fail(self.place, f"a predicate's name, an operator or '('{operator}")
        self.position += 1
        return made.Atom(token)
