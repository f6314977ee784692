"""A page that shows what a notebook promised against what it did: text and pictures, side by side.

The page stands alone: no script, no network, light and dark, everything from the notebook escaped.
"""

import difflib
import html
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from nbformat import NotebookNode

from workbench.lab._finding import Finding
from workbench.lab._outputs import plain

__all__ = ["FailedCell", "diff_page"]

MOST_LINES, MOST_CHARACTERS = 1_000, 600  # the differ is quadratic, and readers stop earlier
_IN_HTML = re.compile(r'src="data:(image/(?:png|jpeg|svg\+xml));base64,([A-Za-z0-9+/=]+)"')


@dataclass(frozen=True, slots=True)
class FailedCell:
    """A cell that failed, with everything that its reader needs."""

    number: int
    label: str
    source: str
    message: str
    details: str
    expected: Sequence[NotebookNode]
    got: Sequence[NotebookNode]
    again: str


def diff_page(name: str, failed: Sequence[FailedCell], findings: Sequence[Finding], *, executed: str) -> str:
    """Return the page of one notebook as HTML."""
    links = "".join(
        f'<li><a href="#cell-{cell.number}">{_safe(cell.label)}</a>: {_safe(_first_line(cell.message))}</li>'
        for cell in failed
    )
    sections = "".join(_section(cell, failed) for cell in failed)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{_safe(name)}: expected against got</title><style>{_STYLE}</style></head><body>
<h1>{_safe(name)}</h1>
<p>Expected is what the notebook stores, got is what this run printed.
The <a href="{_safe(executed)}">executed notebook</a> lies beside this page.</p>
{_rules(findings)}<ul>{links}</ul>
{sections}</body></html>
"""


def _rules(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    entries = "".join(f"<li>{_safe(str(finding))}</li>" for finding in findings)
    return f"<h2>Rules</h2><ul>{entries}</ul>\n"


def _section(cell: FailedCell, failed: Sequence[FailedCell]) -> str:
    return f"""<section id="cell-{cell.number}">
