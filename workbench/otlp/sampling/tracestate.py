"""The sampling threshold and randomness that travel in a span's tracestate: ``ot=th:fd70a;rv:...``.

With ``M = 2^56``, a trace's randomness ``R`` in [0, M) and a rejection threshold ``T`` in [0, M):

    sampled     if and only if  R >= T
    probability p = (M - T) / M
    adjusted count  1 / p = M / (M - T)

``R`` is ``rv``, 14 hexadecimal digits, or else the last 7 bytes of the trace id. ``th`` is T in up to 14
hexadecimal digits with the trailing zeros left out: ``th:8`` is T = M / 2, a probability of one half.

Source: OpenTelemetry specification, "TraceState: Probability Sampling" and "TraceState Handling"; W3C Trace
Context, section 3.3.
"""

import math
import re
from dataclasses import dataclass, replace

from workbench.otlp.sampling.errors import SamplerError, TraceStateError

__all__ = [
    "OtelTraceState",
    "decode_threshold",
    "encode_threshold",
    "probability_to_threshold",
    "threshold_to_probability",
]

MAX_ADJUSTED_COUNT = 1 << 56
DIGITS = 14  # hexadecimal, of 56 bits
MAX_OT_LENGTH = 256
MAX_MEMBERS = 32

_THRESHOLD = re.compile(r"[0-9a-fA-F]{1,14}")
_RANDOMNESS = re.compile(r"[0-9a-fA-F]{14}")
_OT_FIELD = re.compile(r"([a-z][a-z0-9]*):([A-Za-z0-9._-]*)")
_KEY = re.compile(r"[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}")
_VALUE = re.compile(r"[ -+\--<>-~]{0,255}[!-+\--<>-~]")  # printable ASCII without comma and equals sign

Member = tuple[str, str]  # e.g. ("ot", "th:8")


