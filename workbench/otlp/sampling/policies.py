"""The policies of a tail sampler: what a trace must be like for `TailSampler` to keep it.

::

    of a trace     AlwaysSample  Latency  SpanCount  Probabilistic
    of a span      StatusCode  TraceState  TraceFlags  OttlCondition
    of attributes  StringAttribute  NumericAttribute  BooleanAttribute   (a span's, or its resource's)
    of the past    RateLimiting  BytesLimiting  Composite
    of policies    And  Not  Drop  Composite

Each is a value, named as in the Collector's configuration; a policy of spans holds for a trace when it holds
for one of its spans. An attribute of another type than asked for reads as 0, false or the empty text.

Source: OpenTelemetry Collector Contrib, ``processor/tailsamplingprocessor/README.md``.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from workbench.otlp.sampling._combining_policies import And, Composite, Drop, Not
from workbench.otlp.sampling._policy import Policy, require
from workbench.otlp.sampling.errors import OttlEngineError, PolicyError

if TYPE_CHECKING:
    from workbench.otlp._masks import Mask
    from workbench.otlp.traces import Traces

__all__ = [
    "AlwaysSample",
    "And",
    "BooleanAttribute",
    "BytesLimiting",
    "Composite",
    "Drop",
    "Latency",
    "Not",
    "NumericAttribute",
    "OttlCondition",
    "Policy",
    "Probabilistic",
    "RateLimiting",
    "SpanCount",
    "StatusCode",
    "StringAttribute",
    "TraceFlags",
    "TraceState",
]

Predicate = Callable[["Traces"], "Mask"]  # e.g. lambda traces: pc.greater(traces["retry.count"], 1)

STATUS_CODES = ("UNSET", "OK", "ERROR")  # by their numbers
INT64 = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True, repr=False)
class AlwaysSample(Policy):
    """Keep every trace."""

    type: ClassVar[str] = "always_sample"


@dataclass(frozen=True, slots=True, repr=False)
class Latency(Policy):
    """Keep traces that last long: from the earliest start to the latest end of their spans.

    Parameters
    ----------
    threshold_ms : int
        Without an upper bound, keep those that last as long or longer; with one, only longer.
    upper_threshold_ms : int
        Keep none that lasts longer; 0 is no bound. As in the Collector, the duration grows with every span
        in order of arrival, and once within the bounds is enough: a trace may exceed it later.
    """

    type: ClassVar[str] = "latency"

    threshold_ms: int = 0
    upper_threshold_ms: int = 0

    def __post_init__(self) -> None:
        for name, value in (
            ("threshold_ms", self.threshold_ms),
            ("upper_threshold_ms", self.upper_threshold_ms),
        ):
            require(value >= 0, f"{name} is 0 or more milliseconds, got {value}")


@dataclass(frozen=True, slots=True, repr=False)
class NumericAttribute(Policy):
    """Keep traces with an integer attribute in a range, or, inverted, without any such.

    Parameters
    ----------
    key : str
    min_value, max_value : int, optional
        Inclusive; one of them at least.
    invert_match : bool
    """

    type: ClassVar[str] = "numeric_attribute"

    key: str
    min_value: int | None = None
    max_value: int | None = None
    invert_match: bool = False

    def __post_init__(self) -> None:
        require(bool(self.key), "key is the name of an attribute, got an empty one")
        low, high = self.bounds
        require(
            not (self.min_value is None and self.max_value is None), "min_value, max_value or both are needed"
        )
        require(
            INT64.min <= low <= high <= INT64.max, f"min_value is at most max_value, got {low} and {high}"
        )

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest value that match."""
        low = INT64.min if self.min_value is None else self.min_value
        return int(low), int(INT64.max if self.max_value is None else self.max_value)


