"""A circuit breaker as it is described, with lists of outcomes: all is looked at, nothing is counted."""

from fractions import Fraction


class Twin:
    """`window` is ("calls", n), ("row", n) or ("buckets", n, seconds)."""

    def __init__(self, window, *, minimum, failure_rate, slow_rate, open_s, trials, trial_s, growth, most_s):
        self.window, self.minimum, self.open_s, self.trials = window, minimum, open_s, trials
        self.rates = (Fraction(failure_rate), Fraction(slow_rate))
        self.trial_s, self.growth, self.most_s = trial_s, growth, most_s
        self.state, self.generation, self.changed_s, self.failed_trials = "closed", 0, 0.0, 0
        self.seen = []  # (bucket, failed, slow)
        self.out = 0
        self.starts = []

    def change(self, state, now):
        self.state, self.changed_s, self.seen, self.out, self.starts = state, now, [], 0, []
        self.generation += 1

    def admit(self, now):
        open_s = min(self.open_s * self.growth**self.failed_trials, self.most_s)
        if self.state == "open" and now - self.changed_s >= open_s:
            self.change("half_open", now)
        elif self.state == "half_open" and not self.permits and now - self.changed_s >= self.trial_s:
            self.change("open", now)
        if self.state == "half_open" and self.permits:
            self.out += 1
            return True
        return self.state in ("closed", "disabled")

    @property
    def permits(self):
        return self.trials - self.out - len(self.seen)

    def release(self, generation):
        if generation != self.generation:
            return False
        if self.state == "half_open":
            self.out -= 1
        return True

    def learn(self, generation, failed, slow, now):
        if generation != self.generation or self.state not in ("closed", "half_open"):
            if self.state == "closed":
                self.bucket(now)  # the first begins with the first call that ends, counted or not
            return False
        if self.state == "half_open":
            self.out -= 1
            self.seen.append((0, failed, slow))
            if len(self.seen) < self.trials:
                return False
            if self.reached(self.seen):
                grows = self.open_s * self.growth**self.failed_trials < self.most_s
                self.failed_trials += grows
                self.change("open", now)
            else:
                self.failed_trials = 0
                self.change("closed", now)
            return True
        if self.window[0] == "row":  # slow calls are in it where they matter at all
            slow = slow and self.rates[1] <= 1
        self.seen.append((self.bucket(now), failed, slow))
        if self.broken(failed or slow):
            self.change("open", now)
            return True
        return False

    def bucket(self, now):
        """Buckets follow each other from the first call on; after a pause longer than all, anew."""
        if self.window[0] != "buckets":
            return 0
        _, count, seconds = self.window
        if not self.starts:
            self.starts.append(now)
        steps = 0
        while now - self.starts[-1] >= seconds:
            if steps == count:
                self.starts.append(now)
                break
            self.starts.append(self.starts[-1] + seconds)
            steps += 1
        return len(self.starts)

    def looked_at(self):
        kind, count = self.window[:2]
        if kind == "buckets":
            newest = len(self.starts)
            return [each for each in self.seen if each[0] > newest - count]
        return self.seen[-count:]

    def broken(self, bad):
        seen = self.looked_at()
        if self.window[0] == "row":
            return len(seen) == self.window[1] and all(failed or slow for _, failed, slow in seen)
        if len(seen) < self.minimum:
            return False
        full = self.window[0] == "calls"
        if full and not bad and len(self.seen) != self.minimum:
            return False  # a success cannot raise a share of the last calls
        return self.reached(seen)

    def reached(self, seen):
        return any(
            sum(each[at] for each in seen) >= rate * len(seen)
            for at, rate in ((1, self.rates[0]), (2, self.rates[1]))
        )

    def force(self, state, now):
        changed = self.state != state
        self.change(state, now)
        self.failed_trials = 0
        return changed
