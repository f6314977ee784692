"""Stack traces as text, as spans carry them in ``exception.stacktrace``: of Python, Java and JavaScript.

=========== ==================================== ====================== =============================
language    a frame                              innermost is           the root cause
=========== ==================================== ====================== =============================
Python      ``File "a.py", line 3, in run``      the last               the first of several tracebacks
Java        ``at a.B.run(B.java:3)``             the first              the last ``Caused by:``
JavaScript  ``at run (a.js:3:14)``               the first              not said
=========== ==================================== ====================== =============================
"""

import re

from workbench.reliability.errors._call_sites import CallSite, innermost

__all__ = ["root_of", "site_in"]

DIRECT_CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
PYTHON = re.compile(r'^\s*File "([^"\n]+)", line (\d+), in (.+)$', re.MULTILINE)
AT = re.compile(r"^\s*at (?:([^\s(][^(\n]*?) ?\()?([^()\n]+?):(\d+)(?::\d+)?\)?\s*$", re.MULTILINE)
LAST_LINE = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")
CAUSED_BY = re.compile(r"^Caused by: ([\w.$]+)(?:: (.*))?$", re.MULTILINE)
PLATFORM = re.compile(r"^(?:java|javax|jdk|sun|kotlin|scala)[./]|^node:")


def site_in(stack: str) -> CallSite:
    """Return the innermost line of user code that a stack trace names."""
    blocks = reversed(stack.split(DIRECT_CAUSE))  # the root cause last
    frames = [
        CallSite(file, int(line), function)
        for block in blocks
        for file, line, function in PYTHON.findall(block)
    ]
    return innermost(frames or _frames_after_at(stack))


def root_of(stack: str) -> tuple[str, str] | None:
    """Return type and message of the root cause, where the stack trace names one beneath its exception."""
    caused = CAUSED_BY.findall(stack)
    if caused:
        name, message = caused[-1]
        return name, message
    if DIRECT_CAUSE not in stack:
        return None
    lines = [line for line in stack.split(DIRECT_CAUSE, 1)[0].splitlines() if line and line[0] not in " |"]
    for line in reversed(lines):  # a message may have several lines: the one that names a type is before them
        found = LAST_LINE.match(line)
        if found and line != "Traceback (most recent call last):":
            return found[1], found[2] or ""
    return None


def _frames_after_at(stack: str) -> list[CallSite]:
    """Return the frames of Java and JavaScript, outermost first, the root cause last."""
    blocks = re.split(r"^Caused by: ", stack, flags=re.MULTILINE)
    return [
        CallSite(file, int(line), name)
        for block in blocks
        for name, file, line in reversed(AT.findall(block))
        if not PLATFORM.search(name or file)
    ]
