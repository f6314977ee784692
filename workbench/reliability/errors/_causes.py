"""`Cause`: what went wrong, without what differs from one time to the next.

Messages of one fault differ in numbers, ids, times and addresses. These parts are masked by their kind, in
the words that `workbench.otlp.mine_templates` uses: ``<time>``, ``<uuid>``, ``<ip>``, ``<hex>``, ``<num>``.
"""

import re
from dataclasses import dataclass

from workbench.reliability.errors._rulebook import qualified_name

__all__ = ["OTHER_MESSAGES", "Cause", "cause_of", "encodable", "masked", "message_of", "shortened"]

MOST = 300  # characters of a message that count
OTHER_MESSAGES = "…"
COLOUR = re.compile(r"\x1b\[[\d;]*m")  # of terminals
HEX = r"[0-9A-Fa-f]"
PARTS = re.compile(
    rf"""
    (?P<time>\b\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b
            |\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b)
    |(?P<uuid>\b{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}\b)
    |(?P<ip>\b\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d{{1,5}})?\b)
    |(?P<hex>\b0[xX]{HEX}+\b|\b(?=[A-Fa-f]*\d)(?=\d*[A-Fa-f]){HEX}{{6,}}\b)
    |(?P<num>\d+(?:[.,]\d+)*)
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """A root cause.

    Attributes
    ----------
    type_name : str
        Qualified name of the exception's class; of Python's own, the name alone.
    message : str
        The message with its variable parts masked; ``…`` for several that were put together.
    """

    type_name: str
    message: str

    def __str__(self) -> str:
        """Return package, class and message: where in its package a class is defined says little."""
        package, _, name = self.type_name.partition(".")
        shown = f"{package}.{name.rpartition('.')[2]}" if name else package
        return f"{shown}: {self.message}" if self.message else shown


def cause_of(exc: BaseException) -> Cause:
    """Return what an exception says of itself, masked."""
    return Cause(qualified_name(type(exc)).removeprefix("builtins."), masked(message_of(exc)))


def message_of(exc: BaseException) -> str:
    """Return the message of an exception; one that cannot say it does not end the report."""
    try:
        return shortened(str(exc))
    except Exception as broken:  # noqa: BLE001 - whatever a foreign __str__ raises
        return f"<no message: {type(broken).__name__}>"


def shortened(text: str) -> str:
    """Return the beginning of a text, on one line, as text that every table can hold."""
    return encodable(" ".join(COLOUR.sub("", text[: 4 * MOST]).split())[:MOST])


def encodable(text: str) -> str:
    """Return a text in which lone surrogates, as of undecodable file names, are written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def masked(text: str) -> str:
    """Return a text with numbers, ids, times and addresses replaced by their kinds.

    Examples
    --------
    >>> masked("order 4711 at 10.0.0.7:5432 not found after 0.25 s")
    'order <num> at <ip> not found after <num> s'
    """
    return PARTS.sub(lambda part: f"<{part.lastgroup}>", text)
