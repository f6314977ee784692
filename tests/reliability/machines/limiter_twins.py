"""Rate limiters as they are described, in exact fractions: every call is remembered and looked at."""

from fractions import Fraction
from math import floor


class BucketTwin:
    """Tokens are added between calls, and never more than fit in."""

    def __init__(self, rate_hz, burst):
        self.rate_hz, self.burst = Fraction(rate_hz), Fraction(burst)
        self.tokens, self.at = self.burst, None

    def take(self, now, cost):
        now, cost = Fraction(now), Fraction(cost)
        if self.at is not None:
            self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate_hz)
        self.at = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True


class FixedWindowTwin:
    """Of all calls that were let through, those of this window are counted."""

    def __init__(self, limit, window_s):
        self.limit, self.window_s, self.calls = limit, Fraction(window_s), []

    def number(self, now):
        return floor(Fraction(now) / self.window_s)

    def count(self, window):
        return sum(cost for at, cost in self.calls if self.number(at) == window)

    def take(self, now, cost):
        if self.count(self.number(now)) + cost > self.limit:
            return False
        self.calls.append((now, cost))
        return True


class SlidingWindowTwin(FixedWindowTwin):
    """Those of the window before count as much as the sliding window still covers of it."""

    def take(self, now, cost):
        window = self.number(now)
        share = 1 - (Fraction(now) / self.window_s - window)
        if self.count(window - 1) * share + self.count(window) + cost > self.limit:
            return False
        self.calls.append((now, cost))
        return True


class SlidingLogTwin(FixedWindowTwin):
    """Of all calls that were let through, those less than a window ago are counted."""

    def take(self, now, cost):
        recent = sum(old for at, old in self.calls if Fraction(at) + self.window_s > Fraction(now))
        if recent + cost > self.limit:
            return False
        self.calls.append((now, cost))
        return True
