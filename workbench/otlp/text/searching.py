"""Which records hold a text, start with it, or match a pattern.

::

    logs.filter(otlp.search(logs["body"], "TIMEOUT"))
    traces.filter(otlp.search(traces["http.route"], "/api/*/orders", how="glob"))

Substrings, prefixes, suffixes and globs run over the bytes of the column at about the speed of memory
(`workbench.kernels.contains`). Regular expressions are RE2's, through Arrow: linear time, no look-around, no
references back.

Without case: the ASCII letters A-Z and a-z are the same. Where the text that is looked for has other
letters, both are compared in Unicode's lower case, which takes a copy of the column. Regular expressions fold
as RE2 does.
"""

import re
import warnings
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench import kernels
from workbench.errors import WorkbenchError
from workbench.otlp.text._arrow_strings import Column, TextColumnError, as_text, layout

__all__ = ["PatternError", "search"]

How = Literal["substring", "prefix", "suffix", "glob", "regex"]

HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
Search: TypeAlias = Callable[[pa.Array], npt.NDArray[np.bool_]]
KERNELS = {
    "substring": kernels.contains,
    "prefix": kernels.starts_with,
    "suffix": kernels.ends_with,
    "glob": kernels.glob,
}


class PatternError(WorkbenchError, ValueError):
    """Raised when a regular expression cannot be read, or what is looked for can be in no text.

    Attributes
    ----------
    pattern : str
    position : int
        The character of the pattern at which the fault shows.
    """

    def __init__(self, reason: str, pattern: str, position: int) -> None:
        super().__init__(reason, pattern, position)
        self.reason, self.pattern, self.position = reason, pattern, position

    def __str__(self) -> str:
        return f"{self.reason}, at character {self.position} of {self.pattern!r}"


def search(
    column: Column, text: str, *, how: How = "substring", ignore_case: bool = False
) -> npt.NDArray[np.bool_]:
    """Tell for each record whether its text holds, starts with, ends with or matches what is looked for.

    Parameters
    ----------
    column : pyarrow.ChunkedArray or pyarrow.Array, `(n,)`
        Texts: ``logs["body"]`` or any attribute. Of a dictionary only the distinct values are searched.
    text : str
    how : {"substring", "prefix", "suffix", "glob", "regex"}
        A glob has to match all of a text: ``*`` is any run of characters, line ends included, ``?`` one
        character, ``[a-z]`` and ``[!a-z]`` one of a set and one of all others. A regular expression has to
        match somewhere; its syntax is RE2's.
    ignore_case : bool

    Returns
    -------
    (n,) bool
        Aligned with the records; false where there is no text.

    Raises
    ------
    PatternError
        When a regular expression cannot be read, or `text` has half a character; says where.
    TextColumnError
        When the column holds no texts.
    ValueError
        When `how` is none of these.

    Examples
    --------
    >>> bodies = pa.array(["pool timed out after 30 ms", None, "order accepted"])
    >>> search(bodies, "timed out").tolist()
    [True, False, False]
    >>> search(bodies, "*after * ms", how="glob").tolist()
    [True, False, False]
    """
    if how not in get_args(How):
        msg = f"how must be one of {', '.join(get_args(How))}, got {how!r}"
        raise ValueError(msg)
    texts = as_text(column)
    find = _searcher(_checked_text(text), how, ignore_case=ignore_case)
    found = [_of_dictionary(chunk, find) if _is_dictionary(chunk) else find(chunk) for chunk in texts.chunks]
    return np.concatenate([np.zeros(0, np.bool_), *found]) if len(found) != 1 else found[0]


def _checked_text(text: object) -> str:
    if not isinstance(text, str):
        msg = f"expected the text to look for as a str, got {text!r}"
        raise TypeError(msg)
    half = HALF_A_CHARACTER.search(text)
    if half:
        reason = "half of a character, which no text has: a surrogate without the other"
        raise PatternError(reason, text, half.start())
    return text


def _is_dictionary(chunk: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(chunk.type))


def _of_dictionary(chunk: pa.Array, find: Search) -> npt.NDArray[np.bool_]:
    """Search the distinct values, and give each row the answer of its value."""
    answers = pa.array(find(chunk.dictionary))
    rows = answers.take(chunk.indices).fill_null(False)
    return np.array(rows.to_numpy(zero_copy_only=False), bool)


def _searcher(text: str, how: How, *, ignore_case: bool) -> Search:
    if how == "regex":
        return _regex_searcher(text, ignore_case=ignore_case)
    lowered = ignore_case and not text.isascii()
    wanted = pc.utf8_lower(pa.scalar(text)).as_py() if lowered else text

    def find(chunk: pa.Array) -> npt.NDArray[np.bool_]:
        texts = _lower(chunk) if lowered else chunk
        found = KERNELS[how](*layout(texts), wanted, ignore_case=ignore_case)
        if chunk.null_count:
            found &= chunk.is_valid().to_numpy(zero_copy_only=False)
        return found

    return find


def _lower(chunk: pa.Array) -> pa.Array:
    """Return texts in Unicode's lower case."""
    text = {pa.binary(): pa.string(), pa.large_binary(): pa.large_string()}
    try:
        return pc.utf8_lower(chunk.cast(text.get(chunk.type, chunk.type)))
    except pa.ArrowInvalid as error:
        msg = f"expected UTF-8, to ignore the case of letters outside of ASCII: {error}"
        raise TextColumnError(msg) from error


def _regex_searcher(pattern: str, *, ignore_case: bool) -> Search:
    _check_pattern(pattern)

    def find(chunk: pa.Array) -> npt.NDArray[np.bool_]:
        found = pc.match_substring_regex(chunk, pattern, ignore_case=ignore_case).fill_null(False)
        return np.array(found.to_numpy(zero_copy_only=False), bool)

    return find


def _check_pattern(pattern: str) -> None:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        reason, _, fragment = str(error).removeprefix("Invalid regular expression: ").partition(": ")
        raise PatternError(reason, pattern, _position(pattern, fragment)) from error


def _position(pattern: str, fragment: str) -> int:
    """Return where a fault shows: at the fragment that RE2 names; if that is all, where Python sees one."""
    if fragment and fragment != pattern:
        return max(0, pattern.find(fragment))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(pattern)
        except re.error as error:
            return error.pos or 0
    return 0
