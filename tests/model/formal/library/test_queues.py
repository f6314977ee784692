"""Readers and writers, bounded buffers, and the alternating bit."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import (
    AlternatingBit,
    BoundedBuffer,
    BoundedBufferTwoQueues,
    ReadersWriters,
)


@pytest.mark.slow
def test_three_readers_and_writers_have_the_published_counts(compiled, counted):
    """TLA+ Examples, ReadersWriters/MC.cfg: 21,527 distinct, 59,674 generated, depth 13."""
    verdict = compiled(ReadersWriters(3))
    assert verdict.holds is True
    assert counted(verdict) == (21_527, 59_674, 13)


def readers_writers(n):
    def successors(state):
        readers, writers, waiting = state
        for request in [(kind, a) for kind in ("read", "write") for a in range(n)]:
            if request not in waiting:
                yield readers, writers, (*waiting, request)
        if waiting and not writers:
            kind, actor = waiting[0]
            if kind == "read":
                yield readers | {actor}, writers, waiting[1:]
            elif not readers:
                yield readers, writers | {actor}, waiting[1:]
        for actor in readers | writers:
            yield (
                (readers - {actor}, writers, waiting)
                if actor in readers
                else (readers, writers - {actor}, waiting)
            )

    return [(frozenset(), frozenset(), ())], successors


def test_two_have_the_states_of_an_independent_count(checked, counted, breadth_first):
    verdict = checked(ReadersWriters(2))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*readers_writers(2))


def test_a_writer_that_does_not_wait_for_readers_is_beside_one_after_four_steps(interpreted):
    class Pushing(ReadersWriters(2)):
        @wb.action
        def serve_next(s):
            wb.require(len(s.waiting) > 0)
            wb.require(len(s.writers) == 0)
            request = s.waiting.pop(0)
            if request.kind == "read":
                s.readers.add(request.actor)
            else:
                s.writers.add(request.actor)

    verdict = interpreted(Pushing, stop_at_first=True)
    assert verdict.property == "no_reader_beside_a_writer"
    assert len(verdict.trace) - 1 == 4


SIZES = [(p, c, k) for p in range(1, 4) for c in range(1, 4) for k in range(1, 4)]


@pytest.mark.parametrize(("producers", "consumers", "capacity"), SIZES)
def test_there_is_a_deadlock_exactly_if_the_threads_are_more_than_twice_the_capacity(
    interpreted, producers, consumers, capacity
):
    """M. Kuppe's BlockingQueue: no deadlock if and only if P + C <= 2 K."""
    verdict = interpreted(BoundedBuffer(producers, consumers, capacity))
    assert verdict.holds is (producers + consumers <= 2 * capacity)


def buffer(producers, consumers, capacity, *, wakes_all_kinds):
    threads = range(producers + consumers)

    def successors(state):
        items, asleep = state
        for thread in set(threads) - asleep:
            puts = thread < producers
            if items == (capacity if puts else 0):
                yield items, asleep | {thread}
                continue
            others = {each for each in asleep if wakes_all_kinds or (each < producers) != puts}
            for woken in [{each} for each in others] or [set()]:
                yield items + (1 if puts else -1), asleep - woken

    return [(0, frozenset())], successors


def test_the_shortest_deadlock_has_eight_steps(checked, counted, breadth_first):
    verdict = checked(BoundedBuffer(producers=2, consumers=1, capacity=1))
    assert counted(verdict) == breadth_first(*buffer(2, 1, 1, wakes_all_kinds=True))
    assert verdict.property == "deadlock"
    assert len(verdict.trace) - 1 == 8


@pytest.mark.parametrize(("producers", "consumers", "capacity"), [(2, 1, 1), (3, 2, 1), (2, 3, 2)])
def test_if_only_the_other_kind_is_woken_there_is_none(
    interpreted, counted, breadth_first, producers, consumers, capacity
):
    verdict = interpreted(BoundedBufferTwoQueues(producers, consumers, capacity))
    assert verdict.holds is True
    expected = breadth_first(*buffer(producers, consumers, capacity, wakes_all_kinds=False))
    assert counted(verdict) == expected


def test_both_engines_agree_on_two_queues(checked):
    assert checked(BoundedBufferTwoQueues(2, 2, 1)).holds is True


def test_a_producer_that_may_forget_to_wake_a_consumer_leaves_all_asleep(interpreted):
    class Forgetful(BoundedBufferTwoQueues(1, 1, 1)):
        @wb.action(p=range(1))
        def put(s, p):
            wb.require(p not in s.asleep)
            wb.require(s.items < 1)
            s.items += 1

    verdict = interpreted(Forgetful)
    assert verdict.property == "deadlock"
    assert len(verdict.trace) - 1 == 3
    assert verdict.trace[-1].state.all_asleep()


def test_a_producer_that_does_not_look_overfills_the_buffer(interpreted):
    class Overfull(BoundedBuffer(1, 1, 1)):
        @wb.action(p=range(1))
        def put(s, p):
            wb.require(p not in s.asleep)
            s.items += 1

    with pytest.raises(wb.ActionError, match="items"):
        interpreted(Overfull)


def test_the_alternating_bit_has_the_published_counts(checked, counted):
    """TLA+ Examples, SpecifyingSystems/TLC/MCAlternatingBit.cfg: 240 distinct, 1,392 generated, depth 10."""
    verdict = checked(AlternatingBit(values=2, messages=2, acks=2))
    assert verdict.holds is True
    assert counted(verdict) == (240, 1392, 10)


def test_without_the_bit_in_acknowledgements_the_sender_believes_too_soon(interpreted):
    class Trusting(AlternatingBit()):
        @wb.action
        def receive_ack(s):
            wb.require(len(s.to_sender) > 0)
            s.acked_bit = s.sender_bit
            s.to_sender.pop(0)

    verdict = interpreted(Trusting)
    assert verdict.property == "acknowledged_is_received"
    assert len(verdict.trace) - 1 == 3


def test_with_a_new_value_before_the_acknowledgement_the_bits_say_nothing(interpreted):
    class Hasty(AlternatingBit()):
        @wb.action(value=range(2))
        def send_new(s, value):
            s.sent = value
            s.sender_bit = 1 - s.sender_bit
            s.to_receiver.append({"bit": s.sender_bit, "value": value})

    verdict = interpreted(Hasty, stop_at_first=True)
    assert verdict.property == "acknowledged_is_received"