@dataclass(frozen=True, slots=True, repr=False)
class Probabilistic(Policy):
    """Keep a percentage of all traces, by an FNV-1a hash of their trace ids.

    Parameters
    ----------
    sampling_percentage : float
        100 and more keep all, 0 and less none.
    hash_salt : str
        Two samplers of one salt keep the same traces; of two, independent ones.
    """

    type: ClassVar[str] = "probabilistic"

    sampling_percentage: float = 0.0
    hash_salt: str = ""

    def __post_init__(self) -> None:
        require(self.sampling_percentage == self.sampling_percentage, "sampling_percentage is not a number")

    @property
    def salt(self) -> bytes:
        """The salt; the Collector's own where none is given."""
        return (self.hash_salt or "default-hash-seed").encode()

    @property
    def threshold(self) -> int:
        """The greatest 64-bit hash that is kept: 2^64 - 1 times the ratio, rounded to 64 bits."""
        numerator, denominator = min(max(self.sampling_percentage / 100, 0.0), 1.0).as_integer_ratio()
        product = Fraction((2**64 - 1) * numerator, denominator)
        spare_bits = 64 - math.floor(product).bit_length()
        return math.floor(Fraction(round(product * 2**spare_bits), 2**spare_bits))

    @property
    def probability(self) -> float:
        """The share of all hashes that is kept."""
        return (self.threshold + 1) / 2**64


@dataclass(frozen=True, slots=True, repr=False)
class StatusCode(Policy):
    """Keep traces with a span of one of these status codes: ``"ERROR"``, ``"OK"``, ``"UNSET"``."""

    type: ClassVar[str] = "status_code"

    status_codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(len(self.status_codes) > 0, "status_codes needs at least one of ERROR, OK, UNSET")
        for code in self.status_codes:
            require(code in STATUS_CODES, f"a status code is ERROR, OK or UNSET, got {code!r}")


@dataclass(frozen=True, slots=True, repr=False)
class StringAttribute(Policy):
    """Keep traces with a text attribute that matches, or, inverted, without any such.

    Parameters
    ----------
    key : str
    values : tuple of str
        Texts that must be equal, or regular expressions that must be found anywhere in the value: Python's,
        which understand what is usual in Go's.
    enabled_regex_matching : bool
    cache_max_size : int
        Read and ignored: every distinct value is matched once.
    invert_match : bool
    """

    type: ClassVar[str] = "string_attribute"

    key: str
    values: tuple[str, ...] = ()
    enabled_regex_matching: bool = False
    cache_max_size: int = 0
    invert_match: bool = False

    def __post_init__(self) -> None:
        require(bool(self.key), "key is the name of an attribute, got an empty one")
        require(len(self.values) > 0, "values needs at least one text")
        for value in self.values if self.enabled_regex_matching else ():
            try:
                re.compile(value)
            except re.error as error:
                msg = f"values holds {value!r}, which is no regular expression: {error}"
                raise PolicyError(msg) from error

    def matches(self, value: str) -> bool:
        """Tell whether one value matches."""
        if self.enabled_regex_matching:
            return any(re.search(pattern, value) for pattern in self.values)
        return value != "" and value in self.values


@dataclass(frozen=True, slots=True, repr=False)
class TraceState(Policy):
    """Keep traces with a span whose tracestate has one of these values under a key."""

    type: ClassVar[str] = "trace_state"

    key: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.key), "key is that of a tracestate member, got an empty one")
        require(len(self.values) > 0, "values needs at least one text")


@dataclass(frozen=True, slots=True, repr=False)
class TraceFlags(Policy):
    """Keep traces with a span that has the W3C flag "sampled"."""

    type: ClassVar[str] = "trace_flags"


