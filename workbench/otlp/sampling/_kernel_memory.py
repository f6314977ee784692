"""Kernels of a tail sampler's memory: traces enter it, wait in it, and leave it.

Traces are numbers. Three doubly linked lists hold them, oldest first, each a row of `links` with a sentinel
at the end of the array: the QUEUE of all traces in memory, and the two least-recently-used caches of
decisions.
"""

from typing import Any

from workbench.kernels import kernel

__all__ = ["arrive", "settle"]

QUEUE, SAMPLED_CACHE, NOT_SAMPLED_CACHE = 0, 1, 2
ABSENT, UNDECIDED, SAMPLED, NOT_SAMPLED = -1, 0, 1, 2  # status of a trace
BUFFERED, KEPT, REJECTED, LATE_KEPT, LATE_REJECTED, EVICTED, TOO_LARGE = 0, 1, 2, 3, 4, 5, 6  # of a span
STATUS, SEEN, BEGIN, BYTES, ENTRY, DECISION, FIRST_ROW = 0, 1, 2, 3, 4, 5, 6  # columns of `traces`
IN_MEMORY, BYTES_HELD, ENTRIES, EVICTIONS, OVERSIZED = 0, 1, 2, 3, 4  # of `counts`
NUM_TRACES, BATCHES, ROOT_BATCHES, MAX_BYTES = 0, 1, 2, 3  # of `limits`


@kernel("void(int64[:,:,::1], int64[:,::1], int64[::1], int64, int64)")
def _push(links: Any, member: Any, sizes: Any, which: int, trace: int) -> None:
    end = links.shape[2] - 1
    last = links[which, 0, end]
    links[which, 1, last] = trace
    links[which, 0, trace] = last
    links[which, 1, trace] = end
    links[which, 0, end] = trace
    member[which, trace] = 1
    sizes[which] += 1


@kernel("void(int64[:,:,::1], int64[:,::1], int64[::1], int64, int64)")
def _remove(links: Any, member: Any, sizes: Any, which: int, trace: int) -> None:
    before, behind = links[which, 0, trace], links[which, 1, trace]
    links[which, 1, before] = behind
    links[which, 0, behind] = before
    member[which, trace] = 0
    sizes[which] -= 1


@kernel("boolean(int64[:,:,::1], int64[:,::1], int64[::1], int64[::1], int64, int64)")
def _remember(links: Any, member: Any, sizes: Any, capacity: Any, which: int, trace: int) -> Any:
    """Put a trace into a cache of decisions, and tell whether there is one."""
    if capacity[which] == 0:
        return False
    if member[which, trace]:
        _remove(links, member, sizes, which, trace)
    _push(links, member, sizes, which, trace)
    if sizes[which] > capacity[which]:
        _remove(links, member, sizes, which, links[which, 1, links.shape[2] - 1])
    return True


@kernel("void(int64[:,::1], int64, int64)")
def _reschedule(entries: Any, entry: int, batch: int) -> None:
    """Take an entry, and all of the same trace, out of its batch, and put it into another; -1 is none.

    A batch is a set of traces: one that left memory undecided and came back is in its old batch still.
    """
    old, newer, older = entries[entry, 1], entry, entries[entry, 2]
    entries[entry, 1] = batch
    while older >= 0:
        if entries[older, 1] == old:
            entries[older, 1] = -1
        if entries[older, 1] < 0:
            entries[newer, 2] = entries[older, 2]
        else:
            newer = older
        older = entries[older, 2]


@kernel("void(int64[:,::1], int64[:,:,::1], int64[:,::1], int64[::1], int64[::1], int64)")
def _forget(traces: Any, links: Any, member: Any, sizes: Any, counts: Any, trace: int) -> None:
    """Take a trace out of memory."""
    if traces[trace, STATUS] == UNDECIDED:
        counts[BYTES_HELD] -= traces[trace, BYTES]
    traces[trace, STATUS] = ABSENT
    counts[IN_MEMORY] -= 1
    _remove(links, member, sizes, QUEUE, trace)


@kernel(
    "void(int64[:,::1], int64[:,:,::1], int64[:,::1], int64[::1], int64[::1], int64[::1], int64[:,::1],"
    "int8[::1], int64[::1], int64)"
)
def _evict_oldest(
    traces: Any,
    links: Any,
    member: Any,
    sizes: Any,
    counts: Any,
    by_trace: Any,
    evictions: Any,
    fate: Any,
    arrival: Any,
    now: int,
) -> None:
    """Make room: the oldest trace goes, and if it was undecided, its spans are lost."""
    oldest = links[QUEUE, 1, links.shape[2] - 1]
    if traces[oldest, STATUS] == UNDECIDED:
        begin = traces[oldest, FIRST_ROW] + traces[oldest, BEGIN]
        after = traces[oldest, FIRST_ROW] + traces[oldest, SEEN]
        for at in range(begin, after):
            fate[by_trace[at]] = EVICTED
        number = counts[EVICTIONS]
        evictions[number, 0] = oldest
        evictions[number, 1] = after - begin
        evictions[number, 2] = arrival[by_trace[begin]]
        evictions[number, 3] = now
        counts[EVICTIONS] += 1
    _forget(traces, links, member, sizes, counts, oldest)


