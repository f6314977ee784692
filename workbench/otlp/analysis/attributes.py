r"""Attributes that explain a difference: values that some spans have, and others have not.

For every ``key=value`` that enough units (spans, or traces with any span that has it) have, a table of two by
two is made: target or other, with or without the value. It gives

* *lift* :math:`= P(v \mid target) / P(v)`: how many times more often targets have it than all;
* *information*: the mutual information of having the value and being a target, in bits; it ranks;
* *q*: Fisher's exact test or chi-square, corrected for the number of values (Benjamini & Hochberg).

Numbers of many values are cut at their quartiles. Values of fewer than 8 units (most ids) are not tested,
and neither are keys in `EPHEMERAL`: a connection lives through a fault, so its port goes along with
it. Two values that always come together rank alike: information says what goes together, not why.
"""

from typing import TYPE_CHECKING

from workbench.otlp._masks import Mask, to_mask
from workbench.otlp.analysis._explanation import Explanation

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["explain"]


def explain(traces: "Traces", mask: Mask) -> Explanation:
    """Return which attribute values the chosen spans have more, or less, often than the others.

    Parameters
    ----------
    traces : Traces
        Compare like with like: the spans of one operation, most often.
    mask : numpy, Arrow or pandas booleans, `(n,)`
        The spans to explain: the slow, the failed.

    Raises
    ------
    MaskError
        When it is not one boolean a span.

    Examples
    --------
    >>> from workbench import otlp
    >>> import pyarrow.compute as pc
    >>> traces = otlp.read("datasets/checkout/traces.otlp.zst")
    >>> charges = traces.filter(pc.equal(traces["name"], "POST /charges"))
    >>> failed = pc.equal(charges["status.code"], 2)
    >>> otlp.explain(charges, failed).to_pandas()["key"][0]
    'http.response.status_code'
    """
    chosen = to_mask(mask, len(traces))
    return Explanation.of([traces], None, chosen, "chosen spans", "others")
