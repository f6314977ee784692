"""How many bins of time a picture or a search may have."""

from workbench.otlp.errors import BinError

__all__ = ["MOST_BINS", "check_bins"]

MOST_BINS = 1_000_000  # eleven days of seconds


def check_bins(count: int, bin_s: float) -> int:
    """Return the count, or refuse one that a stray timestamp must have caused."""
    if count > MOST_BINS:
        msg = (
            f"these spans need {count:,} bins of {bin_s:g} s, more than {MOST_BINS:,}: "
            "choose wider bins, or leave out spans with stray times by .between(start, end)"
        )
        raise BinError(msg)
    return count
