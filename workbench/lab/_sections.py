"""The sections of a notebook: its title, and the conclusion that it ends in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

__all__ = ["conclusion", "title"]

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)\s*$")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_CONCLUDES = re.compile(
    r"\b(conclusions?|summary|take-?aways?|findings|in short|wrap(ping)?[ -]?up|"
    r"what (this|it|all this) (shows?|showed|means?|tells?|told|proves?)|"
    r"what (we|you) (saw|learned|learnt|found|have \w+|know now)|what was \w+)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\b(exercises?|references?|further reading|reading|sources|literature|bibliography|next( steps?)?|"
    r"see also|appendix|acknowledge?ments?)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Section:
    level: int
    heading: str
    text: str
    above: "_Section | None"

    def is_about(self, pattern: re.Pattern[str]) -> bool:
        """Say whether this section, or one that it belongs to below the title, has such a heading."""
        section: _Section | None = self
        while section is not None and (section.above is not None or section is self):
            if pattern.search(section.heading):
                return True
            section = section.above
        return False


def title(notebook: NotebookNode) -> str | None:
    """Return the level-1 heading that the first cell opens with, if it does."""
    if not notebook.cells or notebook.cells[0].cell_type != "markdown":
        return None
    lines = list(_lines(_COMMENT.sub("", notebook.cells[0].source).lstrip()))
    return lines[0][1] if lines and lines[0][0] == 1 and lines[0][1] else None


def conclusion(notebook: NotebookNode) -> str:
    """Return the text of the section that concludes the notebook; empty if there is none."""
    sections = _sections(notebook)
    if sections and sections[0].level == 1:
        sections = sections[1:]  # the title announces, it does not conclude
    while sections and sections[-1].is_about(_FOLLOWS) and not sections[-1].is_about(_CONCLUDES):
        sections.pop()
    if not sections or not sections[-1].is_about(_CONCLUDES):
        return ""
    text = _COMMENT.sub("", sections[-1].text)
    return text.strip() if re.search(r"\w", text) else ""


def _sections(notebook: NotebookNode) -> list[_Section]:
    found: list[_Section] = []
    markdown = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for level, text in (line for source in markdown for line in _lines(source)):
        if level:
            above = next((section for section in reversed(found) if section.level < level), None)
            found.append(_Section(level, text, "", above))
        elif found:
            found[-1].text += f"{text}\n"
    return found


def _lines(source: str) -> Iterator[tuple[int, str]]:
    """Yield ``(level, text)`` of each line of Markdown; the level of a line that is no heading is 0."""
    lines, fenced = source.splitlines(), False
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        fenced ^= bool(_FENCE.match(line))
        heading, underline = _HEADING.match(line), _UNDERLINE.match(below)
        if heading and not fenced:
            yield len(heading[1]), heading[2]
        elif underline and line.strip() and not fenced:
            yield (1 if underline[1][0] == "=" else 2), line.strip()
        elif fenced or not _UNDERLINE.match(line):
            yield 0, line
