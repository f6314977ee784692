"""Data in, pictures out: SVG and HTML that look the same in JupyterLab, on GitHub and in a file.

::

    timeline(...)  -> Picture   a trace as a waterfall
    graph(...)     -> Picture   a directed graph, in layers from left to right
    heatmap(...)   -> Picture   counts over two binned axes
    schedule(...)  -> Picture   operations that overlap, and an order of them
    sequence(...)  -> Picture   who did what, and what it changed elsewhere, from top to bottom
    bars(...)      -> Picture   numbers by name, in proportion
    table(...)     -> Table     rows as text and as HTML
    use_style()                 the matplotlib style of all curves
    notebook_display()          what shows and updates in the cell that runs, if there is one
    new_axes(...)  -> Axes      those given, or new ones in that style
    plain_text(...)             names as they are, in labels of curves
    duration_text(ns), plural(count, noun)   what numbers are called in texts

The room knows arrays and strings only: no telemetry, no models. The same input gives the same bytes.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.display._bars import bars
    from workbench.display._graph import graph
    from workbench.display._heatmap import heatmap
    from workbench.display._notebook import notebook_display
    from workbench.display._picture import Picture
    from workbench.display._schedule import schedule
    from workbench.display._sequence import sequence
    from workbench.display._style import new_axes, plain_text, use_style
    from workbench.display._table import Table, table
    from workbench.display._timeline import timeline
    from workbench.display._units import duration_text, plural
    from workbench.display.errors import DisplayError

__all__ = [
    "DisplayError",
    "Picture",
    "Table",
    "bars",
    "duration_text",
    "graph",
    "heatmap",
    "new_axes",
    "notebook_display",
    "plain_text",
    "plural",
    "schedule",
    "sequence",
    "table",
    "timeline",
    "use_style",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DisplayError": "errors",
        "Picture": "_picture",
        "Table": "_table",
        "bars": "_bars",
        "duration_text": "_units",
        "graph": "_graph",
        "heatmap": "_heatmap",
        "new_axes": "_style",
        "notebook_display": "_notebook",
        "plain_text": "_style",
        "plural": "_units",
        "schedule": "_schedule",
        "sequence": "_sequence",
        "table": "_table",
        "timeline": "_timeline",
        "use_style": "_style",
    },
)
