"""Layers share a reading of the clock only where they share the clock."""

from workbench.clock import VirtualClock
from workbench.reliability.fusing.chain import Chain
from workbench.reliability.fusing.layers import Layer, entry_time
from workbench.reliability.policy import Policy


class CountedClock(VirtualClock):
    """A clock that counts how often it is read."""

    reads = 0

    def now(self):
        self.reads += 1
        return super().now()


def note_time(q, proceed):
    clock, noted = q.clock, q.noted
    entered = entry_time(clock)
    noted.append(entered)
    result = proceed()  # noqa: F841 - what all layers share


class Noting(Policy):
    """Notes when calls come."""

    def __init__(self, clock):
        self.noted = []
        super().__init__(clock=clock)

    def layer(self):
        return Layer(note_time)


def test_layers_with_one_clock_read_it_once():
    clock = CountedClock(start_s=5.0)
    first, second = Noting(clock), Noting(clock)
    Chain((first, second)).wrap(lambda: None)()
    assert first.noted == second.noted == [5.0]
    assert clock.reads == 1


def test_layers_with_other_clocks_read_their_own():
    early, late = CountedClock(start_s=1.0), CountedClock(start_s=9.0)
    layers = [Noting(clock) for clock in (early, late, early)]
    Chain(tuple(layers)).wrap(lambda: None)()
    assert [layer.noted for layer in layers] == [[1.0], [9.0], [1.0]]