<h2>{_safe(cell.label)}</h2>{_neighbours(cell, failed)}
<p class="message">{_safe(plain(cell.message))}</p>
<pre class="source">{_safe(cell.source)}</pre>
{_text_table(_text(cell.expected), _text(cell.got))}
{_picture_table(list(_pictures(cell.expected)), list(_pictures(cell.got)))}
{_folded("what the test said", plain(cell.details))}
{_folded("stderr of this run (not compared)", _stderr(cell.got))}
<p>Again, this cell alone: <code>{_safe(cell.again)}</code></p>
</section>
"""


def _neighbours(cell: FailedCell, failed: Sequence[FailedCell]) -> str:
    here = failed.index(cell)
    before, after = failed[:here][-1:], failed[here + 1 :][:1]
    links = [f'<a href="#cell-{other.number}">&larr; {_safe(other.label)}</a>' for other in before]
    links += [f'<a href="#cell-{other.number}">{_safe(other.label)} &rarr;</a>' for other in after]
    return f"<nav>{' '.join(links)}</nav>" if links else ""


def _text_table(expected: list[str], got: list[str]) -> str:
    """Return two columns of lines, aligned where they agree, marked where they do not."""
    rows = "".join(
        f"<tr class='{kind}'><td><pre>{left}</pre></td><td><pre>{right}</pre></td></tr>"
        for kind, left, right in _aligned(expected, got)
    )
    return f"<table class='text'><tr><th>expected</th><th>got</th></tr>{rows}</table>"


def _aligned(expected: list[str], got: list[str]) -> Iterator[tuple[str, str, str]]:
    for kind, first, last, start, stop in _opcodes(expected, got, MOST_LINES):
        for left, right in zip_longest(expected[first:last], got[start:stop]):
            if kind == "equal":
                yield "same", _safe(left), _safe(right)
            else:
                yield "changed", *_marked(left, right)


def _opcodes(
    left: Sequence[str], right: Sequence[str], most: int
) -> Sequence[tuple[str, int, int, int, int]]:
    """Return how one sequence becomes the other: exactly up to a size, as one block beyond it."""
    if len(left) + len(right) > most and left != right:
        return [("replace", 0, len(left), 0, len(right))]
    return difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()


def _marked(left: str | None, right: str | None) -> tuple[str, str]:
    """Return two lines with what differs between them marked."""
    if left is None or right is None:
        return _mark(left, "del"), _mark(right, "ins")
    old, new = "", ""
    for kind, first, last, start, stop in _opcodes(left, right, MOST_CHARACTERS):
        same = kind == "equal"
        old += _safe(left[first:last]) if same else _mark(left[first:last], "del")
        new += _safe(right[start:stop]) if same else _mark(right[start:stop], "ins")
    return old, new


def _mark(text: str | None, tag: str) -> str:
    return f"<{tag}>{_safe(text)}</{tag}>" if text else ""


def _picture_table(expected: list[str], got: list[str]) -> str:
    if not expected and not got:
        return ""
    rows = "".join(
        f"<tr class='{'same' if left == right else 'changed'}'><td>{left}</td><td>{right}</td></tr>"
        for left, right in zip_longest(expected, got, fillvalue="")
    )
    return f"<table class='pictures'><tr><th>expected</th><th>got</th></tr>{rows}</table>"


def _pictures(outputs: Sequence[NotebookNode]) -> Iterator[str]:
    for output in outputs:
        data = output.get("data", {})
        for form in ("image/png", "image/jpeg"):
            if form in data:
                yield _image(form, "".join(data[form].split()))
        if "image/svg+xml" in data:
            yield _image("image/svg+xml", b64encode(data["image/svg+xml"].encode("utf-8")).decode("ascii"))
        for form, encoded in _IN_HTML.findall(data.get("text/html", "")):
            yield _image(form, encoded)


def _image(form: str, encoded: str) -> str:
    return f'<img alt="{form}" src="data:{form};base64,{_safe(encoded)}">'


def _text(outputs: Sequence[NotebookNode]) -> list[str]:
    """Return the lines of what is compared, plus the tracebacks that explain it."""
    return [line for output in outputs for line in _spoken(output).splitlines()]


def _spoken(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return plain(output.text) if output.name == "stdout" else ""
    if output.output_type == "error":
        return plain("\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
    said = output.data.get("text/plain", "")
    return plain(said) if isinstance(said, str) else str(said)


def _stderr(outputs: Sequence[NotebookNode]) -> str:
    return "".join(
        plain(output.text) for output in outputs if output.output_type == "stream" and output.name == "stderr"
    )


def _folded(title: str, text: str) -> str:
    if not text.strip():
        return ""
    return f"<details><summary>{_safe(title)}</summary><pre>{_safe(text)}</pre></details>"


def _first_line(text: str) -> str:
    return plain(text).strip().partition("\n")[0]


def _safe(text: str | None) -> str:
    return html.escape(text or "")


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --del: #d55e0033; --ins: #009e7333; } body { font: 15px/1.5
system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; } pre, code { font: 13px/1.45
ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; } section { border-top:
1px solid var(--line); margin-top: 2rem; } .source { border-left: 3px solid #0072b2; padding: .5rem .75rem;
margin: .75rem 0; } .message { font-weight: 600; white-space: pre-wrap; } table { border-collapse: collapse;
table-layout: fixed; width: 100%; margin: .75rem 0; } th { text-align: left; font-weight: 600; } th, td {
border: 1px solid var(--line); padding: .1rem .5rem; vertical-align: top; width: 50%; } .text td pre {
min-height: 1.45em; } .changed td:first-child { background: #d55e0018; } .changed td:last-child { background:
#009e7318; } del { background: var(--del); text-decoration: none; } ins { background: var(--ins);
text-decoration: none; } img { max-width: 100%; background: #fff; } details { margin: .75rem 0; } nav a {
margin-right: 1rem; }
"""