def probability_to_threshold(probability: float, precision: int | None = 4) -> int:
    """Return the rejection threshold of a sampling probability, in [0, 2^56).

    Parameters
    ----------
    probability : float
        From 2^-56 to 1.
    precision : int, optional
        Significant hexadecimal digits, 1 to 14, not counting the leading ``f`` digits of small probabilities;
        4, as the specification recommends to SDKs. None keeps all 56 bits.

    Raises
    ------
    SamplerError
        When the probability or the precision is outside its range.

    Examples
    --------
    >>> encode_threshold(probability_to_threshold(0.01))
    'fd70a'
    """
    if not 2**-56 <= probability <= 1:
        msg = f"a sampling probability lies between 2^-56 and 1, got {probability}"
        raise SamplerError(msg)
    if precision is not None and not 1 <= precision <= DIGITS:
        msg = f"precision is 1 to {DIGITS} hexadecimal digits, got {precision}"
        raise SamplerError(msg)
    threshold = MAX_ADJUSTED_COUNT - round(probability * MAX_ADJUSTED_COUNT)
    if precision is None or threshold == 0:
        return threshold
    leading = max(0, math.frexp(probability)[1] // -4)
    return _rounded(threshold, min(DIGITS, precision + leading))


def _rounded(threshold: int, digits: int) -> int:
    """Round half up to so many hexadecimal digits, but never up to 2^56, which samples nothing."""
    unit = 1 << 4 * (DIGITS - digits)
    up = (threshold + unit // 2) // unit * unit
    return min(up, MAX_ADJUSTED_COUNT - unit)


def threshold_to_probability(threshold: int) -> float:
    """Return the sampling probability of a threshold.

    Raises
    ------
    SamplerError
        When the threshold is not in [0, 2^56).

    Examples
    --------
    >>> threshold_to_probability(decode_threshold("c"))
    0.25
    """
    if not 0 <= threshold < MAX_ADJUSTED_COUNT:
        msg = f"a threshold lies in [0, 2^56), got {threshold}"
        raise SamplerError(msg)
    return (MAX_ADJUSTED_COUNT - threshold) / MAX_ADJUSTED_COUNT


def encode_threshold(threshold: int) -> str:
    """Return a threshold as the value of ``th``: hexadecimal digits without trailing zeros, at least one.

    Raises
    ------
    SamplerError
        When the threshold is not in [0, 2^56).
    """
    threshold_to_probability(threshold)
    return f"{threshold:014x}".rstrip("0") or "0"


def decode_threshold(text: str) -> int:
    """Return the threshold that a value of ``th`` means.

    Raises
    ------
    TraceStateError
        When it is not 1 to 14 hexadecimal digits.
    """
    if not _THRESHOLD.fullmatch(text):
        msg = f"th is 1 to {DIGITS} hexadecimal digits, got {text!r}"
        raise TraceStateError(msg)
    return int(text.ljust(DIGITS, "0"), 16)


@dataclass(frozen=True, slots=True)
class OtelTraceState:
    """A W3C tracestate, its ``ot`` member understood and the members of other vendors kept as they are.

    Attributes
    ----------
    threshold : int or None
        T, from ``th``.
    randomness : int or None
        R, from ``rv``; None where the trace id is the source.
    rest : tuple of (key, value)
        The other fields of the ``ot`` member.
    vendors : tuple of (key, value)
        The other members.

    Examples
    --------
    >>> state = OtelTraceState.parse("vendor=1,ot=th:c;rv:d0000000000000")
    >>> state.adjusted_count
    4.0
    >>> str(state.with_threshold(None))
    'ot=rv:d0000000000000,vendor=1'
    """

    threshold: int | None = None
    randomness: int | None = None
    rest: tuple[Member, ...] = ()
    vendors: tuple[Member, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("threshold", self.threshold), ("randomness", self.randomness)):
            if value is not None and not 0 <= value < MAX_ADJUSTED_COUNT:
                msg = f"{name} lies in [0, 2^56), got {value}"
                raise TraceStateError(msg)

    @classmethod
    def parse(cls, text: str) -> "OtelTraceState":
        """Read a tracestate; the empty text is an empty one.

        Raises
        ------
        TraceStateError
            When the list, its ``ot`` member, ``th`` or ``rv`` is malformed. A malformed state says nothing:
            the specification has samplers erase it rather than guess.
        """
        members = parse_members(text)
        ot = [value for key, value in members if key == "ot"]
        fields = _ot_fields(ot[0]) if ot else {}
        rv = fields.pop("rv", None)
        if rv is not None and not _RANDOMNESS.fullmatch(rv):
            msg = f"rv is {DIGITS} hexadecimal digits, got {rv!r}"
            raise TraceStateError(msg)
        th = fields.pop("th", None)
        return cls(
            None if th is None else decode_threshold(th),
            None if rv is None else int(rv, 16),
            tuple(fields.items()),
            tuple((key, value) for key, value in members if key != "ot"),
        )

    @property
    def probability(self) -> float | None:
        """The sampling probability, None where no threshold says it."""
        return None if self.threshold is None else threshold_to_probability(self.threshold)

    @property
    def adjusted_count(self) -> float | None:
        """How many spans this one stands for, None where no threshold says it."""
        return None if self.probability is None else 1 / self.probability

    def with_threshold(self, threshold: int | None) -> "OtelTraceState":
        """Return the same state with another threshold; None erases it."""
        return replace(self, threshold=threshold)

    def raised_to(self, threshold: int) -> "OtelTraceState":
        """Return the state after a later stage that sampled with this threshold.

        A stage may raise a threshold. It cannot lower one, which would claim that an earlier stage had kept
        more than it did: then the state stays as it is.
        """
        return self if threshold < (self.threshold or 0) else self.with_threshold(threshold)

    def is_consistent(self, randomness: int) -> bool:
        """Tell whether a span of this randomness can have passed the threshold."""
        return self.threshold is None or randomness >= self.threshold

    def __str__(self) -> str:
        fields = list(self.rest)
        if self.threshold is not None:
            fields.insert(0, ("th", encode_threshold(self.threshold)))
        if self.randomness is not None:
            fields.insert(0, ("rv", f"{self.randomness:014x}"))
        while len(_joined(fields)) > MAX_OT_LENGTH:
            fields.pop()  # th and rv stand first, and stay
        ours = [f"ot={_joined(fields)}"] if fields else []
        others = [f"{key}={value}" for key, value in self.vendors]
        return ",".join([*ours, *others][:MAX_MEMBERS])


def _joined(fields: list[Member]) -> str:
    return ";".join(f"{key}:{value}" for key, value in fields)


def parse_members(text: str) -> list[Member]:
    """Return the members of a W3C tracestate, in order.

    Raises
    ------
    TraceStateError
        When a member is no ``key=value`` of the allowed characters, a key comes twice, or there are more
        than 32.
    """
    members: dict[str, str] = {}
    for part in filter(None, (part.strip(" \t") for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not (equals and _KEY.fullmatch(key) and _VALUE.fullmatch(value)) or key in members:
            msg = f"a tracestate is a list of different key=value members, got {part!r} in {text[:80]!r}"
            raise TraceStateError(msg)
        members[key] = value
    if len(members) > MAX_MEMBERS:
        msg = f"a tracestate has {MAX_MEMBERS} members at most, got {len(members)}"
        raise TraceStateError(msg)
    return list(members.items())


def _ot_fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    if len(text) > MAX_OT_LENGTH:
        msg = f"the ot member is {MAX_OT_LENGTH} characters at most, got {len(text)}"
        raise TraceStateError(msg)
    for part in text.split(";"):
        found = _OT_FIELD.fullmatch(part)
        if not found or found[1] in fields:
            msg = f"the ot member is a list of different key:value fields, got {part!r} in {text[:80]!r}"
            raise TraceStateError(msg)
        fields[found[1]] = found[2]
    return fields