@dataclass(frozen=True, slots=True, repr=False)
class RateLimiting(Policy):
    """Keep traces while a bucket of tokens, one a span, has enough for all their spans.

    Parameters
    ----------
    spans_per_second : int
        How many tokens come in, continuously.
    burst_capacity : int
        How many it holds; 0 is twice as many. It is full at first.
    """

    type: ClassVar[str] = "rate_limiting"

    spans_per_second: int
    burst_capacity: int = 0

    def __post_init__(self) -> None:
        _check_bucket("spans_per_second", self.spans_per_second, self.burst_capacity)

    @property
    def bucket(self) -> tuple[int, int]:
        """Tokens a second, and how many the bucket holds."""
        return self.spans_per_second, self.burst_capacity or 2 * self.spans_per_second


@dataclass(frozen=True, slots=True, repr=False)
class BytesLimiting(Policy):
    """Keep traces while a bucket of tokens, one a byte of their protobuf, has enough for them.

    Parameters
    ----------
    bytes_per_second : int
    burst_capacity : int
        Bytes; 0 is twice `bytes_per_second`. No larger trace is ever kept.
    """

    type: ClassVar[str] = "bytes_limiting"

    bytes_per_second: int
    burst_capacity: int = 0

    def __post_init__(self) -> None:
        _check_bucket("bytes_per_second", self.bytes_per_second, self.burst_capacity)

    @property
    def bucket(self) -> tuple[int, int]:
        """Tokens a second, and how many the bucket holds."""
        return self.bytes_per_second, self.burst_capacity or 2 * self.bytes_per_second


def _check_bucket(name: str, rate: int, burst: int) -> None:
    require(rate > 0, f"{name} is positive, got {rate}")
    require(burst >= 0, f"burst_capacity is 0 or more, got {burst}")


@dataclass(frozen=True, slots=True, repr=False)
class SpanCount(Policy):
    """Keep traces with at least, and where `max_spans` is not 0 at most, so many spans."""

    type: ClassVar[str] = "span_count"

    min_spans: int = 0
    max_spans: int = 0

    def __post_init__(self) -> None:
        for name, value in (("min_spans", self.min_spans), ("max_spans", self.max_spans)):
            require(value >= 0, f"{name} is 0 or more, got {value}")


@dataclass(frozen=True, slots=True, repr=False)
class BooleanAttribute(Policy):
    """Keep traces with a boolean attribute of this value, or, inverted, without any such."""

    type: ClassVar[str] = "boolean_attribute"

    key: str
    value: bool = False
    invert_match: bool = False

    def __post_init__(self) -> None:
        require(bool(self.key), "key is the name of an attribute, got an empty one")


@dataclass(frozen=True, slots=True, repr=False)
class OttlCondition(Policy):
    """Keep traces with a span for which a condition holds.

    Parameters
    ----------
    span, spanevent : tuple of str
        The conditions in OTTL; they are kept as they are, and not evaluated.
    error_mode : str
    predicate : callable
        Called with the whole recording, returns a mask of its spans: what the conditions mean, in Python.

    Raises
    ------
    OttlEngineError
        When there is no predicate: text needs the OTTL engine.
    """

    type: ClassVar[str] = "ottl_condition"

    span: tuple[str, ...] = ()
    spanevent: tuple[str, ...] = ()
    error_mode: Literal["ignore", "silent", "propagate"] = "ignore"
    predicate: Predicate | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.predicate is None:
            first = next(iter((*self.span, *self.spanevent)), "")
            msg = (
                f"the condition {first!r} needs the OTTL engine; "
                "give predicate=, a function from Traces to a mask of spans, in its place"
            )
            raise OttlEngineError(msg)


POLICIES: Mapping[str, type[Policy]] = {
    kind.type: kind
    for kind in (
        AlwaysSample, And, BooleanAttribute, BytesLimiting, Composite, Drop, Latency, Not, NumericAttribute,
        OttlCondition, Probabilistic, RateLimiting, SpanCount, StatusCode, StringAttribute,
        TraceFlags, TraceState,
    )
}  # fmt: skip


def parameters(kind: type[Policy]) -> dict[str, object]:
    """Return the parameters of a kind of policy, besides its name, with their types."""
    return {found.name: found.type for found in fields(kind) if found.name != "name"}
