"""Outputs of a cell: from the kernel's messages to what a notebook stores.

A stored output must not depend on when the kernel happened to flush: neighbouring pieces of one stream are
joined, stdout stands before stderr, and what a carriage return overwrote is gone, as on the screen.
"""

import re
from itertools import groupby
from typing import Any

from nbformat import NotebookNode, v4

__all__ = ["Transcript", "merge_streams", "plain", "texts"]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)
_SHOWN = frozenset({"stream", "display_data", "execute_result", "error"})


class Transcript:
    """The outputs of one cell, built from the messages that its execution publishes."""

    def __init__(self) -> None:
        self.outputs: list[NotebookNode] = []
        self.execution_count: int | None = None
        self._by_display: dict[str, list[NotebookNode]] = {}
        self._clear_at_next = False

    def add(self, message: dict[str, Any]) -> None:
        """Take one message of the kernel's iopub channel."""
        kind, content = message["header"]["msg_type"], message["content"]
        if kind in _SHOWN:
            self._show(message)
        elif kind == "execute_input":
            self.execution_count = content["execution_count"]
        elif kind == "clear_output":
            self._clear(wait=content.get("wait", False))
        elif kind == "update_display_data":
            self._update(content)

    def _show(self, message: dict[str, Any]) -> None:
        if self._clear_at_next:
            self._clear(wait=False)
        output = v4.output_from_msg(message)  # type: ignore[no-untyped-call]
        self.outputs.append(output)
        display = message["content"].get("transient", {}).get("display_id")
        if display is not None:
            self._by_display.setdefault(display, []).append(output)

    def _clear(self, *, wait: bool) -> None:
        self._clear_at_next = wait
        if not wait:
            self.outputs.clear()
            self._by_display.clear()

    def _update(self, content: dict[str, Any]) -> None:
        """Change a display of this cell; one of a cell above stays as it was compared."""
        for output in self._by_display.get(content["transient"]["display_id"], ()):
            output.data, output.metadata = content["data"], content["metadata"]


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return `outputs` with each run of neighbouring streams as one stdout and one stderr, in this order."""
    merged: list[NotebookNode] = []
    for is_stream, neighbours in groupby(outputs, lambda output: bool(output.output_type == "stream")):
        run = list(neighbours)
        merged += _joined(run) if is_stream else run
    return merged


def plain(text: str) -> str:
    """Return `text` without terminal colours."""
    return _ANSI.sub("", text)


def texts(output: NotebookNode) -> list[str]:
    """Return what an output says in words: a stream, an error, or the textual forms of a display."""
    if output.output_type == "stream":
        return [plain(output.text)]
    if output.output_type == "error":
        return [output.evalue, *map(plain, output.traceback)]
    return [
        value for form, value in output.data.items() if form.startswith("text/") and isinstance(value, str)
    ]


def _joined(streams: list[NotebookNode]) -> list[NotebookNode]:
    names = sorted({stream.name for stream in streams}, key=lambda name: (name != "stdout", name))
    whole = {name: "".join(stream.text for stream in streams if stream.name == name) for name in names}
    return [
        v4.new_output("stream", name=name, text=_OVERWRITTEN.sub("", text))  # type: ignore[no-untyped-call]
        for name, text in whole.items()
    ]