@kernel(
    "void(int64, int64, int64[::1], int64[::1], int64[::1], int64[::1], boolean[::1], int64[::1], int64,"
    "int64[::1], int64[::1], int64[:,::1], int64[:,:,::1], int64[:,::1], int64[::1], int64[::1],"
    "int64[:,::1], int64[:,::1], int64[:,::1], int8[::1], int64[::1])"
)
def arrive(
    first: int,
    after: int,
    order: Any,
    trace_of: Any,
    arrival: Any,
    size: Any,
    is_root: Any,
    by_trace: Any,
    tick: int,
    limits: Any,
    capacity: Any,
    traces: Any,
    links: Any,
    member: Any,
    sizes: Any,
    counts: Any,
    entries: Any,
    evictions: Any,
    oversized: Any,
    fate: Any,
    decision: Any,
) -> None:
    """Let the spans `order[first:after]` in, which arrive between the ticks `tick` and `tick + 1`."""
    for at in range(first, after):
        row = order[at]
        trace = trace_of[row]
        traces[trace, SEEN] += 1
        decision[row] = traces[trace, DECISION]
        if member[SAMPLED_CACHE, trace]:
            _remember(links, member, sizes, capacity, SAMPLED_CACHE, trace)
            fate[row] = LATE_KEPT
            continue
        if member[NOT_SAMPLED_CACHE, trace]:
            _remember(links, member, sizes, capacity, NOT_SAMPLED_CACHE, trace)
            fate[row] = LATE_REJECTED
            continue
        if traces[trace, STATUS] == ABSENT:
            if counts[IN_MEMORY] >= limits[NUM_TRACES]:
                _evict_oldest(
                    traces, links, member, sizes, counts, by_trace, evictions, fate, arrival, arrival[row]
                )
            traces[trace, STATUS] = UNDECIDED
            traces[trace, BEGIN] = traces[trace, SEEN] - 1
            traces[trace, BYTES] = 0
            entries[counts[ENTRIES], 2] = traces[trace, ENTRY]
            traces[trace, ENTRY] = counts[ENTRIES]
            entries[counts[ENTRIES], 0] = trace
            entries[counts[ENTRIES], 1] = tick + limits[BATCHES]
            counts[ENTRIES] += 1
            counts[IN_MEMORY] += 1
            _push(links, member, sizes, QUEUE, trace)
        if traces[trace, STATUS] == SAMPLED:
            fate[row] = LATE_KEPT
        elif traces[trace, STATUS] == NOT_SAMPLED:
            fate[row] = LATE_REJECTED
            if _remember(links, member, sizes, capacity, NOT_SAMPLED_CACHE, trace):
                _forget(traces, links, member, sizes, counts, trace)
        else:
            if is_root[row] and limits[ROOT_BATCHES] >= 0:
                entry = traces[trace, ENTRY]
                if tick + limits[ROOT_BATCHES] < entries[entry, 1]:
                    _reschedule(entries, entry, tick + limits[ROOT_BATCHES])
            traces[trace, BYTES] += size[row]
            counts[BYTES_HELD] += size[row]
            if limits[MAX_BYTES] > 0 and traces[trace, BYTES] > limits[MAX_BYTES]:
                begin = traces[trace, FIRST_ROW] + traces[trace, BEGIN]
                for held in range(begin, traces[trace, FIRST_ROW] + traces[trace, SEEN]):
                    fate[by_trace[held]] = TOO_LARGE
                number = counts[OVERSIZED]
                oversized[number, 0] = trace
                oversized[number, 1] = traces[trace, SEEN] - traces[trace, BEGIN]
                oversized[number, 2] = traces[trace, BYTES]
                oversized[number, 3] = arrival[row]
                counts[OVERSIZED] += 1
                _reschedule(entries, traces[trace, ENTRY], -1)
                counts[BYTES_HELD] -= traces[trace, BYTES]
                traces[trace, STATUS] = NOT_SAMPLED
                if _remember(links, member, sizes, capacity, NOT_SAMPLED_CACHE, trace):
                    _forget(traces, links, member, sizes, counts, trace)


@kernel(
    "void(int64[::1], boolean[::1], int64[::1], int64, int64[::1], int64[:,::1], int64[:,:,::1],"
    "int64[:,::1], int64[::1], int64[::1], int8[::1], int64[::1])"
)
def settle(
    decided: Any,
    sampled: Any,
    by_trace: Any,
    number: int,
    capacity: Any,
    traces: Any,
    links: Any,
    member: Any,
    sizes: Any,
    counts: Any,
    fate: Any,
    decision: Any,
) -> None:
    """Carry out the decisions `number`, `number + 1`, ... on the traces in memory that they are about."""
    for at in range(len(decided)):
        trace = decided[at]
        begin = traces[trace, FIRST_ROW] + traces[trace, BEGIN]
        for held in range(begin, traces[trace, FIRST_ROW] + traces[trace, SEEN]):
            fate[by_trace[held]] = KEPT if sampled[at] else REJECTED
            decision[by_trace[held]] = number + at
        counts[BYTES_HELD] -= traces[trace, BYTES]
        traces[trace, DECISION] = number + at
        traces[trace, STATUS] = SAMPLED if sampled[at] else NOT_SAMPLED
        cache = SAMPLED_CACHE if sampled[at] else NOT_SAMPLED_CACHE
        if _remember(links, member, sizes, capacity, cache, trace):
            _forget(traces, links, member, sizes, counts, trace)
