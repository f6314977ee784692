"""Dependencies from versions: who wrote, who read, and who wrote next.

A version has a writer (-1: the initial state, or nobody who committed) and successors: the writers of the
next version, or of several of which none is known to be the first. Where there are many, the edges to them
would be as many as their product with the readers. Instead, the successors ``s_0 .. s_{g-1}`` of a version
get two chains of nodes, ``P_i -> s_i, P_{i-1}`` and ``S_i -> s_i, S_{i+1}``. A transaction that is none of
them points at ``S_0``, and ``s_j`` itself at ``P_{j-1}`` and ``S_{j+1}``: at all but itself, with edges
linear in their number.
"""

from typing import Any

from workbench.histories.transactions import _codes as codes
from workbench.kernels import kernel
from workbench.kernels.parts import inlined

__all__ = ["dependency_edges", "place_in", "realtime_edges"]

FREE, WW, WR, RW, REALTIME = codes.FREE, codes.WW, codes.WR, codes.RW, codes.REALTIME


@inlined
def _place(successors: Any, begin: Any, end: Any, txn: Any) -> Any:
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if successors[middle] < txn:
            low = middle + 1
        else:
            high = middle
    return low if low < end and successors[low] == txn else -1


@kernel("int64(int32[::1], int64, int64, int64)")
def place_in(successors: Any, begin: int, end: int, txn: int) -> Any:
    """Return where a transaction stands among the ascending successors of a version, or -1."""
    return _place(successors, begin, end, txn)


EDGES = "int32[:,::1], int8[::1], int64[::1]"


@inlined
def _add(
    ends: Any, kinds: Any, proofs: Any, count: int, source: int, target: int, what: int, proof: int
) -> Any:
    """Add an edge, and return how many there are."""
    ends[count, 0] = source
    ends[count, 1] = target
    kinds[count] = what
    proofs[count] = proof
    return count + 1


@inlined
def _lead_on(
    ends: Any,
    kinds: Any,
    proofs: Any,
    count: Any,
    successors: Any,
    begin: Any,
    end: Any,
    chain: Any,
    source: Any,
    what: Any,
    proof: Any,
) -> Any:
    """Add the edges from a transaction to all successors of a version but itself."""
    size = end - begin
    if size == 1:
        if successors[begin] != source:
            count = _add(ends, kinds, proofs, count, source, successors[begin], what, proof)
    elif size > 1:
        place = _place(successors, begin, end, source)
        if place < 0:
            count = _add(ends, kinds, proofs, count, source, chain + size, what, proof)
        else:
            own = place - begin
            if own > 0:
                count = _add(ends, kinds, proofs, count, source, chain + own - 1, what, proof)
            if own < size - 1:
                count = _add(ends, kinds, proofs, count, source, chain + size + own + 1, what, proof)
    return count


@kernel(
    f"int64({EDGES}, int64, int32[::1], int64[::1], int32[::1], boolean[::1], int32[::1], int64[::1],"
    " int64[::1])"
)
def dependency_edges(
    ends: Any,
    kinds: Any,
    proofs: Any,
    transactions: int,
    writers: Any,
    bounds: Any,
    successors: Any,
    ordered: Any,
    readers: Any,
    versions: Any,
    chains: Any,
) -> Any:
    """Fill in the edges of all versions and reads; return how many there are.

    The proof of a ww edge is its version, that of wr and rw edges the number of the read. `chains` becomes
    the first node of each version's two chains.
    """
    count = 0
    node = transactions
    for version in range(len(writers)):
        begin, end = bounds[version], bounds[version + 1]
        size = end - begin
        chains[version] = node
        if size > 1:
            for place in range(size):
                for chain, onward in ((node, place - 1), (node + size, place + 1)):
                    count = _add(
                        ends, kinds, proofs, count, chain + place, successors[begin + place], FREE, version
                    )
                    if 0 <= onward < size:
                        count = _add(ends, kinds, proofs, count, chain + place, chain + onward, FREE, version)
            node += 2 * size
        if writers[version] >= 0 and ordered[version]:
            count = _lead_on(
                ends,
                kinds,
                proofs,
                count,
                successors,
                begin,
                end,
                chains[version],
                writers[version],
                WW,
                version,
            )
    for read in range(len(readers)):
        version, txn = versions[read], readers[read]
        if writers[version] >= 0 and writers[version] != txn:
            count = _add(ends, kinds, proofs, count, writers[version], txn, WR, read)
        begin, end = bounds[version], bounds[version + 1]
        count = _lead_on(ends, kinds, proofs, count, successors, begin, end, chains[version], txn, RW, read)
    return count


@kernel(f"int64({EDGES}, int64, int64[::1], int64[::1], float64[::1], float64[::1])")
def realtime_edges(
    ends: Any, kinds: Any, proofs: Any, first: int, by_call: Any, by_return: Any, call_s: Any, return_s: Any
) -> Any:
    """Fill in that what returned before another was called comes before it; return how many edges there are.

    The returns, in order, are a chain of nodes from `first` on: a transaction points at the node of its
    return, and the last return before a call at the transaction called.
    """
    count = 0
    returned = 0
    for txn in by_call:
        while returned < len(by_return) and return_s[by_return[returned]] < call_s[txn]:
            node = first + returned
            count = _add(ends, kinds, proofs, count, by_return[returned], node, REALTIME, -1)
            if returned > 0:
                count = _add(ends, kinds, proofs, count, node - 1, node, FREE, -1)
            returned += 1
        if returned > 0:
            count = _add(ends, kinds, proofs, count, first + returned - 1, txn, FREE, -1)
    return count
